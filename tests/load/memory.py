"""What the services keep in memory under full load, and whether it stays."""

import statistics
import threading
import time

from cpu import rss_megabytes
from measure import reached
from pipeline import Pipeline

LOOK_EVERY = 1.0   # seconds
LARGEST = 250      # MB, any service
GROWTH = 1.1       # the last minute's mean by that of the fourth
MINUTES = 10


class Watch:
    """Resident memory of every service, read by a thread until the context ends."""

    def __init__(self, cluster):
        self._pids = {name: child.pid for name, child in cluster.children.items() if name != "sandbox"}
        self.readings = {name: [] for name in self._pids}   # (seconds since the beginning, MB)
        self._stop, self._thread = threading.Event(), threading.Thread(target=self._run)

    def _run(self):
        began = time.monotonic()
        while not self._stop.wait(LOOK_EVERY):
            for name, pid in self._pids.items():
                self.readings[name].append((time.monotonic() - began, rss_megabytes(pid)))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def mean(self, name, begin, end):
        """MB between two moments, in shares of the whole time."""
        last = self.readings[name][-1][0]
        return statistics.fmean(size for at, size in self.readings[name] if begin * last <= at <= end * last)

    def peak(self, name):
        return max(size for _, size in self.readings[name])


def memory(bench):
    """Ten minutes of comments as fast as they are taken: the largest service, and the one that grew most."""
    run, minutes = Pipeline(bench), 0.5 if bench.quick else MINUTES
    try:
        run.round(30000)   # every buffer and pool has had its first use
        with Watch(run.cluster) as watch:
            began, written = time.monotonic(), 0
            while time.monotonic() - began < minutes * 60:
                run.round(30000)
                written += 30000
    finally:
        run.close()
    peaks = {name: watch.peak(name) for name in watch.readings}
    growth = {name: watch.mean(name, 0.9, 1) / watch.mean(name, 0.3, 0.4) for name in watch.readings}
    largest, grown = max(peaks, key=peaks.get), max(growth, key=growth.get)
    bench.add({"name": f"memory under load for {minutes:g} min, largest service ({largest}), MB", "ratio": round(peaks[largest]),
               "target": LARGEST, "less_is_better": True, "comments": written,
               "peaks": {name: round(size) for name, size in peaks.items()}, "verdict": reached(peaks[largest], LARGEST, True)})
    bench.add({"name": f"memory at the end / after a third, what grew most ({grown})", "ratio": round(growth[grown], 3),
               "target": GROWTH, "less_is_better": True, "growth": {name: round(by, 3) for name, by in growth.items()},
               "verdict": reached(growth[grown], GROWTH, True)})
