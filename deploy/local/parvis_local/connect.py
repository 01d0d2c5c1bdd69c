"""A small client of the Connect protocol (https://connectrpc.com/docs/protocol): unary JSON, and server streams."""

import http.client
import json
import struct
import threading
import urllib.parse
import uuid


class ConnectError(Exception):
    def __init__(self, status, code, message, details=()):
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message, self.details = status, code, message, details

    @property
    def reason(self):
        """The REASON of google.rpc.ErrorInfo, or ""."""
        for detail in self.details:
            if detail.get("type") == "google.rpc.ErrorInfo":
                return (detail.get("debug") or {}).get("reason", "")
        return ""


def _error(status, body):
    try:
        parsed = json.loads(body)
        return ConnectError(status, parsed.get("code", str(status)), parsed.get("message", ""), parsed.get("details", ()))
    except (ValueError, AttributeError):
        return ConnectError(status, str(status), body[:300].decode(errors="replace"))


class Client:
    """Calls through the gateway with one bearer key. Thread-safe: one connection a thread."""

    def __init__(self, url, key, timeout=30):
        self.url, self.key, self.timeout = url, key, timeout
        self._at = urllib.parse.urlsplit(url)
        self._local = threading.local()

    def with_key(self, key):
        return Client(self.url, key, self.timeout)

    def call(self, method, request, retry=True):
        """One unary call; `method` is "inbox.v1.InboxService/Reply". Raises ConnectError."""
        headers = {"Content-Type": "application/json", "Connect-Protocol-Version": "1",
                   "Connect-Timeout-Ms": str(self.timeout * 1000), "Authorization": f"Bearer {self.key}"}
        for attempt in (1, 2):
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = self._local.connection = http.client.HTTPConnection(self._at.hostname, self._at.port,
                                                                                 timeout=self.timeout)
            try:
                connection.request("POST", f"/parvis.{method}", json.dumps(request).encode(), headers)
                answer = connection.getresponse()
                body = answer.read()
                break
            except (OSError, http.client.HTTPException) as failure:
                connection.close()
                self._local.connection = None
                if attempt == 2 or not retry:
                    raise ConnectError(0, "unavailable", f"{type(failure).__name__}: {failure}") from failure
        if answer.status != 200:
            raise _error(answer.status, body)
        return json.loads(body)

    def pages(self, method, request, field, page_size=200):
        """Every item of a List method."""
        token = ""
        while True:
            answer = self.call(method, dict(request, pageSize=page_size, pageToken=token))
            yield from answer.get(field, [])
            token = answer.get("nextPageToken", "")
            if not token:
                return

    def stream(self, method, request, on_message, stop):
        """Reads a server stream until it ends or stop() is true; raises ConnectError when it ends with an error."""
        connection = http.client.HTTPConnection(self._at.hostname, self._at.port, timeout=1)
        body = json.dumps(request).encode()
        connection.request("POST", f"/parvis.{method}", struct.pack(">BI", 0, len(body)) + body,
                           {"Content-Type": "application/connect+json", "Connect-Protocol-Version": "1",
                            "Authorization": f"Bearer {self.key}"})
        connection.sock.settimeout(10)
        answer = connection.getresponse()
        if answer.status != 200:
            raise _error(answer.status, answer.read())
        connection.sock.settimeout(0.5)
        buffer = b""
        while not stop():
            try:
                part = answer.read1(65536)
            except TimeoutError:
                continue
            if not part:
                break
            buffer += part
            while len(buffer) >= 5:
                flags, size = struct.unpack(">BI", buffer[:5])
                if len(buffer) < 5 + size:
                    break
                payload, buffer = json.loads(buffer[5:5 + size] or b"{}"), buffer[5 + size:]
                if flags & 2:
                    if "error" in payload:
                        raise ConnectError(200, payload["error"].get("code"), payload["error"].get("message", ""))
                    return
                on_message(payload)
        connection.close()


def new_id():
    """A request id (AIP-155)."""
    return str(uuid.uuid4())
