"""A network namespace of our own, for servers that listen on every interface; and doors into it from this machine's loopback."""

import asyncio
import ctypes
import errno
import fcntl
import os
import socket
import struct
import subprocess
import sys

from .processes import StartError

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1
_libc = ctypes.CDLL("libc.so.6", use_errno=True)


def enter():
    """Moves this process, while it has one thread, into a new network that has nothing but its own loopback.

    As root, or where the kernel lets every user make namespaces (network_namespaces(7), user_namespaces(7)).
    """
    user, group = os.geteuid(), os.getegid()
    if _libc.unshare(_CLONE_NEWNET) != 0:
        if user == 0 or _libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
            raise StartError("no network namespace can be made here (unshare: " + errno.errorcode.get(ctypes.get_errno(), "?") + "), and "
                             "these servers listen on every interface: run as root, or allow user namespaces "
                             "(sysctl kernel.unprivileged_userns_clone=1)")
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = fcntl.ioctl(any_socket, _SIOCGIFFLAGS, struct.pack("16sh22x", b"lo", 0))
        flags = struct.unpack("16sh22x", request)[1]
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | _IFF_UP))


def check():
    """StartError when enter() would fail; asked in a process of its own."""
    asked = subprocess.run([sys.executable, "-c", "import sys\nsys.path.insert(0, sys.argv[1])\nfrom parvis_local import own_net\n"
                            "try:\n  own_net.enter()\nexcept own_net.StartError as problem:\n  sys.exit(str(problem))",
                            os.path.dirname(os.path.dirname(os.path.abspath(__file__)))], capture_output=True, text=True, check=False)
    if asked.returncode:
        raise StartError(asked.stderr.strip().splitlines()[-1])


class Door:
    """One port of this machine's loopback that leads to the same port inside. Made before enter(): a socket stays in the network
    in which it was made, so whoever listens on it from inside is reached from outside."""

    def __init__(self, port):
        self.port = port
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))

    async def open(self):
        return await asyncio.start_server(self._pass_on, sock=self._socket)

    async def _pass_on(self, reader, writer):
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.transport.abort()
            return
        try:
            await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))
        except asyncio.CancelledError:
            """The loop ends, and with it what was under way."""
        for one in (writer, inner_writer):
            one.close()


async def _pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.transport.abort()
