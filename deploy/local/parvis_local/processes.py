"""Child processes that end with us: started in order, stopped in reverse, never left behind."""

import ctypes
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

_libc = ctypes.CDLL("libc.so.6", use_errno=True)
_PR_SET_PDEATHSIG = 1


class StartError(Exception):
    """Something did not start; the message says what, why and where its log is."""


def free_port(preferred=0):
    """A free loopback port: `preferred` when it is free, else any.

    Not one of those that outgoing connections get (32768 and up on Linux): between this look and the listening, one of them
    could be given away.
    """
    for port in (preferred or None, *random.SystemRandom().sample(range(15_000, 32_000), 20), 0):
        if port is None:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return probe.getsockname()[1]
            except OSError:
                continue
    raise StartError("no free port on 127.0.0.1")


def kept_port(folder):
    """A free loopback port that stays the same between starts while it is free: it is part of the addresses that others keep."""
    path, last = os.path.join(folder, "port"), 0
    if os.path.exists(path):
        with open(path, encoding="ascii") as file:
            last = int(file.read().strip() or 0)
    port = free_port(last)
    with open(path, "w", encoding="ascii") as file:
        file.write(str(port))
    return port


def wait_until(condition, seconds, what, interval=0.05):
    """Waits for condition() to be true; StartError naming `what` when it is not within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(interval)
    raise StartError(f"{what}: not within {seconds} s")


def listens(port):
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def serve(server):
    """Runs a server until SIGTERM, Ctrl-C or the end of standard input; prints what there is to know of it as JSON."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        server.start()
        print(json.dumps(server.info), flush=True)
        threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
        stop.wait()
    except StartError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    finally:
        server.stop()
    return 0


class Child:
    """One child process with its log file. `stop_signal` asks it to end in an orderly way."""

    def __init__(self, name, command, log, env=None, cwd=None, stop_signal=signal.SIGTERM, user=None, pass_fds=()):
        self.name, self.command, self.log_path = name, command, log
        self._env, self._cwd, self._user, self._fds = env, cwd, user, pass_fds
        self._stop_signal = stop_signal
        self.process = None

    def start(self):
        parent = os.getpid()

        def prepare():
            os.setsid()  # a group of its own: Ctrl-C reaches us alone, and we stop the children in order
            if self._user is not None:
                os.setgroups([])
                os.setgid(self._user.pw_gid)
                os.setuid(self._user.pw_uid)
            # After setuid: changing credentials clears it (prctl(2)).
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self._env,
                                            cwd=self._cwd, preexec_fn=prepare, pass_fds=self._fds)
        return self

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process is not None and self.process.poll() is None

    def check(self):
        if not self.running():
            status = self.process.returncode if self.process else "never started"
            raise StartError(f"{self.name} ended (status {status}); its log: {self.log_path}\n{self.tail()}")
        return True

    def tail(self, lines=8):
        try:
            with open(self.log_path, "rb") as log:
                return b"\n".join(log.read()[-8000:].splitlines()[-lines:]).decode(errors="replace")
        except OSError:
            return ""

    def signal(self, number):
        if self.running():
            os.kill(self.process.pid, number)

    def signal_all(self, number):
        """To the process and all below it, whichever groups they have made for themselves."""
        def below(pid):
            yield pid
            try:
                with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
                    children = file.read().split()
            except OSError:
                return
            for child in children:
                yield from below(int(child))

        for pid in list(below(self.process.pid)):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def kill(self):
        """SIGKILL to the whole group, as a power cut would."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()

    def stop(self, seconds=25):
        """Asks, waits, then kills. True when it ended by itself."""
        if not self.running():
            return True
        self.signal(self._stop_signal)
        try:
            self.process.wait(seconds)
            orderly = True
        except subprocess.TimeoutExpired:
            orderly = False
        self.kill()
        return orderly
