"""The main job's own bookkeeping, without a system: Amélie and Ben answer at once and count together."""

import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../deploy/local"))

from parvis_local import networks  # noqa: E402
from parvis_local.main_job import CASES_MAX, MainJob  # noqa: E402
from parvis_local.sandbox import Sandbox  # noqa: E402
from parvis_local.verify import Verdict  # noqa: E402


class FakeInbox:
    """Answers as the gateway would. OpenCase waits until the other one is there too, as a slow network makes it."""

    def __init__(self):
        self.opened = []
        self._both = threading.Barrier(2)

    def call(self, method, request):
        name = request["name"]
        if method.endswith("/ClaimConversation"):
            return {"claim": {"token": "1"}}
        if method.endswith("/OpenCase"):
            try:
                self._both.wait(timeout=0.2)
            except threading.BrokenBarrierError:
                self._both.reset()
            self.opened.append(name)
            return {"name": f"{name}/case"}
        return {"name": f"{name}/message"}


class FakeCluster:
    gateway_url = "http://127.0.0.1:1"

    @staticmethod
    def secret(_):
        return "key"


class MainJobTest(unittest.TestCase):
    def test_exactly_so_many_cases_whoever_is_faster(self):
        job, inbox = MainJob(FakeCluster(), None, None), FakeInbox()

        def answer(who):
            for number in range(20):
                self.assertTrue(job._answer(inbox, who, {"name": f"{who}/{number}"}, "KIND_COMPLAINT", number))

        workers = [threading.Thread(target=answer, args=(who,)) for who in ("amelie", "ben")]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertEqual(CASES_MAX, len(inbox.opened))
        self.assertEqual(CASES_MAX, len(job.cases))
        self.assertEqual(40, len(job.answered))


    def test_open_conversations_come_from_all_networks_in_turn(self):
        class Inbox:
            @staticmethod
            def pages(_, request, *__):
                return iter([{"name": f"{request['channelId']}/{n}"} for n in range(1 if request["channelId"] == "c-x" else 3)])

        job = MainJob(FakeCluster(), None, None, on=("facebook", "x", "feed", "linkedin"))
        job.channels = {name: f"c-{name}" for name in ("facebook", "x", "feed", "linkedin")}
        names = [one["name"] for one in job._conversations(Inbox, "KIND_QUESTION")]
        self.assertEqual(["c-facebook/0", "c-x/0", "c-linkedin/0", "c-facebook/1", "c-linkedin/1", "c-facebook/2",
                          "c-linkedin/2"], names)


class FakeSandbox(Sandbox):
    """Answers the control API from here."""

    def __init__(self, real=None):
        super().__init__(FakeCluster(), real=real)
        self.plans = []

    def control(self, method, path, body=None):
        if path == "audiences":
            self.plans.append(body)
            return b'{"id": 1}'
        return b"{}"


class AudienceTest(unittest.TestCase):
    def test_networks_that_are_alike_share_an_audience(self):
        sandbox = FakeSandbox()
        sandbox.accounts = [{"network": name, "id": "1"} for name in networks.USUAL]
        sandbox.start_audience(900, rate=30)
        self.assertEqual([(900, 30, 0.02)], [(p["count"], p["rate"], p["edit_ratio"]) for p in sandbox.plans])

    def test_each_network_gets_its_share_and_edits_only_where_we_are_told(self):
        sandbox = FakeSandbox()
        sandbox.accounts = [{"network": name, "id": "1"} for name in networks.ALL]
        sandbox.start_audience(3000)
        self.assertAlmostEqual(3000, sum(plan["count"] for plan in sandbox.plans), delta=len(sandbox.plans))
        for plan in sandbox.plans:
            for account in plan["accounts"]:
                network = networks.BY_NAME[account["network"]]
                self.assertEqual(network.changes, plan["edit_ratio"] > 0 and plan["removal_ratio"] > 0, network.name)
        self.assertEqual(len(networks.ALL), sum(len(plan["accounts"]) for plan in sandbox.plans))


class NetworksTest(unittest.TestCase):
    def test_what_has_no_real_server_is_named(self):
        self.assertTrue(networks.real_server("wordpress"))
        for name in ("x", "blog", ""):
            with self.assertRaisesRegex(networks.NoRealServer, f"--with {name}.*: wordpress"):
                networks.real_server(name)


class VerdictTest(unittest.TestCase):
    def judge(self, deliveries, journal):
        verdict = Verdict.__new__(Verdict)
        verdict.problems, verdict.lost, verdict.doubled, verdict.disordered = [], 0, 0, 0
        verdict.deliveries, verdict.journal = deliveries, journal
        verdict._writes("post")
        verdict._hides()
        return verdict.lost, verdict.doubled

    def test_each_network_names_posts_and_hides_in_its_own_way(self):
        first = str(1_500_000_000_012)
        deliveries = [{"network": "discourse", "kind": "post", "state": "delivered", "remote_id": "t/12/1", "target": ""},
                      {"network": "nodebb", "kind": "hide", "state": "delivered", "remote_id": "", "target": "7"}]
        journal = [{"network": "discourse", "kind": "post", "by": "us", "remote_id": first, "text": "Hello"},
                   {"network": "nodebb", "kind": "delete", "by": "us", "remote_id": "7", "text": ""}]
        self.assertEqual((0, 0), self.judge(deliveries, journal))
        self.assertEqual((2, 0), self.judge(deliveries, []))
        self.assertEqual((0, 2), self.judge([], journal))


if __name__ == "__main__":
    unittest.main()
