"""How speed is measured here: ratios of interleaved pairs, with a control that measures a thing against itself.

The rule and why (this machine's own noise, 2 shared cores): a fixed loop's time varies by a factor of three between
moments, while the median of ratios within neighbouring pairs, in alternating order, varies by about one per cent. So two
sides are measured in short alternating slices, the median of the per-pair ratios is reported with a bootstrap interval, and
no verdict is given when the control's interval leaves 0.95 to 1.05.
"""

import random
import statistics
import time

CONTROL_LOW, CONTROL_HIGH = 0.95, 1.05
PAIRS_MIN = 3


def steal_ticks():
    """Ticks stolen by the host, and all ticks, since boot (proc(5), /proc/stat)."""
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(field) for field in file.readline().split()[1:]]
    return ticks[7], sum(ticks)


class Steal:
    """The share of time that the host took away since this was made."""

    def __init__(self):
        self._begin = steal_ticks()

    def share(self):
        stolen, ticks = steal_ticks()
        return round((stolen - self._begin[0]) / max(1, ticks - self._begin[1]), 4)


def bootstrap(values, rounds=2000, seed=1):
    """95 % interval of the median."""
    rng = random.Random(seed)
    medians = sorted(statistics.median(rng.choices(values, k=len(values))) for _ in range(rounds))
    return medians[int(0.025 * rounds)], medians[int(0.975 * rounds)]


def reached(ratio, target, less_is_better=False):
    """The verdict on a ratio, where no control was run or it was good."""
    if target is None:
        return "–"
    return "reached" if (ratio <= target if less_is_better else ratio >= target) else "not reached"


def verdict(ratio, target, control, less_is_better=False):
    """As reached(), unless the control's interval says that the machine was too restless."""
    if control[0] < CONTROL_LOW or control[1] > CONTROL_HIGH:
        return "no verdict: the control is off"
    return reached(ratio, target, less_is_better)


def rounded(value):
    """Three significant figures, and whole numbers beyond."""
    return round(value) if abs(value) >= 100 else float(f"{value:.3g}")


class Pairs:
    """ratio = ours() / theirs(). Both return a figure in `unit`: a speed, or with `less_is_better` a time.

    Ends after `pairs` pairs or `seconds`, whichever comes first, but not before PAIRS_MIN pairs.
    """

    def __init__(self, name, ours, theirs, pairs=30, seconds=120, target=None, less_is_better=False, unit="/s"):
        self.name, self.target, self.unit, self._less = name, target, unit, less_is_better
        self._ours, self._theirs, self._pairs, self._seconds = ours, theirs, pairs, seconds

    def run(self, progress=lambda text: None):
        ratios, control, ours, theirs, steal = [], [], [], [], Steal()
        self._ours(), self._theirs()  # warm-up, not counted
        began = time.monotonic()
        while len(ratios) < self._pairs and (len(ratios) < PAIRS_MIN or time.monotonic() - began < self._seconds):
            sides = [("a", self._ours), ("b", self._theirs)]
            if len(ratios) % 2:
                sides.reverse()
            figure = {label: side() for label, side in sides}
            again = self._theirs()  # neighbours again, the same thing twice: must come out as 1
            control.append(again / figure["b"] if len(ratios) % 2 else figure["b"] / again)
            ours.append(figure["a"])
            theirs.append(figure["b"])
            ratios.append(figure["a"] / figure["b"])
            progress(f"{self.name}: pair {len(ratios)}/{self._pairs}, ratio {statistics.median(ratios):.2f}")
        return self._result(ratios, control, ours, theirs, steal)

    def _result(self, ratios, control, ours, theirs, steal):
        (low, high), (control_low, control_high) = bootstrap(ratios), bootstrap(control)
        ratio = statistics.median(ratios)
        return {"name": self.name, "ratio": round(ratio, 3), "low": round(low, 3), "high": round(high, 3),
                "control_low": round(control_low, 3), "control_high": round(control_high, 3),
                "ours": rounded(statistics.median(ours)), "against": rounded(statistics.median(theirs)),
                "unit": self.unit, "target": self.target, "less_is_better": self._less, "pairs": len(ratios),
                "steal": steal.share(),
                "verdict": verdict(ratio, self.target, (control_low, control_high), self._less)}
