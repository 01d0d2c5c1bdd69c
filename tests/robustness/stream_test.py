"""Guarantee 2 on the stream: a zombie is fenced, a record that cannot be read is parked, and the rest goes on."""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from system import SystemTest, main, wait_until  # noqa: E402

POISON = "this is no protobuf: \x01\x02\x03"


class Stream(SystemTest):
    comments = 300
    extra_flags = {service: {"bus_session_max": "6s"} for service in ("inbox", "moderation", "metrics", "publishing")}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team_and_campaign(cls)

    def test_a_consumer_that_slept_past_its_session_is_fenced(self):
        replica = self.cluster.launch("inbox", replica=1)
        wait_until(lambda: os.path.exists(os.path.join(self.folder, "ready", replica)), 60, "the second inbox is ready")
        self.sandbox.start_audience(self.comments, rate=25)
        before = self.job.stored()
        wait_until(lambda: self.job.stored() > before, 60, "the pipeline moves")
        sleeper = self.cluster.children["inbox"]
        epochs = self.epochs()
        sleeper.signal(signal.SIGSTOP)
        try:
            wait_until(lambda: all(self.epochs()[part] > epoch for part, epoch in epochs.items() if part in self.lost_by(epochs)),
                       60, "the other one has taken the partitions over")
        finally:
            sleeper.signal(signal.SIGCONT)
        self.job.release_audience_wait()
        self.job.await_answers()
        self.assert_clean()
        self.assertTrue(sleeper.running(), "the zombie goes on as an ordinary member")
        self.assertTrue(self.cluster.children.pop(replica).stop())

    def epochs(self):
        rows = self.cluster.postgres.psql("SELECT topic || part, epoch FROM inbox.stream_offsets WHERE group_name = 'inbox.fold'")
        return {row[0]: int(row[1]) for row in rows}

    def lost_by(self, before):
        """The partitions whose epoch has moved since; all of them were the sleeper's or have been claimed anew."""
        moved = {part for part, epoch in self.epochs().items() if epoch > before.get(part, 0)}
        return moved or set(before)

    def test_poison_is_parked_with_its_reason_and_the_partition_goes_on(self):
        for topic, group in (("parvis.ingestion.activity.v1", "moderation.assess"),
                             ("parvis.moderation.assessment.v1", "inbox.fold")):
            self.cluster.kafka.write(topic, [POISON])
            found = []

            def parked(topic=topic, group=group, found=found):
                found[:] = self.cluster.kafka.read(f"{topic}.dlq.{group}", 4)
                return bool(found)

            wait_until(parked, 60, f"{group} parks what it cannot read")
            self.assertIn("parvis_reason", found[0])
            self.assertIn("no protobuf", found[0])
        self.sandbox.start_audience(60)
        self.job.release_audience_wait()
        self.job.await_answers()
        self.assert_clean()


if __name__ == "__main__":
    main()
