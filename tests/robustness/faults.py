"""What the fault tests share: two replicas of everything behind proxies, an audience and a team that never stop, and a judge.

A fault test breaks something while comments come in and answers go out, looks at what must hold meanwhile, heals it, waits
until all is well again, and has the networks' journal compared with the databases.
"""

import contextlib
import os
import sys
import threading
import time
import urllib.error
import urllib.request

from proxy import Proxy
from result import report

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from system import SystemTest, wait_until  # noqa: E402
from parvis_local.connect import Client, ConnectError  # noqa: E402
from parvis_local.postgres import SERVICES  # noqa: E402
from parvis_local.processes import StartError  # noqa: E402
from parvis_local.verify import Verdict  # noqa: E402

WELL_AGAIN = 60       # seconds until everything must be well again; the longest that was seen is reported
FULL = os.environ.get("PARVIS_CHAOS") == "full"   # scripts/chaos without --quick: longer outages
ENDLESS = 200_000     # comments: more than an audience can write before it is stopped


class FaultTest(SystemTest):
    """Two replicas of every service. `proxied`: the services' ways to PostgreSQL and Kafka go through proxies."""

    proxied = False
    replicas = 2
    kafka_doors = ("kafka",)
    # A member that is gone without a word is missed sooner than by default; the rule is the same.
    extra_flags = {service: {"bus_session_max": "6s"} for service in SERVICES if service != "accounts"}
    extra_env = {}

    @classmethod
    def cluster_options(cls):
        cls.doors = {}
        if cls.proxied:
            names = [f"postgres.{service}" for service in SERVICES] + list(cls.kafka_doors)
            cls.doors = {name: Proxy(name) for name in names}
        return {"replicas": cls.replicas, "doors": cls.doors, "extra_env": cls.extra_env}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.before = (0, 0)
        cls.longest = 0.0
        cls.sandbox.accept_duplicates()
        try:
            cls.team_and_campaign(cls)
            # The team answers for minutes: what is looked at here are faults, not the networks' budgets.
            cls.sandbox.control("POST", "limits", {"network": "x", "limit": 100_000, "window_seconds": 900})
            cls.sandbox.control("POST", "limits", {"network": "facebook", "enabled": False})
        except BaseException:
            cls.cluster.stop()
            raise

    @classmethod
    def tearDownClass(cls):
        try:
            super().tearDownClass()
        finally:
            for door in cls.doors.values():
                door.close()

    def setUp(self):
        self.longest = 0.0
        self.addCleanup(lambda: [door.heal() for door in self.doors.values()])

    # ---- load -----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def load(self, rate=25, answers=3):
        """The audience writes and the team answers, Amélie by one gateway and Ben by the other, until the block ends.
        `answers`: so many at once, about three times a second."""
        self.sandbox.start_audience(ENDLESS, rate=rate)
        over = threading.Event()
        team = threading.Thread(target=self._answer_until, args=(over, answers))
        team.start()
        try:
            before = self.job.stored()
            wait_until(lambda: self.job.stored() > before, 60, "the pipeline moves")
            yield
        finally:
            over.set()
            self.sandbox.stop_audiences()
            team.join()

    def _answer_until(self, over, at_once):
        """A call that fails because something is broken is made again later."""
        number = 0
        while not over.is_set():
            number += 1
            replica = number % 2 if self.replicas > 1 else 0
            try:
                self.job.answer_some(("amelie", "ben")[replica], at_once, number, Client(
                    self.cluster.gateway_url_of(replica), self.job.keys[("amelie", "ben")[replica]], timeout=10))
            except (ConnectError, OSError, ValueError):
                pass
            over.wait(0.3)

    def await_progress(self, more=20, seconds=60):
        """Until so many more comments are in the inbox."""
        goal = self.job.stored() + more
        wait_until(lambda: self.job.stored() >= goal, seconds, f"{more} more comments are stored", 0.1)

    def await_some(self, seconds):
        """Lets the fault last: not a wait for anything to become true."""
        threading.Event().wait(seconds)

    # ---- what holds -----------------------------------------------------------------------------------------------

    def readiness(self, name):
        """(is it ready, its own words) of a process; (False, why not) when it cannot be asked."""
        try:
            with urllib.request.urlopen(f"http://{self.cluster.admin_address(name)}/readyz", timeout=5) as answer:
                return True, answer.read().decode()
        except urllib.error.HTTPError as not_ready:
            return False, not_ready.read().decode()
        except (OSError, KeyError) as problem:
            return False, str(problem)

    def await_unready(self, names, seconds=60):
        """Until each says that it is not ready and why; returns the reasons by name."""
        reasons = {}

        def all_told():
            for name in names:
                ready, text = self.readiness(name)
                if not ready:
                    reasons[name] = "; ".join(line for line in text.splitlines() if not line.endswith(": ok"))
            return len(reasons) == len(names)

        wait_until(all_told, seconds, f"{', '.join(names)} tell that they are not ready", 0.2)
        return reasons

    def ready_all(self):
        return all(self.readiness(name)[0] for name in self.cluster.names() if name != "sandbox")

    def metric(self, name, metric, **labels):
        """The sum of a process's samples of a metric with these labels."""
        with urllib.request.urlopen(f"http://{self.cluster.admin_address(name)}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines
                   if line.split("{")[0].split(" ")[0] == metric and all(w in line for w in wanted))

    def status_of(self, name, field):
        """A number of /proc/<pid>/status: Threads, VmRSS (in kB)."""
        with open(f"/proc/{self.cluster.children[name].pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(field + ":"))

    def sizes(self):
        """Threads and memory of every process, to be held against a later look."""
        return {name: (self.status_of(name, "Threads"), self.status_of(name, "VmRSS") // 1024)
                for name in self.cluster.names() if name != "sandbox"}

    def assert_bounded(self, before, threads=12, megabytes=150):
        for name, (had, used) in before.items():
            has, uses = self.sizes()[name]
            self.assertLessEqual(has, had + threads, f"threads of {name}")
            self.assertLessEqual(uses, used + megabytes, f"memory of {name}, MB")

    def recovered(self, healed, seconds=WELL_AGAIN):
        """Waits until all is ready and comments flow again; the time since `healed` counts as the recovery."""
        before = self.job.stored()
        wait_until(lambda: self.job.stored() > before, seconds, "comments flow again", 0.05)
        wait_until(self.ready_all, seconds, "everything is ready again", 0.1)
        took = time.monotonic() - healed
        self.longest = max(self.longest, took)
        return took

    # ---- the judge ------------------------------------------------------------------------------------------------

    def judge(self, fault, injected, loops=1, note=""):
        """Everything that was written has arrived once, in order; reported, and refused when not."""
        self.job.comments = 100 * WELL_AGAIN
        self.job.release_audience_wait()
        with contextlib.suppress(StartError):   # what never ends, the verdict names
            self.job.await_answers()
        verdict = Verdict(self.cluster, self.job)
        before = type(self).before
        lost, doubled = verdict.lost - before[0], verdict.doubled + verdict.disordered - before[1]
        type(self).before = (verdict.lost, verdict.doubled + verdict.disordered)
        report(fault, loops, injected, lost, doubled, self.longest, note)
        self.assertEqual((0, 0), (lost, doubled), "\n".join(verdict.problems[:20]))
        return verdict
