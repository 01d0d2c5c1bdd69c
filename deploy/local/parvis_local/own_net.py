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

    def __init__(self, port, answer_s=60):
        """answer_s: how long an answer may take once who asks has closed their half, or the other way round."""
        self.port, self._answer_s = port, answer_s
        self.under_way = set()  # asyncio itself forgets the task of a connection that is lost, even while it waits
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))

    async def open(self):
        return await asyncio.start_server(self._take, sock=self._socket)

    def _take(self, reader, writer):
        task = asyncio.get_running_loop().create_task(self._pass_on(reader, writer))
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    async def _pass_on(self, reader, writer):
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.transport.abort()
            return
        halves = [asyncio.ensure_future(_pump(reader, inner_writer)), asyncio.ensure_future(_pump(inner_reader, writer))]
        whole = False
        try:
            done, _ = await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
            if all(half.result() for half in done):
                done, _ = await asyncio.wait(halves, timeout=self._answer_s)
                whole = len(done) == len(halves)
        finally:
            for half in halves:
                half.cancel()
            for one in (writer, inner_writer):
                if whole:
                    one.close()
                else:
                    one.transport.abort()


async def _pump(reader, writer):
    """True at the end of what is read, False when one of the two is lost."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
        return True
    except OSError:
        return False
