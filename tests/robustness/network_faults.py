"""The ways to PostgreSQL and Kafka are broken: F6 lost answers to COMMIT, F7 blackholes, F8 slow, sliced and reset streams."""

import time

from faults import FULL, wait_until
from proxy import TO_CLIENT, TO_SERVER

BUSY = ("inbox", "publishing", "moderation", "metrics")   # services that commit all the while


class NetworkFaults:
    """To be mixed into a FaultTest that is proxied."""

    def test_f06_nobody_hears_that_the_commit_succeeded(self):
        dropped, rounds = 0, 6 if FULL else 2
        with self.load():
            for _ in range(rounds):
                doors = [self.doors[f"postgres.{service}"] for service in self.random.sample(BUSY, len(BUSY))]
                before = sum(door.commits_dropped for door in doors)
                for door in doors:
                    door.commits_to_drop = self.random.randint(1, 3)
                wait_until(lambda doors=doors: not any(door.commits_to_drop for door in doors), 60, "COMMITs are lost")
                healed = time.monotonic()
                self.recovered(healed)
                dropped += sum(door.commits_dropped for door in doors) - before
        self.judge("F6", dropped, rounds)

    def test_f07_blackholes_one_way_and_both_ways(self):
        cases = [("postgres.inbox", ()), ("postgres.publishing", (TO_CLIENT,)), ("kafka", ()), ("kafka", (TO_SERVER,))]
        if FULL:
            cases += [(f"postgres.{service}", self.random.choice(((), (TO_CLIENT,), (TO_SERVER,))))
                      for service in ("accounts", "ingestion", "moderation", "metrics")]
        reasons = []
        with self.load():
            before = self.sizes()
            for name, directions in cases:
                self.doors[name].blackhole(*directions)
                service = name.partition(".")[2]
                names = [service, f"{service}-1"] if service else ["ingestion", "publishing", "moderation"]
                told = self.await_unready(names, 90)
                reasons.append(f"{name} {'/'.join(directions) or 'both ways'}: {told[names[0]]}")
                self.show.step(reasons[-1])
                self.assert_bounded(before)
                self.doors[name].heal()
                took = self.recovered(time.monotonic())
                self.show.step(f"well again after {took:.1f} s")
        self.judge("F7", len(cases), len(cases))

    def test_f08_slow_sliced_and_reset(self):
        every = list(self.doors.values())
        resets = 0
        with self.load(rate=15):
            before = self.sizes()
            for door in every:
                door.delay = 0.25   # each way: 500 ms a round trip
            self.await_progress(20 if not FULL else 100, 120)
            for door in every:
                door.heal()
                door.slice = 1
            self.await_progress(20 if not FULL else 200, 120)
            for _ in range(10 if FULL else 3):
                for door in every:
                    door.heal()
                    done = door.resets_done
                    door.resets_to_do = self.random.randint(1, 4)
                    wait_until(lambda door=door: not door.resets_to_do, 60, f"{door.name} is reset in the middle of a frame")
                    resets += door.resets_done - done
                self.recovered(time.monotonic())
            self.assert_bounded(before)
        self.judge("F8", resets + 2, 3)
