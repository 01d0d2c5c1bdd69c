"""A signed webhook, verified, normalised and acknowledged by Kafka, against nginx's `return 200`; and what idling costs."""

import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import tempfile
import time

from cpu import cpu_seconds, rss_megabytes
from measure import reached
from parvis_local.processes import Child, free_port, listens, wait_until

ACTIVITIES = "parvis.ingestion.activity.v1"


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

    @property
    def pid(self):
        return self._child.pid

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


def _body(page, comments):
    """A Page webhook with so many comments (facts: services/networks/facebook)."""
    now = int(time.time())
    changes = [{"field": "feed", "value": {"item": "comment", "verb": "add", "post_id": f"{page}_1", "parent_id": f"{page}_1",
                                           "comment_id": f"1_{n}", "from": {"id": str(900 + n), "name": "A. Person"},
                                           "message": "What a lovely lamp, where can I buy it?",
                                           "created_time": now}} for n in range(comments)]
    return json.dumps({"object": "page", "entry": [{"id": page, "time": now, "changes": changes}]}).encode()


def _pin(pid, core):
    """All threads of a process on one core."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), {core})


def _produced(cluster, topic):
    """Records in a topic so far."""
    tool = cluster.kafka._tool("org.apache.kafka.tools.GetOffsetShell", "--bootstrap-server",  # pylint: disable=protected-access
                               cluster.kafka.brokers, "--topic", topic)
    return sum(int(line.rsplit(":", 1)[1]) for line in tool.splitlines() if line.startswith(topic))


def webhook(bench):
    """Ten comments in one signed webhook. Ingestion and nginx have the first core, Kafka and the load the last one."""
    cluster = bench.quiet_cluster()
    body, sent = _body(bench.job.sandbox_accounts["facebook"]["remote_id"], 10), 0
    signature = hmac.new(cluster.secret("facebook_app_secret").encode(), body, hashlib.sha256).hexdigest()
    cores = sorted(os.sched_getaffinity(0))
    ingestion = cluster.children["ingestion"].pid
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        headers = {"content-type": "application/json", "x-hub-signature-256": f"sha256={signature}"}
        nginx, url = Nginx(), f"http://{cluster.address('ingestion_http')}/webhooks/facebook"

        def ours():
            nonlocal sent
            sent += 2000
            return h2load(url, 2000, file.name, headers)

        try:
            # A page that is not known yet is answered without work.
            wait_until(lambda: ours() and _produced(cluster, ACTIVITIES), 30, "the page is known")
            begun, sent = _produced(cluster, ACTIVITIES), 0
            for pid, core in ((nginx.pid, cores[0]), (ingestion, cores[0]), (cluster.kafka._child.pid, cores[-1]),  # pylint: disable=protected-access
                              (os.getpid(), cores[-1])):
                _pin(pid, core)
            result = bench.pair("webhook (10 comments) acknowledged / nginx return 200, one core each", ours,
                                lambda: h2load(f"http://127.0.0.1:{nginx.port}/", 6000, file.name, headers), 0.6)
            written = _produced(cluster, ACTIVITIES) - begun
            if written < 10 * sent:
                result["verdict"] = f"wrong: {written} of {10 * sent} comments are in Kafka"
        finally:
            os.sched_setaffinity(0, set(cores))
            nginx.stop()


def idle(bench):
    """All services together, doing nothing: share of one core, and memory."""
    cluster = bench.cluster()
    pids = [child.pid for name, child in cluster.children.items() if name != "sandbox"]
    time.sleep(2 if bench.quick else 20)  # what starting leaves behind settles
    before, began = sum(map(cpu_seconds, pids)), time.monotonic()
    time.sleep(4 if bench.quick else 10)
    share = (sum(map(cpu_seconds, pids)) - before) / (time.monotonic() - began)
    memory = sum(map(rss_megabytes, pids))
    bench.add({"name": "seven idle services: share of one core", "ratio": round(share, 4), "target": 0.03,
               "less_is_better": True, "verdict": reached(share, 0.03, True)})
    bench.add({"name": "seven idle services: memory, MB", "ratio": round(memory), "target": 500,
               "less_is_better": True, "verdict": reached(memory, 500, True)})
