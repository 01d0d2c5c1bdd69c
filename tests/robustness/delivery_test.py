"""Guarantee 3, nothing is published twice: what happens between the network's yes and our knowing of it."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from system import SystemTest, main, wait_until  # noqa: E402


class Delivery(SystemTest):
    # Reconciling waits for a settle time and looks twice; shorter here, the rule is the same.
    extra_flags = {"publishing": {"read_spacing": "1s"}}

    def posts(self):
        return self.job.deliveries(kind="DELIVERY_KIND_POST")

    def accepted(self):
        """Posts by (network, text) in the networks' own journal."""
        count = {}
        for entry in self.sandbox.journal():
            if entry["kind"] == "post":
                key = (entry["network"], entry["text"])
                count[key] = count.get(key, 0) + 1
        return count

    def test_answers_that_never_arrive_and_a_killed_publisher(self):
        self.job.create_team()
        self.job.connect_channels()
        self.job.write_policy()
        self.job.write_campaign()
        self.sandbox.accept_duplicates()
        # Every network takes the first post and then says nothing: a reset, a 504; one is only slow while we are killed.
        self.sandbox.fault("facebook", "post", "accept_then_reset", count=1)
        self.sandbox.fault("x", "post", "accept_then_504", count=1)
        self.sandbox.fault("wordpress", "post", "delay", count=1, delay_ms=1500)
        self.job.approve_and_schedule()

        def some_call_is_under_way():
            return any(d["state"] in ("DELIVERY_STATE_SENT", "DELIVERY_STATE_UNKNOWN", "DELIVERY_STATE_DELIVERED")
                       for d in self.posts())

        wait_until(some_call_is_under_way, 60, "a delivery is sent")
        self.cluster.kill("publishing")
        self.cluster.restart("publishing")
        planned = len(self.job.posts) * len(self.job.channels)
        wait_until(lambda: sum(d["state"] == "DELIVERY_STATE_DELIVERED" or d.get("needsHuman", False)
                               for d in self.posts()) == planned, 180, "every post is delivered, or shown to a person", 0.5)
        doubled = {key: n for key, n in self.accepted().items() if n != 1}
        self.assertEqual(doubled, {}, "accepted more than once by a network")
        delivered = [d for d in self.posts() if d["state"] == "DELIVERY_STATE_DELIVERED"]
        self.assertGreaterEqual(len(delivered), planned - 1)
        for delivery in delivered:
            self.assertTrue(delivery["remoteId"])

    def test_history_is_readable(self):
        for delivery in self.posts()[:3]:
            steps = self.job.client("owner").call("publishing.v1.PublishingService/ListDeliveryTransitions",
                                                  {"parent": delivery["name"]})["transitions"]
            self.assertGreaterEqual(len(steps), 3, steps)


if __name__ == "__main__":
    main()
