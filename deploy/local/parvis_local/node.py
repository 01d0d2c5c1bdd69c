"""Node.js in the version that the real servers want, and what npm brings for them: each once, in the checkout's cache."""

import os
import platform
import shutil
import subprocess

from .processes import StartError

VERSION = "22.23.3"
ARCHITECTURES = {"x86_64": "x64", "aarch64": "arm64"}


def fetch(root, name, make):
    """The folder .cache/NAME; make(folder) fills it the first time. A half-filled one is never taken for a whole one."""
    folder = os.path.join(root, ".cache", name)
    if os.path.isdir(folder):
        return folder
    part = f"{folder}.part-{os.getpid()}"
    shutil.rmtree(part, ignore_errors=True)
    os.makedirs(part)
    try:
        make(part)
        os.rename(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


class Node:
    """`binary` is the program; run() is for package managers, which write below the cache and nowhere else."""

    def __init__(self, root, say=print):
        self._root, self._say = root, say
        machine = platform.machine()
        if machine not in ARCHITECTURES:
            raise StartError(f"there is no Node.js {VERSION} for {machine}; it is for {', '.join(ARCHITECTURES)}")
        self._package = f"node-linux-{ARCHITECTURES[machine]}"
        if shutil.which("npm") is None:
            raise StartError("npm is missing; apt-get install npm")

        def bring(part):
            say(f"Node.js {VERSION}, once")
            self._tool(part, "npm", "install", "--prefix", part, "--ignore-scripts", f"{self._package}@{VERSION}")

        self.folder = os.path.join(fetch(root, f"node-{VERSION}", bring), "node_modules", self._package)
        self.binary = os.path.join(self.folder, "bin", "node")

    def run(self, folder, *command):
        """In `folder`, with this Node.js before any other, and its headers for what has to be compiled."""
        environment = {"PATH": os.path.join(self.folder, "bin") + os.pathsep + os.environ["PATH"], "npm_config_nodedir": self.folder}
        return self._tool(folder, *command, environment=environment)

    def _tool(self, folder, *command, environment=None):
        cache = os.path.join(self._root, ".cache")
        quiet = {"npm_config_cache": os.path.join(cache, "npm"), "npm_config_store_dir": os.path.join(cache, "pnpm-store"),
                 "npm_config_audit": "false", "npm_config_fund": "false", "npm_config_update_notifier": "false", "CI": "1"}
        done = subprocess.run(command, cwd=folder, env=dict(os.environ, **quiet, **(environment or {})), capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise StartError(f"{' '.join(command[:3])} failed: {(done.stdout + done.stderr).strip()[-1200:]}")
        return done.stdout
