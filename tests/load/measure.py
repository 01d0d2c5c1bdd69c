"""How speed is measured here: ratios of interleaved pairs, with a control that measures a thing against itself.

The rule and why (this machine's own noise, 2 shared cores): a fixed loop's time varies by a factor of three between
moments, while the median of ratios within neighbouring pairs, in alternating order, varies by about one per cent. So two
sides are measured in short alternating slices, the median of the per-pair ratios is reported with a bootstrap interval, and
no verdict is given when the control's interval leaves 0.95 to 1.05.
"""

import random
import statistics

CONTROL_LOW, CONTROL_HIGH = 0.95, 1.05


def steal_ticks():
    """Ticks stolen by the host, and all ticks, since boot (proc(5), /proc/stat)."""
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(field) for field in file.readline().split()[1:]]
    return ticks[7], sum(ticks)


def bootstrap(values, rounds=2000, seed=1):
    """95 % interval of the median."""
    rng = random.Random(seed)
    medians = sorted(statistics.median(rng.choices(values, k=len(values))) for _ in range(rounds))
    return medians[int(0.025 * rounds)], medians[int(0.975 * rounds)]


class Pairs:
    """ratio = speed of `ours` / speed of `theirs`; both are called as side() and return a speed (more is better)."""

    def __init__(self, name, ours, theirs, pairs=30, target=None):
        self.name, self.target = name, target
        self._ours, self._theirs, self._pairs = ours, theirs, pairs

    def run(self, progress=lambda text: None):
        ratios, control, ours, theirs = [], [], [], []
        stolen, all_ticks = steal_ticks()
        self._ours(), self._theirs()  # warm-up, not counted
        for number in range(self._pairs):
            sides = [("a", self._ours), ("b", self._theirs)]
            if number % 2:
                sides.reverse()
            speed = {label: side() for label, side in sides}
            ours.append(speed["a"])
            theirs.append(speed["b"])
            ratios.append(speed["a"] / speed["b"])
            again = self._theirs()  # neighbours again, the same thing twice: must come out as 1
            control.append(again / speed["b"] if number % 2 else speed["b"] / again)
            progress(f"{self.name}: pair {number + 1}/{self._pairs}, ratio {statistics.median(ratios):.2f}")
        low, high = bootstrap(ratios)
        control_low, control_high = bootstrap(control)
        stolen_after, all_after = steal_ticks()
        fit = CONTROL_LOW <= control_low and control_high <= CONTROL_HIGH
        ratio = statistics.median(ratios)
        return {"name": self.name, "ratio": round(ratio, 3), "low": round(low, 3), "high": round(high, 3),
                "control_low": round(control_low, 3), "control_high": round(control_high, 3),
                "ours_per_second": round(statistics.median(ours)), "against_per_second": round(statistics.median(theirs)),
                "target": self.target, "pairs": self._pairs,
                "steal": round((stolen_after - stolen) / max(1, all_after - all_ticks), 4),
                "verdict": "no verdict: the control is off" if not fit else
                           "–" if self.target is None else "reached" if ratio >= self.target else "not reached"}
