"""Whether the model of docs/capacity.md predicts: the pipeline's rate with 1 and 2 replicas and 6, 12 and 24 partitions."""

import os
import statistics

from measure import Steal
from pipeline import Pipeline

REPLICATED = ("moderation", "inbox", "publishing", "metrics")
CALIBRATING = ((1, 6), (1, 24), (2, 6))   # (replicas, partitions) from which the three constants follow
PREDICTED = ((1, 12), (2, 12), (2, 24))
WITHIN = 0.2


STORED = ("SELECT n.nspname, sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
          "WHERE c.relkind = 'r' AND n.nspname IN ('ingestion', 'moderation', 'publishing', 'inbox', 'metrics') GROUP BY 1")
WAL = "SELECT wal_bytes, wal_sync, (SELECT count(*) FROM pg_stat_activity WHERE usename <> 'postgres') FROM pg_stat_wal"


class Footprint:
    """What a round leaves behind, per comment: bytes by schema, in the log of the database and in Kafka, and syncs."""

    def __init__(self, run):
        self._run, self._before = run, self._read(run)

    @staticmethod
    def _read(run):
        read = {f"{schema} tables": int(size) for schema, size in run.sql.rows(STORED)}
        wal, syncs, connections = run.sql.rows(WAL)[0]
        read.update({"write-ahead log": float(wal), "syncs": int(syncs), "connections": int(connections)})
        read["kafka log"] = sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in
                                os.walk(run.cluster.kafka.folder) for name in names if name.endswith(".log"))
        return read

    def per_comment(self, comments):
        after = self._read(self._run)
        used = {name: round((value - self._before.get(name, 0)) / comments, 2) for name, value in after.items()}
        return {**used, "connections": after["connections"]}


def _rates(bench, partitions, comments, footprints):
    """{replicas: comments a second}, on a cluster of its own; `footprints` gets that of one replica."""
    bench.stop_cluster()
    bench.partitions = partitions
    run, rates = Pipeline(bench), {}
    try:
        for _ in range(3):
            run.round(comments)  # warm-up
        footprint = Footprint(run)
        rates[1] = statistics.median(run.round(comments).rate for _ in range(3))
        footprints[partitions] = footprint.per_comment(3 * comments)
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
    measured, footprints = {}, {}
    try:
        for partitions in (6, 12, 24):
            for replicas, rate in _rates(bench, partitions, comments, footprints).items():
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
               "microseconds": {"event": round(model.event * 1e6, 1),
                                "per further partition": round(model.partition * 1e6, 2),
                                "per further replica": round(model.replica * 1e6, 1)},
               "footprint": footprints, "rates": {f"{replicas}x{partitions}": round(rate) for (replicas, partitions), rate in measured.items()}})
    bench.show.table(("replicas × partitions", "measured /s", "model /s"),
                     [(f"{replicas} × {partitions}", f"{rate:,.0f}", f"{model.rate(replicas, partitions):,.0f}")
                      for (replicas, partitions), rate in sorted(measured.items())])
    bench.show.table(("per comment, 6 partitions", "bytes (syncs, connections: a number)"),
                     [(name, f"{value:,}") for name, value in footprints[6].items()])
