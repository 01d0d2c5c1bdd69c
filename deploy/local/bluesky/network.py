#!/usr/bin/python3
"""A real Bluesky network on this machine: PDS, AppView and PLC directory (npm @atproto/dev-env), with PostgreSQL and Redis.

    deploy/local/bluesky/network.py FOLDER

prints one line of JSON (url of the PDS, version, pid), serves until SIGTERM, SIGINT or the end of its standard input, and leaves
nothing running. These servers listen on every interface; so they, their PostgreSQL and their Redis run in a network namespace of
their own, into which one port of this machine's loopback leads. The directory of accounts is in memory: each start is a network
without people. The first start of a checkout brings Node.js and the servers into .cache.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, os.path.dirname(HERE))

from parvis_local import own_net  # noqa: E402
from parvis_local.node import Node, fetch  # noqa: E402
from parvis_local.postgres import Postgres  # noqa: E402
from parvis_local.processes import Child, StartError, kept_port, listens, wait_until  # noqa: E402

VERSION = "0.6.7"
REDIS = "/usr/bin/redis-server"
READY_SECONDS = 180   # the first start makes the AppView's tables


def fetch_servers(node, say):
    def bring(part):
        say(f"the Bluesky servers (@atproto/dev-env {VERSION}), once; it takes some minutes")
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(HERE, name), part)
        node.run(part, "npm", "ci", "--omit=dev")

    return fetch(ROOT, f"bluesky-{VERSION}", bring)


class AppViewPostgres(Postgres):
    def _create_roles(self):
        """No services of ours are here."""

    def url(self):
        with open(os.path.join(self.folder, "superuser-password"), encoding="ascii") as file:
            return f"postgres://postgres:{file.read()}@127.0.0.1:{self.port}/bluesky"


class Network:
    """start() to stop(), inside the namespace."""

    def __init__(self, folder, node, package, port):
        self._folder, self._node, self._package, self._port = folder, node, package, port
        self._children = []
        self._postgres = None

    def start(self):
        self._postgres = AppViewPostgres(os.path.join(self._folder, "postgres"), fsync=False)
        self._postgres.start()
        # What the AppView knows is of accounts that no directory knows any more.
        self._postgres.psql("DROP DATABASE IF EXISTS bluesky", database="postgres")
        self._postgres.psql("CREATE DATABASE bluesky", database="postgres")
        self._child("redis", [REDIS, "--bind", "127.0.0.1", "--port", "6379", "--save", "", "--appendonly", "no", "--dir", self._folder])
        wait_until(lambda: self._check() and listens(6379), 20, "Redis listens")
        scratch = os.path.join(self._folder, "scratch")   # of the PDS: accounts and repositories
        shutil.rmtree(scratch, ignore_errors=True)
        os.makedirs(scratch)
        script = os.path.join(self._package, "network.mjs")
        shutil.copy(os.path.join(HERE, "network.mjs"), script)
        log = self._child("servers", [self._node.binary, script], dict(
            os.environ, TMPDIR=scratch, DB_POSTGRES_URL=self._postgres.url(), REDIS_HOST="127.0.0.1", LOG_ENABLED="false",
            PARVIS_PDS_PORT=str(self._port), PARVIS_APPVIEW_PORT="2584", PARVIS_PLC_PORT="2582")).log_path
        wait_until(lambda: self._check() and self._said(log), READY_SECONDS, f"the Bluesky servers (log: {log})", 0.3)

    def _child(self, name, command, environment=None):
        log = os.path.join(self._folder, f"{name}.log")
        if os.path.exists(log):
            os.remove(log)
        self._children.append(Child(name, command, log, env=environment, cwd=self._folder).start())
        return self._children[-1]

    def _check(self):
        return all(child.check() for child in self._children)

    @staticmethod
    def _said(log):
        with open(log, "rb") as file:
            return b"\nPARVIS {" in b"\n" + file.read()

    def stop(self):
        for child in reversed(self._children):
            child.stop(10)
            child.kill()
        if self._postgres:
            self._postgres.stop()


async def serve(network, door, info):
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await door.open()
    print(json.dumps(info), flush=True)
    await loop.connect_read_pipe(lambda: EndOfInput(stop), sys.stdin)
    await stop.wait()


class EndOfInput(asyncio.Protocol):
    def __init__(self, stop):
        self._stop = stop

    def connection_lost(self, _):
        self._stop.set()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    folder = os.path.abspath(parser.parse_args().folder)
    os.makedirs(folder, mode=0o755, exist_ok=True)
    network = None
    try:
        if not os.path.exists(REDIS):
            raise StartError(f"{REDIS} is missing; apt-get install redis-server")
        node = Node(ROOT, lambda text: print(text, file=sys.stderr, flush=True))
        package = fetch_servers(node, lambda text: print(text, file=sys.stderr, flush=True))
        began = time.monotonic()
        door = own_net.Door(kept_port(folder))
        own_net.enter()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sys.exit(1))
        network = Network(folder, node, package, door.port)
        network.start()
        asyncio.run(serve(network, door, {"url": f"http://127.0.0.1:{door.port}", "version": VERSION, "pid": os.getpid(),
                                          "seconds": round(time.monotonic() - began, 1)}))
    except StartError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    finally:
        if network:
            network.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
