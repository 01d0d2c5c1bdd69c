"""A bench binary: it reads the name of a side a line ("ours", "against"), measures one slice and answers one figure a line.

"notes" is answered with one line of JSON: what else it has found. See services/platform/testing/bench.h.
"""

import json
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class BenchBinary:
    """Runs as long as it is the context of a `with`. `root`: the checkout whose files it reads."""

    def __init__(self, build, name, arguments=(), root=ROOT):
        self.path, self._arguments, self._root = os.path.join(build, "bin", name), [str(a) for a in arguments], root
        self._process = None

    def __enter__(self):
        if not os.path.exists(self.path):
            raise FileNotFoundError(f"{self.path} is not built: scripts/bench builds it")
        self._process = subprocess.Popen([self.path, *self._arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True, cwd=self._root)
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ask(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{os.path.basename(self.path)} ended while asked for {line!r} (status {self._process.wait()})")
        return answer

    def side(self, name):
        """A function that measures one slice of this side."""
        return lambda: float(self._ask(name))

    def notes(self):
        return json.loads(self._ask("notes"))

    def text(self, line):
        """The answer to a question that is not a figure."""
        return self._ask(line).strip()
