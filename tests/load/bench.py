"""The benches of scripts/bench: what Parvis costs beside what it cannot do without. Ratios, never absolute promises."""

import argparse
import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../system"))
sys.path.insert(0, HERE)
from measure import Pairs, steal_ticks  # noqa: E402
from system import BUILD, ROOT  # noqa: E402
from parvis_local.cluster import Cluster  # noqa: E402
from parvis_local.main_job import MainJob  # noqa: E402
from parvis_local.processes import Child, free_port, listens, wait_until  # noqa: E402
from parvis_local.sandbox import Sandbox  # noqa: E402
from parvis_local.show import Show  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


class Nginx:
    """`return 200`, one worker: the least an HTTP server can do."""

    def __init__(self):
        self.folder, self.port = tempfile.mkdtemp(prefix="parvis-nginx-"), free_port()
        config = os.path.join(self.folder, "nginx.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(f"daemon off; master_process off; pid {self.folder}/pid; error_log stderr error;\n"
                       "events { worker_connections 1024; }\n"
                       f"http {{ access_log off; client_body_temp_path {self.folder}; keepalive_requests 1000000;\n"
                       f"  server {{ listen 127.0.0.1:{self.port}; location / {{ return 200; }} }} }}\n")
        self._child = Child("nginx", ["/usr/sbin/nginx", "-c", config, "-p", self.folder],
                            os.path.join(self.folder, "log")).start()
        wait_until(lambda: self._child.check() and listens(self.port), 10, "nginx listens")

    def stop(self):
        self._child.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def h2load(url, requests, body_file, headers, clients=32):
    """Requests per second of one slice."""
    command = ["h2load", "--h1", "-n", str(requests), "-c", str(clients), "-d", body_file, url]
    for key, value in headers.items():
        command += ["-H", f"{key}: {value}"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    failed = re.search(r"requests: .*?(\d+) succeeded, (\d+) failed", out)
    if not failed or int(failed.group(1)) != requests:
        raise RuntimeError(f"h2load: {out[-400:]}")
    return float(re.search(r"finished in [\d.]+\w+, ([\d.]+) req/s", out).group(1))


def cpu_seconds(pid):
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_megabytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


class Benches:
    def __init__(self, show, quick):
        self.show, self.quick, self.results = show, quick, []
        self.pairs = 10 if quick else 30

    def run(self):
        folder = os.path.join(ROOT, ".parvis/bench")
        shutil.rmtree(folder, ignore_errors=True)
        self.cluster = Cluster(folder, BUILD, self.show.step, fixed_ports=False)
        try:
            self.cluster.start()
            self.idle()
            # Many calls at once: what is measured is Parvis, not the patience of the one who pushes.
            self.sandbox = Sandbox(self.cluster, push={"lanes": 32, "threads_in_order": False})
            self.job = MainJob(self.cluster, self.sandbox, self.show)
            self.job.create_team()
            self.job.connect_channels()
            self.job.write_policy()
            self.webhook()
            self.stage("assess stage / no-op stage", "parvis-assess-bench", None)
            self.stage("inbox fold / raw COPY, same indexes", "parvis-fold-bench", None)
            self.pipeline()
        finally:
            self.cluster.stop()

    def pair(self, name, ours, theirs, target=None):
        self.results.append(Pairs(name, ours, theirs, self.pairs, target).run(self.show.progress))

    def webhook(self):
        """A signed webhook of ten comments, verified, normalised and acknowledged by Kafka, against nginx's `return 200`."""
        page = self.job.sandbox_accounts["facebook"]["remote_id"]
        changes = [{"field": "feed", "value": {"item": "comment", "verb": "add", "post_id": f"{page}_1", "parent_id": f"{page}_1",
                                               "comment_id": f"1_{n}", "from": {"id": str(900 + n), "name": "A. Person"},
                                               "message": "What a lovely lamp, where can I buy it?",
                                               "created_time": int(time.time())}} for n in range(10)]
        body = json.dumps({"object": "page", "entry": [{"id": page, "time": int(time.time()), "changes": changes}]}).encode()
        signature = hmac.new(self.cluster.secret("facebook_app_secret").encode(), body, hashlib.sha256).hexdigest()
        with tempfile.NamedTemporaryFile() as file:
            file.write(body)
            file.flush()
            headers = {"content-type": "application/json", "x-hub-signature-256": f"sha256={signature}"}
            nginx = Nginx()
            try:
                url = f"http://{self.cluster.address('ingestion_http')}/webhooks/facebook"
                self.pair("webhook (10 comments) acknowledged / nginx return 200",
                          lambda: h2load(url, 2000, file.name, headers),
                          lambda: h2load(f"http://127.0.0.1:{nginx.port}/", 6000, file.name, headers))
            finally:
                nginx.stop()

    def stage(self, name, binary, target):
        """A bench binary speaks one line of JSON per slice: it is asked for `ours` or `against`, answers items per second."""
        path = os.path.join(BUILD, "bin", binary)
        server = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)

        def side(which):
            server.stdin.write(which + "\n")
            server.stdin.flush()
            return float(server.stdout.readline())

        try:
            self.pair(name, lambda: side("ours"), lambda: side("against"), target)
        finally:
            server.stdin.close()
            server.wait(30)

    def idle(self):
        """All services together, doing nothing for ten seconds: share of one core, and memory."""
        pids = [child.pid for name, child in self.cluster.children.items() if name != "sandbox"]
        time.sleep(5)  # what starting leaves behind settles
        before, began = sum(map(cpu_seconds, pids)), time.monotonic()
        time.sleep(10)
        share = (sum(map(cpu_seconds, pids)) - before) / (time.monotonic() - began)
        memory = sum(map(rss_megabytes, pids))
        self.results.append({"name": "seven idle services: share of one core", "ratio": round(share, 4), "target": 0.03,
                             "verdict": "reached" if share <= 0.03 else "not reached"})
        self.results.append({"name": "seven idle services: memory, MB", "ratio": round(memory), "target": 500,
                             "verdict": "reached" if memory <= 500 else "not reached"})
        self.show.step(f"idle: {share:.2%} of one core, {memory:.0f} MB")

    def pipeline(self):
        """Webhook to conversation visible, at full speed, against 2 ÷ Σ of what the stages cost in the same run."""
        comments = 6000 if self.quick else 30000
        self.job.write_campaign()
        self.job.approve_and_schedule()
        self.job.await_deliveries()
        stages = {name: self.cluster.children[name].pid for name in ("ingestion", "moderation", "inbox")}
        cpu, stolen = {name: cpu_seconds(pid) for name, pid in stages.items()}, steal_ticks()
        stored, began = self.job.stored(), time.monotonic()
        self.sandbox.start_audience(comments, plain=True, networks=("facebook", "x"))  # those with webhooks
        wait_until(lambda: self.job.stored() - stored >= comments, 600, "all comments are visible", 0.2)
        seconds = time.monotonic() - began
        costs = {name: (cpu_seconds(pid) - cpu[name]) / comments for name, pid in stages.items()}
        rate, roofline = comments / seconds, 2 / sum(costs.values())
        self.results.append({"name": "whole pipeline / roofline", "ratio": round(rate / roofline, 3), "target": 0.25,
                             "ours_per_second": round(rate), "against_per_second": round(roofline),
                             "verdict": "reached" if rate / roofline >= 0.25 else "not reached",
                             "microseconds_per_event": {k: round(v * 1e6, 1) for k, v in costs.items()},
                             "steal": round((steal_ticks()[0] - stolen[0]) / max(1, steal_ticks()[1] - stolen[1]), 4)})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a third of the pairs")
    parser.add_argument("--json", default=os.path.join(ROOT, ".parvis/bench.json"), help="where the figures go")
    options = parser.parse_args()
    show = Show()
    benches = Benches(show, options.quick)
    show.chapter("Measuring")
    benches.run()
    with open(options.json, "w", encoding="utf-8") as file:
        json.dump(benches.results, file, indent=1)
    show.table(("what", "ratio", "95 %", "control", "ours /s", "against /s", "target", "verdict"),
               [(r["name"], r["ratio"], f"{r.get('low', '')}–{r.get('high', '')}",
                 f"{r.get('control_low', '')}–{r.get('control_high', '')}", r.get("ours_per_second", ""),
                 r.get("against_per_second", ""), r["target"] or "", r["verdict"]) for r in benches.results])
    print(f"\n  figures: {os.path.relpath(options.json, ROOT)}")


if __name__ == "__main__":
    main()
