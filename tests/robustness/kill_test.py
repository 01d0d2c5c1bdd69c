"""F1, kill -9 of every replica of every service at seeded random points under load: nothing lost, nothing doubled, order kept.

PARVIS_LOOPS kills (20 by default), PARVIS_SEED. The audience writes and the team answers all the while. Now and then both
replicas of a service are killed at once, or the dead one stays away until the other has taken its partitions over.
"""

import threading
import time

from faults import FaultTest
from system import LOOPS, main

AWAY = 8   # seconds; longer than a session


class KillLoops(FaultTest):
    def test_f01_nothing_is_lost_or_doubled_when_services_are_killed(self):
        victims = [name for name in self.cluster.names() if name != "sandbox"]
        self.random.shuffle(victims)
        killed = 0
        with self.load(rate=40):
            for number in range(LOOPS):
                victim = victims[number] if number < len(victims) else self.random.choice(victims)
                names = [victim]
                if number % 10 == 9:   # both at once
                    service = victim.partition("-")[0]
                    names = [service, f"{service}-1"]
                self.await_some(self.random.uniform(0.05, 1.5))   # a random point
                took = self.kill(names, away=AWAY if number % 20 == 14 else 0)
                killed += len(names)
                self.longest = max(self.longest, took)
                self.show.step(f"kill {number + 1}/{LOOPS}: {' and '.join(names)}, back after {took:.1f} s")
            self.recovered_later()
        self.judge("F1", killed, LOOPS, note=f"{len(self.job.answered)} answers sent meanwhile")
        self.assertGreater(len(self.job.answered), 0)

    def kill(self, names, away):
        for name in names:
            self.cluster.kill(name)
        if away:
            threading.Event().wait(away)
        began = time.monotonic()
        for name in names:
            self.cluster.relaunch(name)
        for name in names:
            self.cluster.await_ready(name)
        return time.monotonic() - began

    def recovered_later(self):
        longest = self.longest
        self.recovered(time.monotonic())
        self.longest = longest   # what is told is how long a killed process takes


if __name__ == "__main__":
    main()
