"""The main job's own bookkeeping, without a system: Amélie and Ben answer at once and count together."""

import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../deploy/local"))

from parvis_local.main_job import CASES_MAX, MainJob  # noqa: E402


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


if __name__ == "__main__":
    unittest.main()
