"""Guarantee 3, nothing is published twice: what happens between the network's yes and our knowing of it."""

import os
import sys

from result import report

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
        delivered = sum(d["state"] == "DELIVERY_STATE_DELIVERED" for d in self.posts())
        report("F2", 1, 4, 0, len(doubled), note=f"{delivered} of {planned} delivered, the rest is shown to a person")
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


class Limits(SystemTest):
    """A network that counts its endpoints apart: what waits for one window holds back nothing but itself."""

    comments = 2400

    def hides(self, *states):
        return [d for d in self.job.deliveries(kind="DELIVERY_KIND_HIDE") if d["network"] == "x" and d["state"] in states]

    def test_posts_go_out_while_the_hides_wait_for_their_window(self):
        self.team_and_campaign()
        self.sandbox.accept_duplicates()
        # X's own number, in windows that a test can wait for. 2400 comments bring about 90 hides.
        self.sandbox.control("POST", "limits", {"network": "x", "endpoint": "tweets.hidden", "limit": 50, "window_seconds": 60})
        self.job.release_audience()
        waiting = ("DELIVERY_STATE_SCHEDULED", "DELIVERY_STATE_CLAIMED")
        ended = ("DELIVERY_STATE_DELIVERED", "DELIVERY_STATE_FAILED")   # failed: its author was faster
        wait_until(lambda: len(self.hides(*ended)) >= 50, 30, "the first window is used up", 0.2)
        self.job.write_campaign()
        self.job.posts = self.job.posts[-4:]
        before = {d["name"] for d in self.job.deliveries(kind="DELIVERY_KIND_POST")}
        self.job.approve_and_schedule()

        def out():
            new = [d for d in self.job.deliveries(kind="DELIVERY_KIND_POST") if d["name"] not in before]
            return len(new) == 12 and all(d["state"] == "DELIVERY_STATE_DELIVERED" for d in new)

        wait_until(out, 20, "the second campaign is out", 0.2)
        self.assertEqual(len(self.hides(*ended)), 50, "the window has not ended yet")
        self.assertGreater(len(self.hides(*waiting)), 10)
        self.job.await_answers()
        self.assertGreater(len(self.hides("DELIVERY_STATE_DELIVERED")), 60)
        refused = [d for d in self.job.deliveries() if int(d.get("attempts", 1)) > 1 and d["network"] == "x"]
        self.assertEqual(refused, [], "the headers told: no call had to be refused")
        self.assert_clean()


if __name__ == "__main__":
    main()
