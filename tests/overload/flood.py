"""What the overload tests and the bench share: signed webhook calls of our own, a flood by h2load, and what a process shows."""

import hashlib
import hmac
import http.client
import json
import os
import re
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request


class Page:
    """A Facebook Page of a workspace, for which webhook calls are made here: as many as wanted, each with its own comment."""

    def __init__(self, cluster, remote_id, name):
        self.url = f"http://{cluster.address('ingestion_http')}/webhooks/facebook"
        self.remote_id, self.name = remote_id, name
        self._secret = cluster.secret("facebook_app_secret").encode()

    def comment(self, number):
        return f"{self.remote_id}_{self.name}{number}"

    def body(self, number, size):
        """One call that tells of one comment of about `size` bytes."""
        now, post = int(time.time()), f"{self.remote_id}_1"
        value = {"item": "comment", "verb": "add", "post_id": post, "parent_id": post, "comment_id": self.comment(number),
                 "from": {"id": "77", "name": "Flo Odd"}, "message": f"{number} " + "x" * size, "created_time": now}
        return json.dumps({"object": "page", "entry": [{"id": self.remote_id, "time": now,
                                                        "changes": [{"field": "feed", "value": value}]}]}).encode()

    def headers(self, body):
        return {"Content-Type": "application/json",
                "X-Hub-Signature-256": "sha256=" + hmac.new(self._secret, body, hashlib.sha256).hexdigest()}


class Sender:
    """A network that sends one call after the other, each until it is taken: as many threads as `at_once`."""

    def __init__(self, page, size, at_once, first=0):
        self.page, self.size = page, size
        self.acked, self.refused, self.without_retry_after, self.odd = [], {}, 0, []
        self._lock, self._stop, self._next = threading.Lock(), threading.Event(), first
        self._threads = [threading.Thread(target=self._run) for _ in range(at_once)]

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def refusals(self):
        with self._lock:
            return sum(self.refused.values())

    def finish(self):
        """No new calls; those begun are sent until they are taken."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        return self

    def _run(self):
        at = urllib.parse.urlsplit(self.page.url)
        connection = http.client.HTTPConnection(at.hostname, at.port, timeout=60)
        while not self._stop.is_set():
            with self._lock:
                number, self._next = self._next, self._next + 1
            body = self.page.body(number, self.size)
            while not self._once(connection, at.path, body):
                pass
            with self._lock:
                self.acked.append(self.page.comment(number))
        connection.close()

    def _once(self, connection, path, body):
        try:
            connection.request("POST", path, body, self.page.headers(body))
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as failure:
            connection.close()
            with self._lock:
                self.odd.append(repr(failure))
            return False
        if answer.status == 200:
            return True
        with self._lock:
            self.refused[answer.status] = self.refused.get(answer.status, 0) + 1
            self.without_retry_after += answer.getheader("Retry-After") is None
        self._stop.wait(0.05)   # a network waits longer; here it presses on
        return False


def h2load(url, headers, body_file, clients, seconds=None, requests=None, rps=None):
    """A closed-loop flood; {"2xx", "4xx", "5xx", "failed", "per_second"} of the answers."""
    command = ["h2load", "--h1", "-t", "1", "-c", str(clients), "-d", body_file]
    command += ["-D", str(seconds)] if seconds else ["-n", str(requests)]
    command += ["--rps", str(rps)] if rps else []
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    began = time.monotonic()
    out = subprocess.run([*command, url], capture_output=True, text=True, timeout=300, check=False).stdout
    took = time.monotonic() - began
    codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", out)
    failed = re.search(r"(\d+) failed, (\d+) errored", out)
    if not codes:
        raise RuntimeError(f"h2load: {out[-400:]}")
    answers = dict(zip(("2xx", "3xx", "4xx", "5xx"), map(int, codes.groups())))
    answers.update(failed=int(failed.group(2)) if failed else 0, per_second=answers["2xx"] / (seconds or took))
    return answers


class Admin:
    """The admin address of one of the cluster's processes."""

    def __init__(self, cluster, name):
        with open(os.path.join(cluster.folder, "ready", name), encoding="ascii") as file:
            self._address = dict(line.strip().split("=", 1) for line in file)["admin"]

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://{self._address}{path}", timeout=10) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.read().decode()

    def metric(self, series):
        """The value of one series ('name' or 'name{label="value"}'), None when there is none."""
        for line in self.get("/metrics").splitlines():
            if line.startswith(series + " "):
                return float(line.rsplit(" ", 1)[1])
        return None


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")
