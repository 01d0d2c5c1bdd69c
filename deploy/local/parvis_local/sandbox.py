"""The sandbox's control API (services/sandbox/README.md) as the main job and the tests use it."""

import json
import urllib.error
import urllib.request

from .processes import StartError


class Sandbox:
    """Stands for everybody outside: it makes accounts, lets the audience speak, and keeps the journal that judges."""

    def __init__(self, cluster, blog=None):
        self._cluster, self._blog = cluster, blog
        self._configured = False

    def control(self, method, path, body=None):
        request = urllib.request.Request(f"{self._cluster.sandbox_url}/control/{path}", method=method,
                                         data=json.dumps(body).encode() if body is not None else None,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.read()
        except urllib.error.HTTPError as refused:
            raise StartError(f"sandbox refused {path}: {refused.read()[:300].decode(errors='replace')}") from refused

    def journal(self):
        """Every entry, oldest first."""
        after, entries = 0, []
        while True:
            lines = self.control("GET", f"journal?after={after}&limit=5000").splitlines()
            if not lines:
                return entries
            entries += [json.loads(line) for line in lines]
            after = entries[-1]["seq"]
