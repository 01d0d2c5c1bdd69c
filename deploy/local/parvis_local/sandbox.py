"""The sandbox's control API (services/sandbox/README.md) as the main job and the tests use it."""

import json
import urllib.error
import urllib.request

from .processes import StartError


class Sandbox:
    """Stands for everybody outside: it makes accounts, lets the audience speak, and keeps the journal that judges."""

    def __init__(self, cluster, blog=None, seed=1, push=None):
        """`push`: settings of the webhook targets beside the usual ones."""
        self._cluster, self._blog, self.seed, self._push = cluster, blog, seed, push or {}
        self._configured = False
        self._audiences = []
        self.accounts = []

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

    def _configure_webhooks(self):
        """Tells the simulated networks where our webhooks are and which secrets they were registered with."""
        if self._configured:
            return
        base, secret = f"http://{self._cluster.address('ingestion_http')}/webhooks", self._cluster.secret_file
        self.control("POST", "webhooks", {
            "network": "facebook", "url": f"{base}/facebook", "app_secret_file": secret("facebook_app_secret"),
            "verify_token_file": secret("facebook_verify_token"), "duplicate_ratio": 0.02, "batch_max": 50, **self._push})
        self.control("POST", "webhooks", {
            "network": "x", "url": f"{base}/x", "consumer_secret_file": secret("x_consumer_secret"),
            "duplicate_ratio": 0.02, "batch_max": 50, **self._push})
        # All limits are the networks' own but one: X lets a user hide 50 replies in 15 minutes, and the audience insults us
        # more often than that within seconds. What waits for the next window is kept, but a run must see the end of it.
        self.control("POST", "limits", {"network": "x", "endpoint": "tweets.hidden", "limit": 5000})
        self._configured = True

    def create_account(self, network, name):
        """A Page, a user or a blog; what ConnectChannel needs of it is under "credentials" and "site_url"."""
        self._configure_webhooks()
        made = json.loads(self.control("POST", "accounts", {"network": network, "name": name}))
        fields = ("username", "application_password") if network == "wordpress" else ("access_token",)
        made["credentials"] = {field: made[field] for field in fields}
        if network == "wordpress":
            made["site_url"] = made["base_url"]
        self.accounts.append({"network": network, "id": made["remote_id"]})
        return made

    def start_audience(self, count, texts=None, rate=0, plain=False, networks=None):
        """Lets `count` comments be written below the posts that are out; `rate` a second, 0 for as fast as they go."""
        plan = {"seed": self.seed, "count": count, "rate": rate,
                "accounts": [a for a in self.accounts if networks is None or a["network"] in networks]}
        if not plain:
            plan.update(edit_ratio=0.02, removal_ratio=0.02)
        else:
            plan.update(edit_ratio=0, removal_ratio=0)
        if texts:
            plan["texts"] = texts
        self._audiences.append(json.loads(self.control("POST", "audiences", plan))["id"])
        if self._blog:
            self._blog.start_audience(count // 10, texts)

    def audience_status(self):
        """How far all audiences so far are: comments written, changed, pushed and acknowledged."""
        all_of_them = [json.loads(self.control("GET", f"audiences/{number}")) for number in self._audiences]
        for one in all_of_them:
            if one["error"]:
                raise StartError(f"the audience stopped: {one['error']}")
        status = {key: sum(one[key] for one in all_of_them) for key in ("written", "edits", "removals")}
        status["webhooks"] = all_of_them[-1]["webhooks"]
        written, finished = status["written"], all(one["state"] in ("done", "stopped") for one in all_of_them)
        if self._blog:
            real = self._blog.audience_status()
            written, finished = written + real["written"], finished and real["finished"]
        return {"written": written, "changes": status["edits"] + status["removals"],
                "acknowledged": sum(hook["acked"] for hook in status["webhooks"]),
                "pending": sum(hook["pending"] for hook in status["webhooks"]), "finished": finished}

    def stop_audiences(self):
        """What has been written stays written, and counts."""
        for number in self._audiences:
            if json.loads(self.control("GET", f"audiences/{number}"))["state"] in ("waiting", "running"):
                self.control("DELETE", f"audiences/{number}")

    def fault(self, network, operation, kind, **more):
        """Something that goes wrong with the next matching calls; see services/sandbox/README.md."""
        self.control("POST", "faults", {"network": network, "operation": operation, "kind": kind, **more})

    def accept_duplicates(self):
        """The networks take the same text twice: a blind retry shows in the journal instead of being refused."""
        self.control("POST", "settings", {"refuse_duplicates": False})
