"""Whether the model of docs/capacity.md predicts: the pipeline's rate with 1 and 2 replicas and 6, 12 and 24 partitions."""

import statistics

from measure import Steal
from pipeline import Pipeline

REPLICATED = ("moderation", "inbox", "publishing", "metrics")
CALIBRATING = ((1, 6), (1, 24), (2, 6))   # (replicas, partitions) from which the three constants follow
PREDICTED = ((1, 12), (2, 12), (2, 24))
WITHIN = 0.2


def _rates(bench, partitions, comments):
    """{replicas: comments a second}, on a cluster of its own."""
    bench.stop_cluster()
    bench.partitions = partitions
    run, rates = Pipeline(bench), {}
    try:
        for _ in range(3):
            run.round(comments)  # warm-up
        rates[1] = statistics.median(run.round(comments).rate for _ in range(3))
        with bench.second_replicas(REPLICATED):
            run.round(comments)  # until the partitions have been shared out
            rates[2] = statistics.median(run.round(comments).rate for _ in range(3))
    finally:
        run.close()
    return rates


class Model:
    """Seconds of the machine per event: `event` with 6 partitions and one replica, `partition` more for each further
    partition, `replica` more for each further replica. The rate is the inverse: one machine has one amount of work a second."""

    def __init__(self, measured):
        base, spread, doubled = (1 / measured[point] for point in CALIBRATING)
        self.event, self.partition, self.replica = base, (spread - base) / (24 - 6), doubled - base

    def rate(self, replicas, partitions):
        return 1 / (self.event + self.partition * (partitions - 6) + self.replica * (replicas - 1))


def capacity(bench):
    """The rates that the model says, by those that are measured: three settings calibrate it, three are predicted."""
    comments, steal, before = 12_000, Steal(), bench.partitions
    measured = {}
    try:
        for partitions in (6, 12, 24):
            for replicas, rate in _rates(bench, partitions, comments).items():
                measured[replicas, partitions] = rate
                bench.show.step(f"{replicas} replica(s), {partitions} partitions: {rate:,.0f} comments/s")
    finally:
        bench.stop_cluster()
        bench.partitions = before
    model = Model(measured)
    ratios = {point: model.rate(*point) / measured[point] for point in PREDICTED}
    worst = max(ratios.values(), key=lambda ratio: abs(ratio - 1))
    bench.add({"name": "capacity: predicted rate / measured", "ratio": round(worst, 3), "low": round(min(ratios.values()), 3),
               "high": round(max(ratios.values()), 3), "ours": round(model.rate(*PREDICTED[0])),
               "against": round(measured[PREDICTED[0]]), "unit": "/s", "pairs": len(ratios),
               "verdict": "reached" if abs(worst - 1) <= WITHIN else "not reached", "steal": steal.share(),
               "microseconds": {"event": round(model.event * 1e6, 1), "per further partition": round(model.partition * 1e6, 2),
                                "per further replica": round(model.replica * 1e6, 1)},
               "rates": {f"{replicas}x{partitions}": round(rate) for (replicas, partitions), rate in measured.items()}})
    bench.show.table(("replicas × partitions", "measured /s", "model /s"),
                     [(f"{replicas} × {partitions}", f"{rate:,.0f}", f"{model.rate(replicas, partitions):,.0f}")
                      for (replicas, partitions), rate in sorted(measured.items())])
