"""The ledger's claim and complete against graphile-worker (npm) with its own batching, on the same PostgreSQL."""

import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
JOBS = 10_000


def _install(root):
    """graphile-worker in the version of tests/load/graphile/package.json, below .parvis."""
    folder = os.path.join(root, ".parvis/graphile")
    os.makedirs(folder, exist_ok=True)
    wanted = os.path.join(HERE, "graphile/package.json")
    have = os.path.join(folder, "package.json")
    with open(wanted, encoding="utf-8") as file:
        text = file.read()
    if not (os.path.exists(os.path.join(folder, "node_modules/graphile-worker")) and os.path.exists(have)
            and open(have, encoding="utf-8").read() == text):
        shutil.copy(wanted, have)
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"], cwd=folder,
                              capture_output=True, text=True, check=False)
        if done.returncode:
            os.remove(have)
            raise RuntimeError(f"npm could not bring graphile-worker: {(done.stdout + done.stderr)[-400:]}")
    return folder


class Graphile:
    """One node process that runs slices."""

    def __init__(self, folder, port):
        self._node = subprocess.Popen(["node", os.path.join(HERE, "graphile/worker.js"), str(port)], cwd=folder,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def slice(self):
        """Jobs per second."""
        self._node.stdin.write(f"{JOBS}\n")
        self._node.stdin.flush()
        answer = self._node.stdout.readline()
        if not answer:
            raise RuntimeError(f"graphile-worker ended (status {self._node.wait()})")
        return float(answer)

    def stop(self):
        self._node.stdin.close()
        self._node.wait(30)


def ledger(bench):
    """4,000 due deliveries a slice against 10,000 jobs, each about a second or less."""
    folder = _install(bench.root)
    with bench.binary("parvis-ledger-bench") as process:
        graphile = Graphile(folder, process.notes()["port"])
        try:
            bench.pair("ledger: claim + complete / graphile-worker, batched", process.side("ours"), graphile.slice, 5,
                       seconds=bench.seconds / 2)
            if not bench.quick:
                bench.pair("ledger: claim + intent + complete / the same", process.side("intent"), graphile.slice,
                           seconds=bench.seconds / 2)
        finally:
            graphile.stop()
