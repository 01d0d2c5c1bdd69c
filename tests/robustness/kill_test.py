"""kill -9 of each service at seeded random points under load: nothing lost, nothing doubled, order kept.

PARVIS_LOOPS kills (20 by default), PARVIS_SEED. The audience writes and the team answers all the while.
"""

import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from system import LOOPS, SystemTest, main, wait_until  # noqa: E402
from parvis_local.connect import ConnectError  # noqa: E402

VICTIMS = ("ingestion", "moderation", "inbox", "publishing", "metrics", "accounts", "gateway")


class KillLoops(SystemTest):
    comments = 60 * LOOPS

    def test_nothing_is_lost_or_doubled_when_services_are_killed(self):
        self.sandbox.accept_duplicates()
        self.team_and_campaign()
        self.sandbox.start_audience(self.comments, rate=40)
        over = threading.Event()
        team = threading.Thread(target=self.answer_until, args=(over,))
        team.start()
        try:
            longest = self.kill_all_the_while()
        finally:
            over.set()
            team.join()
        self.show.step(f"{LOOPS} kills, longest recovery {longest:.1f} s, {len(self.job.answered)} answers sent meanwhile")
        self.job.release_audience_wait()
        self.job.await_answers()
        self.assert_clean()
        self.assertGreater(len(self.job.answered), 0)

    def kill_all_the_while(self):
        longest = 0.0
        # A wait of random length, so that the kill hits a random point: not a wait for anything to become true.
        timer = threading.Event()
        for number in range(LOOPS):
            victim = VICTIMS[number % len(VICTIMS)] if number < len(VICTIMS) else self.random.choice(VICTIMS)
            timer.wait(self.random.uniform(0.05, 1.5))
            self.cluster.kill(victim)
            began = time.monotonic()
            self.cluster.launch(victim)
            self.cluster.await_ready(victim)
            longest = max(longest, time.monotonic() - began)
            self.show.step(f"kill {number + 1}/{LOOPS}: {victim}")
        return longest

    def answer_until(self, over):
        """Claims and answers; a call that fails because somebody was killed is made again with the same request id."""
        number = 0
        while not over.is_set():
            number += 1
            try:
                self.job.answer_some("amelie" if number % 2 else "ben", 3, number)
            except (ConnectError, OSError, ValueError):
                over.wait(0.2)


class ServersKilled(SystemTest):
    comments = 600

    def test_kafka_and_postgresql_are_killed_and_restarted(self):
        self.team_and_campaign()
        self.sandbox.start_audience(self.comments, rate=40)
        for server in (self.cluster.kafka, self.cluster.postgres):
            before = self.job.stored()
            wait_until(lambda before=before: self.job.stored() > before, 60, "the pipeline moves")
            server.kill()
            server.launch()
            self.show.step(f"{type(server).__name__} killed and restarted")
        self.job.release_audience_wait()
        self.job.await_answers()
        self.assert_clean()


if __name__ == "__main__":
    main()
