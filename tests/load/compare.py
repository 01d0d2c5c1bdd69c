"""This checkout's bench binaries against those of another revision: one slice of each in turn.

The other revision is checked out and built below .parvis/compare; what it does not have yet is left out. Both builds
get the same questions, and each has its own database or broker.
"""

import os
import subprocess

from binary import BenchBinary

# name -> (binary, arguments, side, unit, less is better)
BINARIES = {
    "assess": ("parvis-assess-bench", [], "ours", "/s", False),
    "fold": ("parvis-fold-bench", ["--stored=100000"], "ours", "/s", False),
    "unary": ("parvis-rpc-bench", [], "ours", "/s", False),
    "batch": ("parvis-rpc-bench", [], "batched", "/s", False),
    "produce": ("parvis-produce-bench", None, "ours", "/s", False),
    "ledger": ("parvis-ledger-bench", [], "ours", "/s", False),
    "page": ("parvis-page-bench", ["--stored=200000"], "ours", "µs", True),
    "poll": ("parvis-poll-bench", [], "ours", "/s", False),
    "watch": ("parvis-watch-bench", ["--watchers=200"], "ours", "µs", True),
    "metrics": ("parvis-metrics-bench", ["--facts=100000"], "ours", "/s", False),
}


def _run(command, folder, what):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{what} failed: {(done.stdout + done.stderr)[-600:]}")
    return done.stdout.strip()


def _checkout(root, revision):
    """A worktree of the revision; an old one of it is used again."""
    commit = _run(["git", "rev-parse", "--verify", f"{revision}^{{commit}}"], root, "git rev-parse")
    folder = os.path.join(root, ".parvis/compare", commit[:12])
    if not os.path.exists(os.path.join(folder, "CMakeLists.txt")):
        _run(["git", "worktree", "prune"], root, "git worktree prune")
        _run(["git", "worktree", "add", "--detach", "--force", folder, commit], root, "git worktree add")
    for shared in (".cache",):  # Kafka's jars and the compiler's cache
        if not os.path.lexists(os.path.join(folder, shared)):
            os.symlink(os.path.join(root, shared), os.path.join(folder, shared))
    return folder


def _build(bench, folder, wanted):
    """Builds those of the wanted binaries that the revision has; returns their names."""
    bench.show.step(f"building {os.path.basename(folder)}")
    _run(["cmake", "--preset", "release"], folder, "cmake")
    build = os.path.join(folder, "build/release")
    targets = _run(["ninja", "-C", build, "-t", "targets", "all"], folder, "ninja")
    known = {line.split(":")[0].rsplit("/", 1)[-1] for line in targets.splitlines()}
    found = sorted({binary for binary in wanted if binary in known})
    if found:
        _run(["ninja", "-C", build, *found], folder, "ninja")
    return found


def _pair(bench, name, folder):
    binary, arguments, side, unit, less = BINARIES[name]
    if arguments is None:  # it needs a broker of its own
        arguments = [f"--brokers={bench.kafka().brokers}", f"--topic={bench.topic('compare')}"]
    with BenchBinary(bench.build, binary, arguments, bench.root) as ours, \
            BenchBinary(os.path.join(folder, "build/release"), binary, arguments, folder) as theirs:
        bench.pair(f"{name}: now / {os.path.basename(folder)}", ours.side(side), theirs.side(side), unit=unit,
                   less_is_better=less)


def compare(bench, revision):
    """Returns the names of what could not be compared."""
    folder = _checkout(bench.root, revision)
    names = bench.options.only or list(BINARIES)
    found, failed = _build(bench, folder, [BINARIES[name][0] for name in names]), []
    for name in names:
        if BINARIES[name][0] not in found:
            bench.show.step(f"{name}: that revision has no {BINARIES[name][0]}")
            continue
        try:
            _pair(bench, name, folder)
        except (RuntimeError, FileNotFoundError, ValueError) as error:
            bench.show.step(f"{name} failed: {error}")
            failed.append(name)
    return failed
