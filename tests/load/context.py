"""What the rows share: options, results, and servers that are started when the first row asks for them."""

import contextlib
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../system"))
sys.path.insert(0, HERE)
from binary import BenchBinary  # noqa: E402
from measure import Pairs  # noqa: E402
from system import BUILD, ROOT  # noqa: E402
from parvis_local import kafka as kafka_module  # noqa: E402
from parvis_local.cluster import Cluster  # noqa: E402
from parvis_local.kafka import Kafka  # noqa: E402
from parvis_local.main_job import MainJob  # noqa: E402
from parvis_local.sandbox import Sandbox  # noqa: E402

FOLDER = os.path.join(ROOT, ".parvis/bench")
# Webhooks are what is measured: the poll that looks for what they left out would bring everything a second time.
FLAGS = {"ingestion": {"poll_second_way_min": "1h", "poll_second_way_max": "2h"}}


class Bench:
    """One run of scripts/bench. A row is a function of it that calls add() once or more."""

    def __init__(self, show, options):
        self.show, self.options, self.results = show, options, []
        self.quick = options.quick
        self.pairs, self.seconds = (10, 4) if self.quick else (30, options.seconds)
        self.build, self.root = BUILD, ROOT
        self._cluster = self._kafka = self.sandbox = self.job = None
        self._campaign_is_out = self._quiet = False
        self.partitions = 6   # of the next cluster's topics

    # ---- results --------------------------------------------------------------------------------------------------

    def add(self, result):
        self.results.append(result)
        figures = f"{result['ours']} against {result['against']} {result['unit']}" if "ours" in result else ""
        self.show.step(f"{result['name']}: {result['ratio']} ({result['verdict']}) {figures}".rstrip())

    def pair(self, name, ours, theirs, target=None, **more):
        """Measures a row in interleaved pairs and returns its result (which may still be added to)."""
        settings = {"pairs": self.pairs, "seconds": self.seconds, **more}
        result = Pairs(name, ours, theirs, target=target, **settings).run(self.show.progress)
        self.add(result)
        return result

    def binary(self, name, *arguments):
        return BenchBinary(self.build, name, arguments, self.root)

    # ---- servers --------------------------------------------------------------------------------------------------

    def cluster(self):
        """All of Parvis, with nothing in it."""
        if self._quiet:
            self.stop_cluster()
        return self._start()

    def _start(self):
        if not self._cluster:
            folder = os.path.join(FOLDER, "cluster")
            shutil.rmtree(folder, ignore_errors=True)
            self._cluster = Cluster(folder, self.build, self.show.step, fixed_ports=False, extra_flags=FLAGS, lasting=True,
                                    partitions=self.partitions)
            self._cluster.start()
        return self._cluster

    def quiet_cluster(self):
        """A cluster of its own in which nobody consumes what ingestion and publishing write; with a team (see job)."""
        if not self._quiet:
            self.stop_cluster()
            self.team(webhooks=False)
            for service in ("moderation", "inbox", "metrics"):
                self._cluster.children.pop(service).stop()
            self._quiet = True
        return self._cluster

    def team(self, webhooks=True):
        """A workspace with members, channels and a policy; returns the main job, which knows their names."""
        if not self.job or self._quiet:
            self.cluster()
            # Many calls at once: what is measured is Parvis, not the patience of the one who pushes.
            self.sandbox = Sandbox(self._cluster, push={"lanes": 32, "threads_in_order": False}, webhooks=webhooks)
            self.job = MainJob(self._cluster, self.sandbox, self.show)
            self.job.create_team()
            self.job.connect_channels()
            self.job.write_policy()
        return self.job

    def campaign(self):
        """Posts that are out, so that people can comment."""
        if not self._campaign_is_out:
            self.team()
            self.job.write_campaign()
            self.job.approve_and_schedule()
            self.job.await_deliveries()
            self._campaign_is_out = True
        return self.job

    def write_comments(self, count, threads=None):
        """Below the posts of the networks that push, as fast as they are taken; `threads`: as the sandbox knows it."""
        plan = {"seed": self.sandbox.seed, "count": count, "rate": 0, "edit_ratio": 0, "removal_ratio": 0,
                "accounts": [a for a in self.sandbox.accounts if a["network"] in ("facebook", "x")]}
        if threads:
            plan["threads"] = threads
        self.sandbox.control("POST", "audiences", plan)

    @contextlib.contextmanager
    def second_replicas(self, services):
        """A second process of each service, for as long as the context lasts."""
        names = [self._cluster.launch(service, replica=1) for service in services]
        try:
            for name in names:
                self._cluster.await_ready(name)
            yield
        finally:
            for name in names:
                self._cluster.children.pop(name).stop()

    def kafka(self):
        """A broker of its own, for rows that measure nothing but Kafka."""
        if not self._kafka:
            folder = os.path.join(FOLDER, "kafka")
            shutil.rmtree(folder, ignore_errors=True)
            self._kafka = Kafka(folder, kafka_module.fetch_jars(ROOT), lasting=True).start()
        return self._kafka

    def topic(self, name, partitions=6):
        """A new topic of the broker for rows."""
        name = f"bench.{name}"
        subprocess.run([f"{self.build}/bin/parvis-topics", "--brokers", self.kafka().brokers, "--topic",
                        f"{name}:{partitions}"], check=True, capture_output=True)
        return name

    def stop_kafka(self):
        if self._kafka:
            self._kafka.stop()
            self._kafka = None
            shutil.rmtree(os.path.join(FOLDER, "kafka"), ignore_errors=True)

    def stop_cluster(self):
        if self._cluster:
            self._cluster.stop()
            self._cluster = self.job = self.sandbox = None
            self._campaign_is_out = self._quiet = False

    def close(self):
        self.stop_kafka()
        self.stop_cluster()
