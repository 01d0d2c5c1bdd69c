"""Webhook to conversation visible, at full speed, beside what its stages cost in the same run."""

import os
import statistics
import time

from cpu import Accounts, busy_seconds, difference
from measure import PAIRS_MIN, Steal, bootstrap, reached, verdict
from parvis_local.processes import wait_until
from sql import Session

CORES = 2
STAGES = ("ingestion", "moderation", "inbox")
FOLDED = ("SELECT coalesce(sum(next), 0) FROM inbox.stream_offsets WHERE group_name = 'inbox.fold' AND "
          "topic = 'parvis.moderation.assessment.v1'")
STRANGERS_MAX = 0.1  # share of the machine that others may have had
LOOK_EVERY = 0.25   # seconds: a sixtieth of a round
SHOWN = 0.5        # parts that cost fewer microseconds per event are summed up


class Round:
    """What one round of comments took."""

    def __init__(self, comments, seconds, used, strangers):
        self.seconds, self.rate, self.strangers = seconds, comments / seconds, strangers
        self.costs = {part: seconds / comments for part, seconds in used.items()}
        self.stage_cost = sum(cost for (owner, _), cost in self.costs.items() if owner in STAGES)
        self.roofline = CORES / self.stage_cost
        self.everything = sum(self.costs.values())

    def microseconds(self):
        """{"inbox process": 12.3, …}, the dearest first; what is below SHOWN is one line."""
        named = {f"{owner} {kind}": cost * 1e6 for (owner, kind), cost in self.costs.items()}
        shown = {name: round(cost, 1) for name, cost in sorted(named.items(), key=lambda item: -item[1]) if cost >= SHOWN}
        return {**shown, "everything else": round(sum(cost for cost in named.values() if cost < SHOWN), 1)}


class Pipeline:
    """Rounds over one cluster whose campaign is out (Bench.campaign)."""

    def __init__(self, bench):
        self._bench, self.cluster, self._job = bench, bench.cluster(), bench.campaign()
        self.sql = Session(self.cluster.postgres)
        self._accounts = Accounts(self.cluster, self.sql)
        self._workspace = self._job.workspace.removeprefix("workspaces/")
        self._seed = 100

    def close(self):
        self.sql.close()

    def _visible(self):
        """Messages of people on the workspace's channels: no join, and asked for only when the fold says it is nearly done."""
        channels = "', '".join(self._job.channels.values())
        return self.sql.number("SELECT count(*) FROM inbox.messages WHERE present AND NOT by_us AND workspace_id = "
                                f"'{self._workspace}' AND channel_id IN ('{channels}')")

    def fill(self, messages):
        """So many more messages in the workspace, on channels of their own."""
        with open(os.path.join(self._bench.root, "services/inbox/storage/testdata/fill.sql"), encoding="utf-8") as file:
            sql = file.read()
        for name, value in ((":workspace", self._workspace), (":channel_stem", "0190a0b1-0000-7000-8000-0000000000c"),
                            (":messages", str(messages)), (":with_messages", "1")):
            sql = sql.replace(name, value)
        # The feed of the workspace goes on where it is.
        self.cluster.postgres.psql("SET search_path = inbox;\n" + sql + "\nCHECKPOINT;")

    def round(self, comments, threads=None):
        """Lets the audience write `comments`, as fast as they are taken, and waits until all are visible and all is quiet."""
        self._seed += 1
        self._bench.sandbox.seed = self._seed
        visible, folded = self._visible(), self.sql.number(FOLDED)
        before, busy, began = self._accounts.read(), busy_seconds(), time.monotonic()
        self._bench.write_comments(comments, threads)

        def done():
            arrived = self.sql.number(FOLDED) - folded
            self._bench.show.progress(f"pipeline: {arrived} of {comments} comments")
            return arrived >= comments and self._visible() - visible >= comments

        wait_until(done, 600, "all comments are visible", LOOK_EVERY)
        seconds = time.monotonic() - began
        self._settle()
        used = difference(self._accounts.read(), before)
        strangers = busy_seconds() - busy - sum(used.values())
        return Round(comments, seconds, used, strangers / (CORES * (time.monotonic() - began)))

    def _settle(self, seconds=30):
        """Waits for what follows an event (metrics, the outbox) to be done: it is part of what the event costs."""
        deadline, last, then = time.monotonic() + seconds, self._busy(), time.monotonic()
        while time.monotonic() < deadline:
            time.sleep(LOOK_EVERY)
            used, now = self._busy(), time.monotonic()
            if (used - last) / (now - then) < 0.15:
                return
            last, then = used, now

    def _busy(self):
        return sum(seconds for (owner, _), seconds in self._accounts.read().items() if owner not in ("bench", "sandbox"))


def pipeline(bench):
    """The whole pipeline against 2 ÷ Σ of what its stages cost, their database sessions included."""
    comments = 6000 if bench.quick else 60000
    run = Pipeline(bench)
    try:
        steal = Steal()
        for _ in range(1 if bench.quick else 3):
            run.round(comments)  # warm-up: the broker's compiler has done its work after some 50,000 records
        rounds = [run.round(comments) for _ in range(1 if bench.quick else 3)]
    finally:
        run.close()
    strangers = max(r.strangers for r in rounds)
    middle = sorted(rounds, key=lambda r: r.rate / r.roofline)[len(rounds) // 2]
    ratios = [r.rate / r.roofline for r in rounds]
    ratio = statistics.median(ratios)
    bench.add({"name": "whole pipeline / roofline of its stages", "ratio": round(ratio, 3), "low": round(min(ratios), 3),
               "high": round(max(ratios), 3), "target": 0.5, "ours": round(middle.rate),
               "against": round(middle.roofline), "unit": "/s", "pairs": len(rounds), "share_of_strangers": round(strangers, 3),
               "verdict": reached(ratio, 0.5) if strangers <= STRANGERS_MAX else "no verdict: others were busy",
               "microseconds_per_event": middle.microseconds(),
               "stage_microseconds": round(middle.stage_cost * 1e6, 1),
               "all_microseconds": round(middle.everything * 1e6, 1),
               "share_of_both_cores": round(middle.everything * middle.rate / CORES, 3), "steal": steal.share()})
    bench.show.table(("where the time of one event goes", "µs"),
                     [*middle.microseconds().items(), ("Σ of the stages", round(middle.stage_cost * 1e6, 1)),
                      ("Σ of all", round(middle.everything * 1e6, 1))])


HOT = {"reply_share": 0.5, "hot_share": 0.6, "hot": 1}
EVEN = {"reply_share": 0.5, "hot_share": 0, "hot": 1}


def replicas(bench):
    """Two replicas of moderation, inbox, publishing and metrics against one, one hot thread among others."""
    comments, run, steal = 4000 if bench.quick else 15000, Pipeline(bench), Steal()
    even, one, again, two = [], [], [], []
    try:
        run.round(comments // 2, HOT)
        began = time.monotonic()
        while len(one) < bench.pairs and (len(one) < (1 if bench.quick else PAIRS_MIN) or
                                          time.monotonic() - began < bench.seconds):
            even.append(run.round(comments, EVEN).rate)
            one.append(run.round(comments, HOT).rate)
            again.append(run.round(comments, HOT).rate)
            with bench.second_replicas(("moderation", "inbox", "publishing", "metrics")):
                run.round(comments // 3, HOT)  # until the partitions have been shared out
                two.append(run.round(comments, HOT).rate)
            run.round(comments // 3, HOT)
    finally:
        run.close()
    _rates(bench, "two replicas / one, a hot thread among others", two, again, one, 0.95, steal)
    _rates(bench, "one hot thread / evenly spread", one, even, again, 0.8, steal)


def _rates(bench, name, ours, against, control, target, steal):
    """Adds the ratio of rounds' rates; `control`: rounds of which a neighbour in `ours` or `against` is the same thing."""
    twin = against if name.startswith("two") else ours
    ratios, same = [a / b for a, b in zip(ours, against)], [a / b for a, b in zip(control, twin)]
    ratio, (low, high), interval = statistics.median(ratios), bootstrap(ratios), bootstrap(same)
    bench.add({"name": name, "ratio": round(ratio, 3), "low": round(low, 3), "high": round(high, 3),
               "control_low": round(interval[0], 3), "control_high": round(interval[1], 3), "target": target,
               "ours": round(statistics.median(ours)), "against": round(statistics.median(against)), "unit": "/s",
               "pairs": len(ratios), "verdict": verdict(ratio, target, interval), "steal": steal.share()})


def pipeline_size(bench):
    """The pipeline with many messages stored against itself with some 10^5. Before and after a fill: rounds, not pairs."""
    comments, stored = (4000, 200_000) if bench.quick else (30000, bench.options.stored)
    run, steal = Pipeline(bench), Steal()
    try:
        before = [run.round(comments) for _ in range(4)][1:]
        bench.show.step(f"filling the inbox with {stored:,} messages")
        run.fill(stored)
        after = [run.round(comments) for _ in range(4)][1:]
    finally:
        run.close()
    small, large = (statistics.median(r.rate for r in rounds) for rounds in (before, after))
    control = sorted(r.rate / small for r in before)
    bench.add({"name": f"pipeline at {stored:,} stored / at some {4 * comments:,}", "ratio": round(large / small, 3),
               "low": round(min(r.rate for r in after) / small, 3), "high": round(max(r.rate for r in after) / small, 3),
               "control_low": round(control[0], 3), "control_high": round(control[-1], 3), "target": 0.8,
               "ours": round(large), "against": round(small), "unit": "/s", "pairs": len(after),
               "verdict": verdict(large / small, 0.8, (control[0], control[-1])),
               "microseconds_before": before[1].microseconds(), "microseconds_after": after[1].microseconds(),
               "steal": steal.share()})
