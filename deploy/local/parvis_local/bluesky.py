"""A real Bluesky network for the main job: accounts, people who reply, and what their repositories say as the judge reads it."""

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timezone

from . import own_net
from .processes import StartError, wait_until
from .real import VISITORS_AT_ONCE, RealServer, in_order

SCRIPT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bluesky", "network.py")
POSTS, GATES = "app.bsky.feed.post", "app.bsky.feed.threadgate"


class Bluesky(RealServer):
    """start() to stop(); everybody speaks to their PDS, as the network's apps do."""

    THREADS_ARE_POSTS = True

    def __init__(self, folder, say=print):
        super().__init__()
        self._folder, self._say = folder, say
        self._process, self.url = None, ""
        self._us, self._people = None, []

    @staticmethod
    def check():
        try:
            own_net.check()
        except StartError as problem:
            raise StartError(f"--with bluesky: {problem}") from problem

    def start(self):
        os.makedirs(self._folder, exist_ok=True)
        self._process = subprocess.Popen([sys.executable, SCRIPT, self._folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, text=True, start_new_session=True)
        complaints = []
        threading.Thread(target=self._listen, args=(complaints,), daemon=True).start()
        line = self._process.stdout.readline()
        if not line:
            self._process.wait(60)
            raise StartError("Bluesky: " + " ".join(complaints)[-1200:])
        info = json.loads(line)
        self.url = info["url"]
        self._say(f"Bluesky's servers (dev-env {info['version']}) at {self.url}, in a network of their own ({info['seconds']} s)")
        self._us = self._sign_up("lumen")
        self._us["app_password"] = self.call("POST", "com.atproto.server.createAppPassword", {"name": "parvis"},
                                             self._us["accessJwt"])["password"]
        self._people = [self._sign_up(f"fan{number}") for number in range(VISITORS_AT_ONCE)]
        return self

    def _listen(self, complaints):
        for line in self._process.stderr:
            if line.startswith("error: "):
                complaints.append(line.removeprefix("error: ").strip())
            elif complaints:
                complaints.append(line.strip())
            else:
                self._say(line.strip())

    def stop(self):
        self.send_visitors_home()
        if self._process:
            self._process.stdin.close()   # it ends with its input, whoever kills us
            try:
                self._process.wait(40)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def account(self):
        return {"network": "bluesky", "remote_id": self._us["did"], "base_url": self.url, "site_url": self.url,
                "credentials": {"identifier": self._us["handle"], "app_password": self._us["app_password"]}}

    def connector_credentials(self):
        return {"access_token": self._us["accessJwt"]}

    def comment_of_stranger(self, post, text):
        self._people.append(self._sign_up(f"stranger{len(self._people)}"))
        uri = self.comment(-1, 0, post, "", text)

        def shown():
            return self.call("GET", "app.bsky.feed.getPosts", {"uris": uri}, self._us["accessJwt"])["posts"]

        wait_until(shown, 30, "the AppView shows a reply", 0.05)
        return uri

    def comment(self, visitor, turn, post, parent, text):
        person = self._people[visitor]
        refs = {"root": self._ref(post)}
        refs["parent"] = self._ref(parent) if parent else refs["root"]
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record = {"$type": POSTS, "text": text, "createdAt": now, "reply": refs}
        return self.call("POST", "com.atproto.repo.createRecord", {"repo": person["did"], "collection": POSTS, "record": record},
                         person["accessJwt"])["uri"]

    def journal(self):
        """From the repositories themselves: what is in them, in the order of its time there."""
        return self._journal_of((self._us, *self._people))

    def our_writes(self):
        return self._journal_of((self._us,))

    def _journal_of(self, people):
        entries = []
        for person in people:
            ours = person is self._us
            for record in self._records(person["did"], POSTS):
                value, uri = record["value"], record["uri"]
                reply = value.get("reply")
                root, parent = (reply["root"]["uri"], reply["parent"]["uri"]) if reply else (uri, "")
                kind = ("reply" if ours else "comment") if reply else "post"
                entries.append({"kind": kind, "by": "us" if ours else "audience", "remote_id": uri, "post": root, "parent": parent or root,
                                "thread": root, "author": person["did"], "text": value["text"], "time": value["createdAt"]})
        entries.sort(key=lambda entry: (entry["time"], entry["remote_id"].rsplit("/", 1)[1]))
        for gate in self._records(self._us["did"], GATES):
            entries += [{"kind": "hide", "by": "us", "remote_id": uri, "post": gate["value"]["post"], "thread": gate["value"]["post"],
                         "text": "", "time": gate["value"]["createdAt"]} for uri in gate["value"].get("hiddenReplies", [])]
        return in_order(entries, "bluesky", self._us["did"])

    # ---- XRPC -----------------------------------------------------------------------------------------------------

    def call(self, method, name, content=None, token=""):
        """`content`: the body of a procedure, the parameters of a query."""
        url, data = f"{self.url}/xrpc/{name}", None
        if method == "GET":
            url += "?" + urllib.parse.urlencode(content or {})
        else:
            data = json.dumps(content).encode()
        headers = {"Content-Type": "application/json"} if data else {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=60) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as refused:
            raise StartError(f"Bluesky refused {name}: {refused.code} {refused.read()[:300].decode(errors='replace')}") from refused

    def _sign_up(self, name):
        return self.call("POST", "com.atproto.server.createAccount", {"handle": f"{name}.test", "email": f"{name}@people.example",
                                                                      "password": f"{name}-of-this-machine"})

    def _records(self, did, collection):
        found, place = [], ""
        while True:
            page = self.call("GET", "com.atproto.repo.listRecords", {"repo": did, "collection": collection, "limit": 100,
                                                                     **({"cursor": place} if place else {})})
            found += page["records"]
            place = page.get("cursor", "")
            if not place or not page["records"]:
                return found

    def _ref(self, uri):
        did, collection, rkey = uri.removeprefix("at://").split("/")
        record = self.call("GET", "com.atproto.repo.getRecord", {"repo": did, "collection": collection, "rkey": rkey})
        return {"uri": record["uri"], "cid": record["cid"]}
