"""What the tests on the whole system share: a private cluster, a team in a workspace, seeded choices, an end that is sure."""

import os
import random
import shutil
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "deploy/local"))

from parvis_local.cluster import Cluster  # noqa: E402
from parvis_local.main_job import MainJob  # noqa: E402
from parvis_local.processes import wait_until  # noqa: E402, F401
from parvis_local.sandbox import Sandbox  # noqa: E402
from parvis_local.show import Show  # noqa: E402
from parvis_local.verify import Verdict  # noqa: E402

BUILD = os.environ.get("PARVIS_BUILD", os.path.join(ROOT, "build/release"))
SEED = int(os.environ.get("PARVIS_SEED", "1"))
LOOPS = int(os.environ.get("PARVIS_LOOPS", "20"))


class SystemTest(unittest.TestCase):
    """One cluster for all tests of a class. Data below .parvis/tests; kept when a test failed, for its logs."""

    comments = 400
    extra_flags = {}

    @classmethod
    def setUpClass(cls):
        cls.random = random.Random(SEED)
        print(f"seed {SEED}", flush=True)
        cls.folder = os.path.join(ROOT, ".parvis/tests", cls.__name__)
        shutil.rmtree(cls.folder, ignore_errors=True)
        cls.show = Show()
        # fsync stays on: what a killed server had acknowledged must be there again.
        cls.cluster = Cluster(cls.folder, BUILD, cls.show.step, fixed_ports=False, extra_flags=cls.extra_flags,
                              **cls.cluster_options())
        try:
            cls.cluster.start()
        except BaseException:
            cls.cluster.stop()
            raise
        cls.sandbox = Sandbox(cls.cluster)
        cls.job = MainJob(cls.cluster, cls.sandbox, cls.show, comments=cls.comments)

    @classmethod
    def cluster_options(cls):
        """More for the cluster, and what has to be done before it starts; its folder is empty."""
        return {}

    @classmethod
    def tearDownClass(cls):
        cls.late = cls.cluster.stop()
        if cls.late:
            raise AssertionError(f"did not stop when asked, had to be killed: {cls.late}")

    def team_and_campaign(self):
        """Team, channels, policy, and a delivered campaign."""
        self.job.create_team()
        self.job.connect_channels()
        self.job.write_policy()
        self.job.write_campaign()
        self.job.approve_and_schedule()
        self.job.await_deliveries()

    def assert_clean(self):
        """The judge: the networks' journal against the databases."""
        verdict = Verdict(self.cluster, self.job)
        verdict.print(self.show)
        self.assertTrue(verdict.clean, "\n".join(verdict.problems[:20]))
        return verdict


def main():
    unittest.main(verbosity=2, warnings="ignore")
