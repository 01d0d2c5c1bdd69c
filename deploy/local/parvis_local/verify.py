"""The judge: what the networks' own journal says happened, against what the databases say. Reads only."""

import collections

from . import databases
from .networks import BY_NAME


class Verdict:
    """Compares once, at construction. `clean`: nothing lost, doubled or out of order; `problems` says what and where."""

    def __init__(self, cluster, job):
        self.networks = list(job.channels)
        self.problems, self.lost, self.doubled, self.disordered = [], 0, 0, 0
        self.messages = databases.messages(cluster, job.workspace)
        self.deliveries = databases.deliveries(cluster, job.workspace)
        self.reviews = databases.reviews(cluster, job.workspace)
        ours = {(network, account["remote_id"]) for network, account in job.sandbox_accounts.items()}
        self.journal = [e for e in job.sandbox.journal() if (e["network"], e["account"]) in ours]
        self._comments()
        self._changes()
        self._order()
        self._writes("post")
        self._writes("reply")
        self._hides()

    @property
    def clean(self):
        return not (self.lost or self.doubled or self.disordered)

    def _problem(self, counter, text, count=1):
        setattr(self, counter, getattr(self, counter) + count)
        self.problems.append(f"{counter}: {text}")

    def _written(self):
        """What the audience wrote, by (network, remote id): the journal's comments and mentions."""
        return {(e["network"], e["remote_id"]): e for e in self.journal
                if e["kind"] in ("comment", "mention") and e["by"] == "audience"}

    def _comments(self):
        written, stored = self._written(), {}
        for message in self.messages:
            if not message["by_us"]:
                key = (message["network"], message["remote_id"])
                if key in stored:
                    self._problem("doubled", f"{key} is stored twice")
                stored[key] = message
        for key in written.keys() - stored.keys():
            self._problem("lost", f"comment {key} was written and is not in the inbox")
        for key in stored.keys() - written.keys():
            self._problem("doubled", f"comment {key} is in the inbox and nobody wrote it")
        self.stored = stored

    def _changes(self):
        """The last edit is the text we show; what was removed is shown as removed."""
        last, removed = {}, set()
        for entry in self.journal:
            key = (entry["network"], entry["remote_id"])
            if entry["kind"] in ("comment", "mention", "edit"):
                last[key] = entry["text"]
            elif entry["kind"] == "removal":
                removed.add(key)
        for key, message in self.stored.items():
            if key in removed and not message["removed"]:
                self._problem("lost", f"the removal of {key}")
            elif key in last and key not in removed and not same_text(last[key], message["text"]):
                self._problem("lost", f"the last edit of {key}: {message['text'][:40]!r} instead of {last[key][:40]!r}")

    def _order(self):
        """Within a thread, the inbox shows the comments in the order in which they were written, as far as the network tells it."""
        threads = {}
        for key, entry in self._written().items():
            second = "" if BY_NAME[entry["network"]].ordered else entry["time"][:19]
            threads.setdefault((entry["network"], entry["thread"]), []).append((entry["thread_seq"], key, second))
        for thread, members in threads.items():
            shown = [(self.stored[key]["place"], second) for _, key, second in sorted(members) if key in self.stored]
            wrong = sum(a >= b and not (at and at == then) for (a, at), (b, then) in zip(shown, shown[1:]))
            if wrong:
                self._problem("disordered", f"thread {thread}: {wrong} comments shown before what came earlier", wrong)

    def _writes(self, kind):
        """Each delivery of this kind stands in the journal at most once, and exactly once when we call it delivered."""
        accepted = {}
        for entry in self.journal:
            if entry["kind"] == kind and entry["by"] == "us":
                name = BY_NAME[entry["network"]].post_id if kind == "post" else str
                accepted.setdefault((entry["network"], name(entry["remote_id"])), entry)
        known = set()
        unknown = {}   # by network: each accounts for one write that was taken without our knowing
        for delivery in (d for d in self.deliveries if d["kind"] == kind):
            key = (delivery["network"], delivery["remote_id"])
            if delivery["state"] == "delivered":
                known.add(key)
                if key not in accepted:
                    self._problem("lost", f"{kind} {key} is called delivered and the network does not have it")
            elif delivery["state"] not in ("failed", "unknown", "cancelled", "expired"):
                self._problem("lost", f"{kind} {delivery['id']} on {delivery['network']} is still {delivery['state']}")
            elif delivery["state"] == "unknown":
                unknown[delivery["network"]] = unknown.get(delivery["network"], 0) + 1
        for (network, remote_id), entry in accepted.items():
            if (network, remote_id) in known:
                continue
            if unknown.get(network, 0) > 0:
                unknown[network] -= 1
            else:
                self._problem("doubled", f"{kind} {remote_id} on {network} was taken and belongs to no delivery: "
                                         f"{entry['text'][:40]!r}")

    def _hides(self):
        hidden = collections.Counter((e["network"], e["remote_id"]) for e in self.journal
                                     if e["kind"] == BY_NAME[e["network"]].hidden_as and e["by"] == "us")
        asked = collections.Counter()
        for delivery in self.deliveries:
            key = (delivery["network"], delivery["target"])
            asked[key] += delivery["kind"] == "hide"
            if delivery["kind"] == "hide" and delivery["state"] == "delivered" and key not in hidden:
                self._problem("lost", f"the hide of {key} is called delivered and the network does not have it")
        for key, times in hidden.items():
            if times > asked[key]:
                self._problem("doubled", f"{key} was hidden {times} times and {asked[key]} were asked for")

    # ---- the table ------------------------------------------------------------------------------------------------

    def _row(self, network):
        posts = [d for d in self.deliveries if d["kind"] == "post" and d["network"] == network]
        late = sorted(d["late_seconds"] for d in posts if d["state"] == "delivered")
        written = [key for key in self._written() if key[0] == network]
        done = {kind: sum(d["kind"] == kind and d["network"] == network and d["state"] == "delivered"
                          for d in self.deliveries) for kind in ("reply", "hide")}
        return (BY_NAME[network].label, len(posts), sum(d["state"] == "delivered" for d in posts),
                sum(d["state"] == "unknown" for d in posts), percentile(late, 0.5), percentile(late, 0.99), len(written),
                sum(key[0] == network for key in self.stored), sum(r["network"] == network for r in self.reviews),
                done["hide"], done["reply"])

    def print(self, show):
        show.table(("network", "posts planned", "delivered", "unknown", "late p50", "late p99", "comments written", "stored",
                    "held", "hidden", "answered"), [self._row(network) for network in self.networks])
        for problem in self.problems[:10]:
            show.step(problem)
        print(f"\n  lost {self.lost} · doubled {self.doubled} · out of order {self.disordered}", flush=True)


def percentile(ordered, share):
    """Nearest-rank percentile of sorted seconds, as text."""
    if not ordered:
        return "–"
    value = ordered[min(len(ordered) - 1, int(share * len(ordered)))]
    return f"{value * 1000:.0f} ms"


def same_text(a, b):
    """Networks and blogs change white space and entities; the words must be the same."""
    return "".join(a.split()) == "".join(b.split())
