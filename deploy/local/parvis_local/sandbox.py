"""The sandbox's control API (services/sandbox/README.md) as the main job and the tests use it."""

import json
import urllib.error
import urllib.parse
import urllib.request

from .networks import BY_NAME, CLIENT_ID, app_secret_name, secret_name
from .processes import StartError


class _Stay(urllib.request.HTTPRedirectHandler):
    """Does not follow: where a browser is sent is what we ask for."""

    def redirect_request(self, *_):
        return None


class Sandbox:
    """Stands for everybody outside: it makes accounts, lets the audience speak, and keeps the journal that judges."""

    def __init__(self, cluster, seed=1, push=None, real=None, webhooks=True):
        """`push`: settings of the webhook targets beside the usual ones. `real`: {network: server in place of the
        sandbox}. Without `webhooks` the networks tell us nothing by themselves."""
        self._cluster, self.seed, self._push, self._real = cluster, seed, push or {}, real or {}
        self._webhooks, self._configured = webhooks, set()
        self._audiences = []
        self.accounts = []

    @property
    def patience(self):
        """Seconds until the slowest of the networks has taken all answers."""
        return max([180] + [server.PATIENCE for server in self._real.values()])

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
        """Every entry, oldest first; of the real servers each, behind the sandbox's."""
        after, entries = 0, []
        while lines := self.control("GET", f"journal?after={after}&limit=5000").splitlines():
            entries += [json.loads(line) for line in lines]
            after = entries[-1]["seq"]
        return entries + [entry for server in self._real.values() for entry in server.journal()]

    def _configure(self, network):
        """Tells the simulated network where our webhooks are and with which secret they were registered; widens its limits."""
        if not self._webhooks or network.name in self._configured:
            return
        self._configured.add(network.name)
        if network.webhook and not network.webhook.query:
            self._add_webhook(network)
        for endpoint, limit in network.limits:
            self.control("POST", "limits", {"network": network.name, "endpoint": endpoint, "limit": limit})

    def _add_webhook(self, network, account=None):
        url = f"http://{self._cluster.address('ingestion_http')}/webhooks/{network.name}"
        target = {"network": network.name, "url": url, "duplicate_ratio": 0.02, "batch_max": 50,
                  "secret_file": self._cluster.secret_file(secret_name(network)), **self._push}
        if network.webhook.verify_token:
            target["verify_token_file"] = self._cluster.secret_file(f"{network.name}_verify_token")
        if account:
            target.update(account=account["remote_id"], url=f"{url}?{network.webhook.query.format(**account)}")
        self.control("POST", "webhooks", target)

    def register_app(self, name, more_redirects=()):
        """Makes our app known to the simulated network, as somebody does once in its developers' console."""
        self.control("POST", "oauth/apps", {
            "network": name, "client_id": CLIENT_ID,
            "client_secret_file": self._cluster.secret_file(app_secret_name(BY_NAME[name])),
            "redirect_uris": [self._cluster.sign_in_redirect_uri, *more_redirects]})

    def consent(self, authorization_url, account, decide="allow"):
        """What a person does at the network: looks at the page and decides. Returns where the browser is sent back to; what
        is refused without a way back raises StartError."""
        with urllib.request.urlopen(authorization_url, timeout=30) as page:
            page.read()
        form = urllib.parse.urlencode({"decide": decide, "account": account}).encode()
        try:
            urllib.request.build_opener(_Stay).open(urllib.request.Request(authorization_url, form), timeout=30)
        except urllib.error.HTTPError as answer:
            if answer.code == 302:
                return answer.headers["Location"]
            raise
        raise StartError("the sandbox sent the browser nowhere")

    def sign_ins(self, name):
        """All that the network gave: {"apps", "grants", "counts"}."""
        return json.loads(self.control("GET", f"oauth/{name}"))

    def create_account(self, name, display_name):
        """A Page, a user, a blog, a forum ...; what ConnectChannel needs of it is under "credentials" and "site_url"."""
        network = BY_NAME[name]
        if name in self._real:
            return self._real[name].account()
        self._configure(network)
        made = json.loads(self.control("POST", "accounts", {"network": name, "name": display_name}))
        made["credentials"] = {field: made[field] for field in network.credentials}
        made["site_url"] = "" if network.base_path else made["base_url"]
        if network.webhook and network.webhook.query:
            self._add_webhook(network, made)
        self.accounts.append({"network": name, "id": made["remote_id"]})
        return made

    def start_audience(self, count, texts=None, rate=0, plain=False):
        """Lets `count` comments be written below the posts that are out; `rate` a second, 0 for as fast as they go."""
        groups = {}   # networks that are alike share an audience
        for account in self.accounts:
            network = BY_NAME[account["network"]]
            groups.setdefault((network.share, network.changes and not plain), []).append(account)
        parts = sum(share * len(accounts) for (share, _), accounts in groups.items())
        for server in self._real.values():
            server.start_audience(count // 10, texts)   # besides: real servers are slower
        for (share, changes), accounts in groups.items():
            part = share * len(accounts) / parts
            plan = {"seed": self.seed, "count": round(count * part), "rate": rate * part, "accounts": accounts,
                    "edit_ratio": 0.02 if changes else 0, "removal_ratio": 0.02 if changes else 0}
            if texts:
                plan["texts"] = texts
            self._audiences.append(json.loads(self.control("POST", "audiences", plan))["id"])

    def audience_status(self):
        """How far all audiences so far are: comments written, changed, pushed and acknowledged."""
        all_of_them = [json.loads(self.control("GET", f"audiences/{number}")) for number in self._audiences]
        for one in all_of_them:
            if one["error"]:
                raise StartError(f"the audience stopped: {one['error']}")
        status = {key: sum(one[key] for one in all_of_them) for key in ("written", "edits", "removals")}
        hooks = all_of_them[-1]["webhooks"] if all_of_them else []
        real = [server.audience_status() for server in self._real.values()]
        return {"written": status["written"] + sum(one["written"] for one in real),
                "changes": status["edits"] + status["removals"], "acknowledged": sum(hook["acked"] for hook in hooks),
                "pending": sum(hook["pending"] for hook in hooks),
                "finished": all(one["state"] in ("done", "stopped") for one in all_of_them) and
                            all(one["finished"] for one in real)}

    def like_posts(self):
        """Gives every post of our accounts that is out some likes, where the sandbox has them: {network: likes}."""
        ours = {(account["network"], account["id"]) for account in self.accounts}
        given = {}
        for entry in self.journal():
            network = BY_NAME[entry["network"]]
            if entry["kind"] != "post" or entry["by"] != "us" or not network.likes or (network.name, entry["account"]) not in ours:
                continue
            likes = 10 + len(given) + given.get(network.name, 0) % 7
            self.control("POST", "counters", {"network": network.name, "id": entry["remote_id"],
                                              "counters": {network.likes: likes}})
            given[network.name] = given.get(network.name, 0) + likes
        return given

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
