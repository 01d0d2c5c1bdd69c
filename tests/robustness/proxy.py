"""A small TCP proxy on loopback that breaks connections in the ways networks break them; no root and no kernel module needed.

Every setting can be changed while connections are open and takes effect with the next bytes. What is held back by a blackhole
is sent on when it heals, as TCP itself would send it again; a side that has given up meanwhile is only told then.
"""

import asyncio
import socket
import struct
import threading

TO_SERVER, TO_CLIENT = "to_server", "to_client"
CHUNK = 65536
SLICED = 1024   # bytes at the beginning of each chunk: the heads of frames are what parsers stumble over


class Proxy:
    """Listens on `port` of 127.0.0.1 and connects to `target`, a port that may be set later. Thread-safe."""

    def __init__(self, name, target=0):
        self.name, self.target = name, target
        self.delay = 0.0            # seconds that each chunk waits, in both directions
        self.slice = 0              # bytes at once, for the first SLICED of each chunk; 0: as they come
        self.flows = {TO_SERVER: True, TO_CLIENT: True}   # False: a blackhole for that direction
        self.commits_to_drop = 0    # so many COMMITs reach the server and their answer never comes back
        self.resets_to_do = 0       # so many chunks are cut in the middle, then both sides get a reset
        self.commits_dropped = self.resets_done = self.connections = self.bytes = 0
        self._loop = asyncio.new_event_loop()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(128)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._open = set()
        self._thread = threading.Thread(target=self._run, name=f"proxy {name}", daemon=True)
        self._thread.start()

    # ---- faults ---------------------------------------------------------------------------------------------------

    def blackhole(self, *directions):
        """Nothing passes any more; without arguments both ways."""
        for direction in directions or (TO_SERVER, TO_CLIENT):
            self.flows[direction] = False

    def heal(self):
        """Everything passes again, what was held back first."""
        self.delay, self.slice, self.commits_to_drop, self.resets_to_do = 0.0, 0, 0, 0
        self.flows.update({TO_SERVER: True, TO_CLIENT: True})

    def reset_all(self):
        """Every open connection is reset, both sides."""
        self._loop.call_soon_threadsafe(lambda: [pair.reset() for pair in list(self._open)])

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._listener.close()

    # ---- the loop's thread ----------------------------------------------------------------------------------------

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.create_task(self._accept())
        self._loop.run_forever()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _accept(self):
        while True:
            client, _ = await self._loop.sock_accept(self._listener)
            client.setblocking(False)
            self._loop.create_task(self._serve(client))

    async def _serve(self, client):
        server = socket.socket()
        server.setblocking(False)
        pair = Pair(self, client, server)
        self._open.add(pair)
        self.connections += 1
        try:
            # A connection cannot be made through a blackhole either.
            await pair.passable(TO_SERVER)
            await self._loop.sock_connect(server, ("127.0.0.1", self.target))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair.pumps = [self._loop.create_task(pair.pump(TO_SERVER, client, server)),
                          self._loop.create_task(pair.pump(TO_CLIENT, server, client))]
            await asyncio.gather(*pair.pumps)
        except (OSError, asyncio.CancelledError):
            pair.reset()   # refused, or one side is gone: the other is to learn it at once
        finally:
            # A pump that is cancelled lets go of its socket first.
            await asyncio.gather(*pair.pumps, return_exceptions=True)
            self._open.discard(pair)
            client.close()
            server.close()


class Pair:
    """One proxied connection."""

    def __init__(self, proxy, client, server):
        self._proxy, self._client, self._server = proxy, client, server
        self._drop_answer = self._dead = False
        self.pumps = []

    def reset(self):
        """Both pumps end, and _serve closes the sockets: with a linger time of 0 that is a RST."""
        self._dead = True
        for end in (self._client, self._server):
            if end.fileno() >= 0:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for pump in self.pumps:
            pump.cancel()

    async def passable(self, direction):
        # The proxy is the thing that is waited with: nothing to be told of, and a look every 10 ms costs nothing.
        while not self._proxy.flows[direction] and not self._dead:
            await asyncio.sleep(0.01)

    async def pump(self, direction, source, sink):
        proxy, loop = self._proxy, asyncio.get_running_loop()
        while not self._dead:
            data = await loop.sock_recv(source, CHUNK)
            if proxy.delay:
                await asyncio.sleep(proxy.delay)
            await self.passable(direction)
            if not data:
                sink.shutdown(socket.SHUT_WR)
                return
            proxy.bytes += len(data)
            if proxy.resets_to_do > 0 and len(data) > 1:
                proxy.resets_to_do -= 1
                proxy.resets_done += 1
                await loop.sock_sendall(sink, data[:len(data) // 2])
                raise ConnectionResetError
            if direction == TO_CLIENT and self._drop_answer:
                proxy.commits_dropped += 1
                raise ConnectionResetError   # the server has done it; nobody will hear of it
            if direction == TO_SERVER and proxy.commits_to_drop > 0 and b"COMMIT\0" in data:
                proxy.commits_to_drop -= 1
                self._drop_answer = True
            await self._send(sink, data)

    async def _send(self, sink, data):
        loop, size = asyncio.get_running_loop(), self._proxy.slice
        if not size:
            return await loop.sock_sendall(sink, data)
        for at in range(0, min(SLICED, len(data)), size):
            await loop.sock_sendall(sink, data[at:min(SLICED, at + size)])
            if at % 64 == 0:
                await asyncio.sleep(0)   # the other connections' turn
        if len(data) > SLICED:
            await loop.sock_sendall(sink, data[SLICED:])
