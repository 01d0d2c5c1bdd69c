"""10,000 deliveries that are due in the same second, against a bare libcurl loop that sends the same requests.

The deliveries are put into the ledger as the command consumer would have put them; the sandbox's journal says what came out.
Only publishing, accounts and the sandbox run beside: what answers bring back is another row's business.
"""

import json
import os
import time
import urllib.parse
import urllib.request
from datetime import datetime, timedelta, timezone

from context import FOLDER
from parvis_local.processes import wait_until
from sql import Session

CHANNELS = 16
AT_ONCE = 32     # publishing's calls_max; as many in the bare loop
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30)   # seconds


class Pages:
    """Facebook Pages of the sandbox, each with one post that the deliveries answer to."""

    def __init__(self, bench):
        self._sandbox, self._url = bench.sandbox, bench.quiet_cluster().sandbox_url
        self.all = []
        for number in range(CHANNELS):
            account = self._sandbox.create_account("facebook", f"Page {number}")
            channel = bench.job.connect("facebook", account, f"Page {number}")
            post = self._post(account)
            self.all.append({"channel": channel.rsplit("/", 1)[1], "post": post, "token": account["access_token"]})

    def _post(self, account):
        form = urllib.parse.urlencode({"message": "Aube, our new lamp", "access_token": account["access_token"]}).encode()
        with urllib.request.urlopen(f"{self._url}/facebook/v23.0/{account['remote_id']}/feed", form, timeout=10) as answer:
            return json.loads(answer.read())["id"]

    def of(self, number):
        return self.all[number % CHANNELS]


class Due:
    def __init__(self, bench, count):
        self._bench, self._count, self._pages = bench, count, Pages(bench)
        self._sql = Session(bench.quiet_cluster().postgres)
        self._workspace = bench.job.workspace.removeprefix("workspaces/")
        self._slices, self._after = 0, self._journal_end()
        self.lateness, self.early, self.twice, self.missing = [], 0, 0, 0

    def _journal_end(self):
        return json.loads(self._bench.sandbox.control("GET", "journal/summary"))["last_seq"]

    def _texts(self):
        self._slices += 1
        return [f"Merci pour votre message, slice {self._slices} number {n}" for n in range(self._count)]

    def ours(self):
        """Seconds from the moment that all are due until the network has taken the last."""
        texts = self._texts()
        due = datetime.now(timezone.utc) + timedelta(seconds=6 if self._count > 3000 else 3)
        self._schedule(texts, due)
        # Every slice is empty when the next begins; the states are those of an index, which does not read what has ended.
        answered = "SELECT count(*) FROM publishing.deliveries WHERE state IN (1, 2, 3, 6) AND NOT needs_human"
        wait_until(lambda: datetime.now(timezone.utc) > due, 10, "the second comes", 0.1)
        wait_until(lambda: self._sql.number(answered) == 0, 120, "all are delivered", 0.5)
        entries = self._taken(texts)
        late = [(datetime.fromisoformat(e["time"].replace("Z", "+00:00")) - due).total_seconds() for e in entries]
        self.early += sum(1 for seconds in late if seconds < 0)
        self.lateness += late
        return max(late)

    def _schedule(self, texts, due):
        """Straight into the ledger, each in a lane of its own: nothing waits for another one's answer."""
        rows = []
        for number, text in enumerate(texts):
            page = self._pages.of(number)
            rows.append(f"('{page['channel']}', '{page['post']}', '{json.dumps({'text': text})}', {number})")
        stamp = due.isoformat()
        shards = {page["channel"]: shard_of(page["channel"]) for page in self._pages.all}
        cases = " ".join(f"WHEN '{channel}' THEN {shard}" for channel, shard in shards.items())
        self._sql.rows(f"""
            INSERT INTO publishing.deliveries (workspace_id, id, channel_id, shard, network, kind, state, generation,
              target_remote_id, post_remote_id, thread, content, command_id, requested_by, lane, due_time, ready_time,
              expire_time, sent_time, first_sent_time, delivered_time, check_time, fence, attempts, tries, empty_reads, resends,
              reconciling, needs_human, sequence, steps, remote_id, permalink, error_reason, error_message, settle_request_id)
            SELECT '{self._workspace}', gen_random_uuid(), channel::uuid, CASE channel {cases} END, 'facebook', 2, 1, 0, post, post,
              'thread ' || number, content::jsonb, 'bench/{self._slices}/' || number, 'bench',
              channel || '/thread {self._slices} ' || number, '{stamp}', '{stamp}',
              '{stamp}'::timestamptz + interval '1 hour', '-infinity', '-infinity', '-infinity', 'infinity', 0, 0, 0, 0, 0, false,
              false, 1, 1, '', '', '', '', ''
            FROM (VALUES {','.join(rows)}) AS v (channel, post, content, number)""".replace("\n", " "))

    def _taken(self, texts):
        """The journal's answers to these texts: none may be missing, none there twice."""
        entries, seen = [], set()
        while True:
            lines = self._bench.sandbox.control("GET", f"journal?after={self._after}&limit=10000").splitlines()
            if not lines:
                break
            for entry in map(json.loads, lines):
                self._after = entry["seq"]
                if entry["kind"] == "reply":
                    self.twice += entry["text"] in seen
                    seen.add(entry["text"])
                    entries.append(entry)
        self.missing += len(set(texts) - seen)
        return entries

    def bare(self, process, path):
        """Seconds of the bare loop for as many requests of the same kind."""
        base = f"{self._bench.quiet_cluster().sandbox_url}/facebook/v23.0"
        with open(path, "w", encoding="utf-8") as file:
            for number, text in enumerate(self._texts()):
                page = self._pages.of(number)
                form = urllib.parse.urlencode({"fields": "id,permalink_url", "message": text, "access_token": page["token"]})
                file.write(f"{base}/{page['post']}/comments\t{form}\n")
        seconds = float(process.text(path))
        self._after = self._journal_end()
        return seconds

    def histogram(self):
        counts, last = {}, 0.0
        for bound in (*BUCKETS, float("inf")):
            label = f"{bound:g} s" if bound != float("inf") else "more"
            counts[label] = sum(1 for seconds in self.lateness if last <= seconds < bound)
            last = bound
        return {label: count for label, count in counts.items() if count}

    def close(self):
        self._sql.close()


def shard_of(channel):
    """As publishing's ShardOf: FNV-1a of the channel's id, modulo 64."""
    value = 0xcbf29ce484222325
    for byte in channel.encode():
        value = ((value ^ byte) * 0x100000001b3) & 0xffffffffffffffff
    return value % 64


def due(bench):
    """10,000 replies, 16 channels, no rate limits."""
    count = 2000 if bench.quick else 10_000
    cluster, path = bench.quiet_cluster(), os.path.join(FOLDER, "requests.tsv")
    if "ingestion" in cluster.children:
        cluster.children.pop("ingestion").stop()  # it would read all the answers
    bench.sandbox.control("POST", "limits", {"network": "facebook", "enabled": False})
    run = Due(bench, count)
    try:
        with bench.binary("parvis-post-bench", f"--at_once={AT_ONCE}") as process:
            began = time.monotonic()
            result = bench.pair(f"{count:,} deliveries due in one second / bare libcurl loop, seconds", run.ours,
                                lambda: run.bare(process, path), 2, less_is_better=True, unit="s",
                                pairs=3 if bench.quick else 8)
        result["measured_seconds"] = round(time.monotonic() - began)
        result["lateness"] = run.histogram()
        result["early"], result["twice"], result["missing"] = run.early, run.twice, run.missing
        if run.early or run.twice or run.missing:
            result["verdict"] = f"wrong: {run.early} early, {run.twice} twice, {run.missing} missing"
        bench.show.table(("later than its second by less than", "deliveries"), result["lateness"].items())
    finally:
        run.close()
        if os.path.exists(path):
            os.remove(path)  # it holds the sandbox's tokens
