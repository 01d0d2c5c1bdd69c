"""What a flood costs the others, and what more than fits does to what fits; in interleaved slices of one run.

F14: one workspace calls 100 times as often as another; the other's p99 with the flood by its p99 without, and a control: two
halves of the slices without it. F12: webhooks from 16, 32 and 160 connections that never pause, where 16 are nearly the most
that may be in flight: the acknowledged ones a second by those at 16; what is refused is told so by 429 or 503.
"""

import json
import os
import shutil
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../overload"))
from flood import Admin, Page, Sender, h2load, percentile  # noqa: E402
from measure import reached  # noqa: E402
from parvis_local.cluster import Cluster  # noqa: E402
from parvis_local.main_job import MainJob  # noqa: E402
from parvis_local.sandbox import Sandbox  # noqa: E402

LIST = "inbox.v1.InboxService/ListConversations"
SLICE_SECONDS, CALM_PER_SECOND = 3, 20


class Flood:
    """A cluster with little room for webhooks, and two workspaces."""

    def __init__(self, build, folder, show):
        self.cluster = Cluster(folder, build, show.step, fixed_ports=False, extra_flags={
            "ingestion": {"webhook_inflight_max_bytes": 1 << 20, "webhook_retry_after": "1s"}})
        self.cluster.start()
        sandbox = Sandbox(self.cluster)
        self.flooder, self.calm = (MainJob(self.cluster, sandbox, show) for _ in range(2))
        for job in (self.flooder, self.calm):
            job.create_team()
            job.connect_channels()

    # ---- F14 --------------------------------------------------------------------------------------------------------

    def calm_slice(self):
        """One workspace's calls at its ordinary rate; seconds each."""
        client, took = self.calm.client("manager"), []
        begin = time.monotonic()
        for number in range(SLICE_SECONDS * CALM_PER_SECOND):
            wait = begin + number / CALM_PER_SECOND - time.monotonic()
            if wait > 0:
                time.sleep(wait)   # the pace of the load
            began = time.monotonic()
            client.call(LIST, {"parent": self.calm.workspace})
            took.append(time.monotonic() - began)
        return took

    def flooded_slice(self, body_file):
        answers = {}
        key = self.flooder.keys["manager"]
        flood = threading.Thread(target=lambda: answers.update(h2load(
            f"{self.cluster.gateway_url}/parvis.{LIST}", {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
            body_file, clients=10, seconds=SLICE_SECONDS, rps=CALM_PER_SECOND * 100 // 10)))
        flood.start()
        took = self.calm_slice()
        flood.join()
        return took, answers

    def gateway(self, pairs):
        alone, flooded, answers = ([], []), [], {"2xx": 0, "4xx": 0, "5xx": 0, "failed": 0}
        with tempfile.NamedTemporaryFile("w", suffix=".json") as body:
            body.write(json.dumps({"parent": self.flooder.workspace}))
            body.flush()
            self.flooder.client("manager").call(LIST, {"parent": self.flooder.workspace})
            self.calm_slice()   # warm
            for pair in range(pairs):
                alone[pair % 2].extend(self.calm_slice())
                took, one = self.flooded_slice(body.name)
                flooded.extend(took)
                for name in answers:
                    answers[name] += one[name]
        base = alone[0] + alone[1]
        return {"calm_p50_ms": percentile(base, 0.5) * 1000, "calm_p99_ms": percentile(base, 0.99) * 1000,
                "flooded_p50_ms": percentile(flooded, 0.5) * 1000, "flooded_p99_ms": percentile(flooded, 0.99) * 1000,
                "ratio_p99": percentile(flooded, 0.99) / percentile(base, 0.99),
                "control_p99": percentile(alone[1], 0.99) / percentile(alone[0], 0.99), "flood": answers, "calls": len(flooded)}

    # ---- F12 --------------------------------------------------------------------------------------------------------

    def webhooks(self, pairs):
        page = Page(self.cluster, self.flooder.sandbox_accounts["facebook"]["remote_id"], "bench")
        Sender(page, 10, 1).start().finish()
        ingestion = Admin(self.cluster, "ingestion")
        body = page.body(1, 20_000)
        result = {clients: {"2xx": 0, "4xx": 0, "5xx": 0, "failed": 0} for clients in (16, 32, 160)}
        rss = []
        with tempfile.NamedTemporaryFile("wb", suffix=".json") as file:
            file.write(body)
            file.flush()
            for _ in range(pairs):
                for clients, sums in result.items():
                    one = h2load(page.url, page.headers(body), file.name, clients, seconds=SLICE_SECONDS)
                    for name in sums:
                        sums[name] += one[name]
                    rss.append(ingestion.metric("process_resident_memory_bytes") / 1e6)
        capacity = result[16]["2xx"]
        seconds = pairs * SLICE_SECONDS
        return {"capacity_per_second": capacity / seconds, "goodput_2x": result[32]["2xx"] / capacity,
                "goodput_10x": result[160]["2xx"] / capacity, "answers": result, "rss_mb_first": rss[0], "rss_mb_max": max(rss)}


def overload(bench):
    """F12 and F14: 60 s at capacity, at twice and at ten times that; and another workspace's calls beside a flood."""
    bench.stop_cluster()
    folder = os.path.join(bench.root, ".parvis/bench/flood")
    shutil.rmtree(folder, ignore_errors=True)
    flood = Flood(bench.build, folder, bench.show)
    try:
        gateway = flood.gateway(3 if bench.quick else 10)
        webhooks = flood.webhooks(2 if bench.quick else 60 // SLICE_SECONDS)
    finally:
        flood.cluster.stop()
    steady = 0.8 <= gateway["control_p99"] <= 1.25   # of 99th percentiles, which vary more than rates
    bench.add({"name": "p99 beside a flood of 100 times as many calls / without", "ratio": round(gateway["ratio_p99"], 3),
               "control_low": round(gateway["control_p99"], 3), "control_high": round(gateway["control_p99"], 3), "target": 1.5,
               "less_is_better": True, "ours": round(gateway["flooded_p99_ms"], 1), "against": round(gateway["calm_p99_ms"], 1),
               "unit": "ms", "notes": gateway,
               "verdict": reached(gateway["ratio_p99"], 1.5, True) if steady else "no verdict: the control is off"})
    for times in ("2", "10"):
        goodput = webhooks[f"goodput_{times}x"]
        bench.add({"name": f"webhooks acknowledged at {times} times the capacity / at capacity", "ratio": round(goodput, 3),
                   "target": 0.9, "ours": round(goodput * webhooks["capacity_per_second"]), "against": round(webhooks["capacity_per_second"]),
                   "unit": "/s", "notes": webhooks, "verdict": reached(goodput, 0.9)})
