"""A web server that is not what it says it is: a blog whose answers are chosen by the first part of the path; and a
port that nobody may ever reach."""

import gzip
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ME = {"id": 1, "name": "Blog", "slug": "blog"}


def comment(number, **more):
    return {
        "id": number,
        "post": 4,
        "parent": 0,
        "author": 0,
        "author_name": "V",
        "author_email": "v@x.org",
        "status": "approved",
        "date_gmt": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()),
        "content": {"raw": f"hello {number}"},
        **more,
    }


class Trap:
    """Listens and counts who comes."""

    def __init__(self, host, port=0):
        self.hits, family = 0, socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family)
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self):
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            self.hits += 1
            peer.close()

    def close(self):
        self._socket.close()


class HostileSite:
    """`mode` is the first part of the path. Modes that begin with "poll-" say who they are as a blog would, and turn
    later."""

    def __init__(self, host="127.0.0.1", redirect_to=""):
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                site.asked.append(self.path)
                try:
                    site.answer(self)
                except OSError:
                    self.close_connection = True

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.asked, self.redirect_to = [], redirect_to
        self._server = ThreadingHTTPServer((host, 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{host}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def polls(self, mode):
        return sum(1 for path in self.asked if path.startswith(f"/{mode}/") and "/comments" in path)

    def send(self, handler, status, body, headers=None):
        handler.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **(headers or {}),
        }.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    def answer(self, handler):
        mode = handler.path.split("/")[1]
        if mode.startswith("poll-"):
            if "/users/me" in handler.path:
                return self.send(handler, 200, json.dumps(ME).encode())
            return getattr(self, mode.replace("-", "_"))(handler)
        return getattr(self, mode)(handler)

    # ---- who am I ---------------------------------------------------------------------------------------------------

    def wrong_types(self, handler):
        self.send(handler, 200, json.dumps({"id": {"a": [1]}, "name": [1, {}], "slug": 5}).encode())

    def not_json(self, handler):
        self.send(handler, 200, b"<html>welcome</html>")

    def deep(self, handler):
        self.send(handler, 200, b'{"id":' + b"[" * 100000 + b"]" * 100000 + b"}")

    def gzip_bomb(self, handler):
        self.send(
            handler, 200, gzip.compress(b'{"id":1,"name":"' + b" " * (200 << 20) + b'"}'), {"Content-Encoding": "gzip"}
        )

    def huge(self, handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(1 << 33))
        handler.end_headers()
        for _ in range(4096):
            handler.wfile.write(b" " * 65536)

    def drips(self, handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        stop = time.monotonic() + 30
        while time.monotonic() < stop:
            handler.wfile.write(b" ")
            handler.wfile.flush()
            threading.Event().wait(0.2)

    def endless_headers(self, handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(200000):
            handler.wfile.write(b"X-%d: %s\r\n" % (number, b"a" * 100))

    def redirect(self, handler):
        self.send(handler, 302, b"", {"Location": self.redirect_to})

    def redirect_301(self, handler):
        self.send(handler, 301, b"{}", {"Location": self.redirect_to})

    def redirect_307(self, handler):
        self.send(handler, 307, b"{}", {"Location": self.redirect_to, "Refresh": f"0; url={self.redirect_to}"})

    def odd_status(self, handler):
        self.send(handler, 299, b"")

    def forbidden_with_a_long_story(self, handler):
        self.send(handler, 401, json.dumps({"code": "x" * 100000, "message": "\x00\x1b[31m" + "y" * 100000}).encode())

    def closes(self, handler):
        handler.connection.shutdown(socket.SHUT_RDWR)

    # ---- comments ---------------------------------------------------------------------------------------------------

    def poll_wrong_types(self, handler):
        odd = [
            None,
            7,
            "s",
            [],
            {},
            {"id": []},
            {"id": {"a": 1}, "date_gmt": 5},
            comment("1' OR 1=1"),
            comment(-1),
            comment(2**63 - 1, date_gmt="9999-99-99T99:99:99"),
            comment(3, date_gmt="0000-00-00T00:00:00"),
            comment(4, content=[1]),
            comment(5, parent={"x": 1}),
            comment(6, status=["approved"]),
            comment(7, author_name="\x00" * 100 + "\ud800".encode("utf-8", "replace").decode()),
            comment(8, parent=8),
            comment(9, parent=10),
            comment(10, parent=9),
        ]
        self.send(handler, 200, json.dumps(odd).encode())

    def poll_million(self, handler):
        self.send(handler, 200, b"[" + b"{}," * 1000000 + b"{}]")

    def poll_cyclic(self, handler):
        """Always the same full page, whichever is asked for."""
        self.send(
            handler, 200, json.dumps([comment(n, date_gmt="2026-01-01T00:00:00") for n in range(1000, 1100)]).encode()
        )

    def poll_object(self, handler):
        self.send(handler, 200, b'{"0": {"id": 1}, "length": 1000000}')

    def poll_redirect(self, handler):
        self.redirect(handler)
