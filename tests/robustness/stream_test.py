"""Guarantee 2 on the stream: a zombie is fenced, whoever was killed comes back at once, a record that cannot be read or was
written by a newer version is parked, and the rest goes on."""

import os
import signal
import sys
import uuid

import raw_records
from result import report

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from system import SystemTest, main, wait_until  # noqa: E402

ACTIVITIES, ASSESSMENTS = "parvis.ingestion.activity.v1", "parvis.moderation.assessment.v1"
COMMENT, OF_TOMORROW = 1, 42  # kinds of an activity
POISON = "this is no protobuf: \x01\x02\x03"


class Stream(SystemTest):
    comments = 300
    extra_flags = {service: {"bus_session_max": "6s"} for service in ("inbox", "moderation", "metrics")}
    extra_flags["publishing"] = {"bus_session_max": "5m"}

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
        report("F3", 1, 1, note="the zombie's batch was fenced")
        self.assertTrue(sleeper.running(), "the zombie goes on as an ordinary member")
        self.assertTrue(self.cluster.children.pop(replica).stop())

    def epochs(self, group="inbox.fold"):
        rows = self.cluster.postgres.psql(
            f"SELECT topic || part, epoch FROM {group.split('.')[0]}.stream_offsets WHERE group_name = '{group}'")
        return {row[0]: int(row[1]) for row in rows}

    def test_a_killed_service_has_its_partitions_back_before_its_session_ends(self):
        before = self.epochs("publishing.accept")
        self.assertEqual(len(before), self.cluster.partitions)
        self.cluster.kill("publishing")
        self.cluster.restart("publishing")
        wait_until(lambda: all(self.epochs("publishing.accept")[part] > epoch for part, epoch in before.items()), 30,
                   "publishing owns its partitions again, long before the 5 minutes of the old session")

    def lost_by(self, before):
        """The partitions whose epoch has moved since; all of them were the sleeper's or have been claimed anew."""
        moved = {part for part, epoch in self.epochs().items() if epoch > before.get(part, 0)}
        return moved or set(before)

    def test_poison_is_parked_with_its_reason_and_the_partition_goes_on(self):
        for topic, group in ((ACTIVITIES, "moderation.assess"), (ASSESSMENTS, "inbox.fold")):
            self.cluster.kafka.write(topic, [POISON])
            found = []

            def parked(topic=topic, group=group, found=found):
                found[:] = self.cluster.kafka.read(f"{topic}.dlq.{group}")
                return bool(found)

            wait_until(parked, 60, f"{group} parks what it cannot read")
            self.assertIn("parvis_reason", found[0])
            self.assertIn("no protobuf", found[0])
        self.sandbox.start_audience(60)
        self.job.release_audience_wait()
        self.job.await_answers()
        self.assert_clean()
        report("F15", 1, 2, note="poison is parked with its reason")

    def read_letters(self, topic, group):
        """The dead letters as one text (payloads have line feeds, too), once there is one of a newer version."""
        letters = []

        def there():
            letters[:] = self.cluster.kafka.read(f"{topic}.dlq.{group}")
            return any("activity/1.9" in line for line in letters)

        wait_until(there, 60, f"{group} parks what it does not know")
        return "\n".join(letters)

    # What a newer version writes: its new fields are kept for whoever knows them (a new member of a oneof is a field like any
    # other), values of enums that only describe are let through, and a kind of activity that asks something unknown of us
    # waits among the dead letters for the version that knows it. Headers beyond those we know do not matter.
    def test_records_of_a_newer_version_are_kept_or_parked_and_never_dropped(self):
        workspace, channel = str(uuid.uuid4()), str(uuid.uuid4())
        key = f"{workspace}/{channel}/newer"
        headers = {"ce_specversion": "1.1", "ce_type": "parvis.ingestion.v1.Activity", "ce_dataschema": "activity/1.9",
                   "ce_source": "parvis/ingestion", "ce_workspace": workspace, "content-type": "application/protobuf"}

        def activity(remote_id, kind):
            return raw_records.message([
                (1, str(uuid.uuid4())), (2, workspace), (3, channel), (4, "facebook"), (5, kind), (6, remote_id), (7, "newer"),
                (8, "newer"), (11, raw_records.message([(1, "p1"), (2, "Person of tomorrow"), (50, "a new field of the author")])),
                (12, f"text of {remote_id}"), (13, raw_records.message([(1, 1_800_000_000)])), (14, 1_800_000_000_000_000),
                (16, 9), (200, f"field-of-tomorrow-{remote_id}"), (201, raw_records.message([(1, "member of a oneof")])), (202, 7)])

        def records(topic, wrap):
            raw_records.send(self.cluster.kafka.brokers, topic, [
                (key, headers, wrap(activity(f"{topic}-{number}", kind)))
                for number, kind in enumerate((COMMENT, OF_TOMORROW, COMMENT))])

        records(ACTIVITIES, lambda payload: payload)
        # And an assessment that a newer moderation made of it.
        records(ASSESSMENTS, lambda payload: raw_records.message([(1, payload), (99, "of tomorrow")]))
        expected = {f"{topic}-{number}" for topic in (ACTIVITIES, ASSESSMENTS) for number in (0, 2)}

        def stored():
            return {row[0] for row in self.cluster.postgres.psql(
                f"SELECT remote_key FROM inbox.messages WHERE workspace_id = '{workspace}' AND present")}

        wait_until(lambda: stored() == expected, 60, "the inbox has the comments before and after the unknown")
        # A reader that the machine has no time for reads nothing.
        wait_until(lambda: any(f"field-of-tomorrow-{ACTIVITIES}-0" in line for line in self.cluster.kafka.read(ASSESSMENTS)), 60,
                   "new fields are passed on")
        for topic, group, reason in ((ACTIVITIES, "moderation.assess", "ACTIVITY_KIND_UNKNOWN"),
                                     (ASSESSMENTS, "moderation.queue", "ACTIVITY_KIND_UNKNOWN"),
                                     (ASSESSMENTS, "inbox.fold", "KIND_UNKNOWN")):
            letters = self.read_letters(topic, group)
            self.assertEqual([letters.count(f"text of {topic}-{number}") for number in range(3)], [0, 1, 0], group)
            self.assertIn(f"parvis_reason:{reason}\t", letters)
            self.assertIn("ce_dataschema:activity/1.9", letters)
        report("F15", 1, 6, note="records of a newer version are kept or parked")


if __name__ == "__main__":
    main()
