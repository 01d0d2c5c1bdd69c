#!/usr/bin/python3
"""Real servers under the conformance suite: stands where the sandbox stands, as far as real servers let it.

    tests/contract/real_servers.py ghost,bluesky FOLDER COMMAND...

starts these servers with their data in FOLDER, runs COMMAND and stops them; its exit status is COMMAND's. COMMAND finds in
PARVIS_SERVERS the address of what answers as the sandbox's control API does (services/sandbox/README.md): accounts, comments, faults,
journal/summary. Every account is reached by way of a door that can lose, break and replace answers; of a network's own mind
(its rate limits, its refusals) there are no faults here.
"""

import collections
import http.client
import http.server
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "deploy/local"))

from parvis_local import networks  # noqa: E402
from parvis_local.processes import StartError  # noqa: E402

FAULTS = ("reset_before_accept", "accept_then_reset", "accept_then_504", "garbage", "server_error")
BODY_MAX = 64 << 20
# What writes nothing that anybody sees.
NO_WRITES = ("/xrpc/com.atproto.repo.uploadBlob", "/ghost/api/admin/images/upload/")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self):
        return self.rfile.read(min(int(self.headers.get("Content-Length") or 0), BODY_MAX))

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


class Door:
    """Between a connector and a real server: hands on, strikes the next writes with `fault`, counts what the server took."""

    def __init__(self, url):
        self._where = urllib.parse.urlsplit(url)
        self.fault, self.accepted = "", 0
        door = self

        class DoorHandler(Handler):
            def do_GET(self):
                door.pass_on(self)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET

        self._server, self.url = serve(DoorHandler)

    def pass_on(self, request):
        body = request.body()
        write = request.command not in ("GET", "HEAD") and not request.path.startswith(NO_WRITES)
        fault = self.fault if write else ""
        if fault == "reset_before_accept":
            return reset(request)
        if fault == "server_error":
            return request.answer(503, b"the server is busy", [("Content-Type", "text/plain")])
        connection = http.client.HTTPConnection(self._where.hostname, self._where.port, timeout=60)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "connection", "expect")}
        connection.request(request.command, request.path, body, {**headers, "Host": self._where.netloc, "Connection": "close"})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if write and answer.status < 300:
            self.accepted += 1
            if fault == "accept_then_reset":
                return reset(request)
            if fault == "accept_then_504":
                return request.answer(504, b"the answer took too long", [("Content-Type", "text/plain")])
            if fault == "garbage":
                return request.answer(200, b"<html>nobody knows</html>", [("Content-Type", "text/html")])
        hop = ("connection", "transfer-encoding", "content-length", "keep-alive", "date", "server")
        return request.answer(answer.status, content, [(n, v) for n, v in answer.getheaders() if n.lower() not in hop])


def reset(request):
    """The connection ends with RST, and nobody knows why."""
    request.close_connection = True
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.rfile.close()
    request.connection.close()


class Control:
    """`servers`: {network: a started parvis_local.real.RealServer}."""

    def __init__(self, servers):
        self._servers = servers
        self._doors = {network: Door(server.account()["base_url"]) for network, server in servers.items()}
        control = self

        class ControlHandler(Handler):
            def do_POST(self):
                try:
                    path = urllib.parse.urlsplit(self.path).path.removeprefix("/control/")
                    result = control.ask(self.command, path, json.loads(self.body() or b"{}"))
                    status = 404 if result is None else 200
                except (StartError, KeyError, ValueError, OSError, http.client.HTTPException) as problem:
                    status, result = 400, {"error": f"{type(problem).__name__}: {problem}"}
                self.answer(status, json.dumps(result).encode(), [("Content-Type", "application/json")])

            do_GET = do_DELETE = do_POST

        self._server, self.url = serve(ControlHandler)

    def ask(self, method, path, body):
        """What is answered; None for what only the sandbox can do."""
        if (method, path) == ("POST", "accounts"):
            server = self._servers[body["network"]]
            return {**server.connector_credentials(), "network": body["network"], "remote_id": server.account()["remote_id"],
                    "base_url": self._doors[body["network"]].url}
        if (method, path) == ("POST", "comments"):
            return {"remote_id": self._servers[body["network"]].comment_of_stranger(body["parent"], body["text"])}
        if method == "POST" and path.startswith("comments/"):   # as the sandbox: whatever it is, it has this text now
            _, network, remote_id = path.split("/")
            self._servers[network].change_post(remote_id, body["text"])
            return {}
        if (method, path) == ("POST", "faults") and body["kind"] in FAULTS:
            self._doors[body["network"]].fault = body["kind"]
            return {}
        if (method, path) == ("DELETE", "faults"):
            for door in self._doors.values():
                door.fault = ""
            return {}
        if (method, path) == ("GET", "journal/summary"):
            return {"counts": [row for network in self._servers for row in self.counts(network)]}
        return {} if path == "limits" else None

    def counts(self, network):
        """How often the server took what from us: by its journal; of what that does not show, all that went through the door."""
        server = self._servers[network]
        counted = collections.Counter(entry["kind"] for entry in server.our_writes())
        row = {"network": network, "account": server.account()["remote_id"], "by": "us"}
        # The names of write kinds: services/networks/connector.h.
        for kind in ("post", "reply", "private_reply", "hide", "unhide", "approve", "spam", "delete", "ban", "unban", "mute", "unmute",
                     "report", "lock", "unlock"):
            yield {**row, "kind": kind, "count": counted[kind] if kind in server.JOURNALLED else self._doors[network].accepted}


def environment(servers, control):
    """What the tests of this folder look for."""
    found = dict(os.environ, PARVIS_SERVERS=control.url)
    if "ghost" in servers:
        info = servers["ghost"].info
        found.update(PARVIS_GHOST_URL=info["url"], PARVIS_GHOST_KEY=info["admin_key"], PARVIS_GHOST_MEMBER=info["member_id"],
                     PARVIS_GHOST_FAN=info["fan_id"])
    return found


def main():
    names, folder, command = sys.argv[1].split(","), sys.argv[2], sys.argv[3:]
    servers, status = {}, 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(1))
    try:
        for name in names:
            server = networks.real_server(name)(os.path.join(folder, name), lambda text: print(f"  {text}", flush=True))
            servers[name] = server
            server.hurried()
            server.start()
        status = subprocess.run(command, env=environment(servers, Control(servers)), check=False).returncode
    except (StartError, networks.NoRealServer) as problem:
        print(f"error: {problem}", file=sys.stderr)
    finally:
        for server in servers.values():
            server.stop()
    return status


if __name__ == "__main__":
    sys.exit(main())
