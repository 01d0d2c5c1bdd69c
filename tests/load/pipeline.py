"""Webhook to conversation visible, at full speed, beside what its stages cost in the same run."""

import statistics
import time

from cpu import Accounts, difference
from measure import PAIRS_MIN, Steal, bootstrap, reached
from parvis_local.processes import wait_until
from sql import Session

CORES = 2
STAGES = ("ingestion", "moderation", "inbox")
FOLDED = ("SELECT coalesce(sum(next), 0) FROM inbox.stream_offsets WHERE group_name = 'inbox.fold' AND "
          "topic = 'parvis.moderation.assessment.v1'")
LOOK_EVERY = 0.5   # seconds; the database has better things to do
SHOWN = 0.5        # parts that cost fewer microseconds per event are summed up


class Round:
    """What one round of comments took."""

    def __init__(self, comments, seconds, used):
        self.seconds, self.rate = seconds, comments / seconds
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
        self._bench, self._cluster, self._job = bench, bench.cluster(), bench.campaign()
        self._sql = Session(self._cluster.postgres)
        self._accounts = Accounts(self._cluster, self._sql)
        self._seed = 100

    def close(self):
        self._sql.close()

    def _visible(self):
        """Messages of people in the workspace: an index-only count, asked for only when the fold says it is nearly done."""
        return self._sql.number("SELECT count(*) FROM inbox.messages WHERE present AND NOT by_us AND workspace_id = "
                                f"'{self._job.workspace.removeprefix('workspaces/')}'")

    def round(self, comments, threads=None):
        """Lets the audience write `comments`, as fast as they are taken, and waits until all are visible and all is quiet."""
        self._seed += 1
        self._bench.sandbox.seed = self._seed
        visible, folded = self._visible(), self._sql.number(FOLDED)
        before, began = self._accounts.read(), time.monotonic()
        self._bench.write_comments(comments, threads)

        def done():
            arrived = self._sql.number(FOLDED) - folded
            self._bench.show.progress(f"pipeline: {arrived} of {comments} comments")
            return arrived >= comments and self._visible() - visible >= comments

        wait_until(done, 600, "all comments are visible", LOOK_EVERY)
        seconds = time.monotonic() - began
        self._settle()
        return Round(comments, seconds, difference(self._accounts.read(), before))

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
    comments = 6000 if bench.quick else 30000
    run = Pipeline(bench)
    try:
        steal = Steal()
        run.round(comments // 2)  # warm-up
        rounds = [run.round(comments) for _ in range(1 if bench.quick else 3)]
    finally:
        run.close()
    middle = sorted(rounds, key=lambda r: r.rate / r.roofline)[len(rounds) // 2]
    ratios = [r.rate / r.roofline for r in rounds]
    ratio = statistics.median(ratios)
    bench.add({"name": "whole pipeline / roofline of its stages", "ratio": round(ratio, 3), "low": round(min(ratios), 3),
               "high": round(max(ratios), 3), "target": 0.5, "ours": round(middle.rate),
               "against": round(middle.roofline), "unit": "/s", "pairs": len(rounds), "verdict": reached(ratio, 0.5),
               "microseconds_per_event": middle.microseconds(),
               "stage_microseconds": round(middle.stage_cost * 1e6, 1),
               "all_microseconds": round(middle.everything * 1e6, 1),
               "share_of_both_cores": round(middle.everything * middle.rate / CORES, 3), "steal": steal.share()})
    bench.show.table(("where the time of one event goes", "µs"),
                     [*middle.microseconds().items(), ("Σ of the stages", round(middle.stage_cost * 1e6, 1)),
                      ("Σ of all", round(middle.everything * 1e6, 1))])


def replicas(bench):
    """Two replicas of moderation, inbox, publishing and metrics against one, one hot thread among others."""
    comments = 4000 if bench.quick else 15000
    threads = {"reply_share": 0.5, "hot_share": 0.6, "hot": 1}
    run = Pipeline(bench)
    ratios, control, steal = [], [], Steal()
    try:
        run.round(comments // 2, threads)
        began = time.monotonic()
        while len(ratios) < bench.pairs and (len(ratios) < (1 if bench.quick else PAIRS_MIN) or
                                             time.monotonic() - began < bench.seconds):
            one = run.round(comments, threads).rate
            again = run.round(comments, threads).rate
            with bench.second_replicas(("moderation", "inbox", "publishing", "metrics")):
                two = run.round(comments, threads).rate
            ratios.append(two / again)
            control.append(one / again)
    finally:
        run.close()
    ratio, (low, high), (control_low, control_high) = statistics.median(ratios), bootstrap(ratios), bootstrap(control)
    bench.add({"name": "two replicas / one, a hot thread among others", "ratio": round(ratio, 3), "low": round(low, 3),
               "high": round(high, 3), "control_low": round(control_low, 3), "control_high": round(control_high, 3),
               "target": 0.95, "ours": round(two), "against": round(again), "unit": "/s", "pairs": len(ratios),
               "verdict": reached(ratio, 0.95), "steal": steal.share()})
