"""Overload: who floods is refused with a time to come back, the others are served, and nothing acknowledged is lost (F12, F14)."""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../system"), os.path.join(HERE, "../robustness")]
from flood import Admin, Page, Sender, h2load, percentile  # noqa: E402
from result import report  # noqa: E402
from system import MainJob, SystemTest, main, wait_until  # noqa: E402

LIST = "inbox.v1.InboxService/ListConversations"
RSS_MAX = 1 << 30   # with the sanitizers' shadow; the bench holds the release build to 250 MB


class Overload(SystemTest):
    comments = 200
    extra_flags = {
        "gateway": {"workspace_calls_per_second": 100, "workspace_calls_burst": 300},
        "ingestion": {"webhook_inflight_max_bytes": 1 << 20, "webhook_retry_after": "1s"}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = MainJob(cls.cluster, cls.sandbox, cls.show)
        for job in (cls.job, cls.other):
            job.create_team()
            job.connect_channels()
        cls.pages = [Page(cls.cluster, job.sandbox_accounts["facebook"]["remote_id"], name)
                     for job, name in ((cls.job, "flood"), (cls.other, "calm"))]
        for page in cls.pages:   # from here on ingestion knows whose they are
            Sender(page, 10, 1, first=1_000_000).start().finish()

    # ---- F14: one workspace floods the gateway ----------------------------------------------------------------------

    def test_a_flood_of_one_workspace_is_refused_and_the_other_is_served(self):
        flooder, calm = self.job.client("manager"), self.other.client("manager")
        for client, job in ((flooder, self.job), (calm, self.other)):   # the gateway learns whose keys they are
            client.call(LIST, {"parent": job.workspace})
        quiet = self.timed(calm, 60)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as body:
            body.write('{"parent": "%s"}' % self.job.workspace)
            body.flush()
            answers = {}
            flood = threading.Thread(target=lambda: answers.update(h2load(
                f"{self.cluster.gateway_url}/parvis.{LIST}", {"Authorization": f"Bearer {flooder.key}", "Content-Type": "application/json"},
                body.name, clients=20, requests=20_000)))
            flood.start()
            shed = 'parvis_gateway_rate_limited_total{layer="workspace"}'
            key = 'parvis_gateway_rate_limited_total{layer="key"}'
            gateway = Admin(self.cluster, "gateway")
            wait_until(lambda: (gateway.metric(shed) or 0) + (gateway.metric(key) or 0) > 0, 60, "the flood is refused")
            refused = self.refusal(flooder)
            under_flood = self.timed(calm, 60)   # raises when it is refused
            ready = gateway.get("/readyz")
            flood.join()
        self.assertGreaterEqual(int(refused[0]["Retry-After"]), 1)
        self.assertRegex(refused[1], "RATE_LIMITED")
        self.assertGreater(answers["4xx"], answers["2xx"])
        self.assertEqual((answers["5xx"], answers["failed"]), (0, 0), answers)
        self.assertIn("degraded: calls_shed", ready)
        self.assertIn("do: ", ready)
        ratio = percentile(under_flood, 0.99) / percentile(quiet, 0.99)
        print(f"flooder: {answers['2xx']} answered, {answers['4xx']} refused; the other's p99 {percentile(under_flood, 0.99) * 1000:.1f} ms, "
              f"{ratio:.2f} x its own without the flood (judged by scripts/bench)", flush=True)
        report("F14", 1, 20_000, note=f"{answers['4xx']} calls refused, none of the other workspace")

    def timed(self, client, count):
        took = []
        for _ in range(count):
            began = time.monotonic()
            client.call(LIST, {"parent": self.other.workspace})
            took.append(time.monotonic() - began)
        return took

    def refusal(self, client):
        """Headers and body of the first 429."""
        at = urllib.parse.urlsplit(self.cluster.gateway_url)
        connection = http.client.HTTPConnection(at.hostname, at.port, timeout=30)
        for _ in range(2000):
            connection.request("POST", f"/parvis.{LIST}", json.dumps({"parent": self.job.workspace}),
                               {"Authorization": f"Bearer {client.key}", "Content-Type": "application/json"})
            answer = connection.getresponse()
            body = answer.read().decode()
            if answer.status == 429:
                connection.close()
                return answer.headers, body
        raise AssertionError("2000 calls beside the flood, and none was refused")

    # ---- F12: more webhooks than can be acknowledged ----------------------------------------------------------------

    def test_webhooks_beyond_capacity_are_refused_shared_out_and_none_acknowledged_is_lost(self):
        ingestion = Admin(self.cluster, "ingestion")
        flood_page, calm_page = self.pages
        broker = self.cluster.kafka._child
        broker.signal(signal.SIGSTOP)   # nothing is acknowledged: what is in flight stays there
        try:
            flood = Sender(flood_page, 30_000, 40).start()
            wait_until(lambda: flood.refusals() > 20, 60, "the flood is refused")
            calm = Sender(calm_page, 1_000, 4).start()
            refused = flood.refusals()
            wait_until(lambda: flood.refusals() > refused + 100, 60, "the flood goes on")
            ready = ingestion.get("/readyz")
            self.assertEqual(ingestion.metric('parvis_degraded{mode="webhooks_shed"}'), 1)
            inflight = ingestion.metric("parvis_ingestion_webhook_inflight_bytes")
            calm_refused = dict(calm.refused)
        finally:
            broker.signal(signal.SIGCONT)
        wait_until(lambda: len(calm.acked) >= 100 and len(flood.acked) >= 200, 120, "it recovers without help")
        rss = ingestion.metric("process_resident_memory_bytes")
        for sender in (flood, calm):
            sender.finish()
        print(f"flood: {len(flood.acked)} acknowledged, refused {flood.refused}; the other: {len(calm.acked)}, {calm.refused}; "
              f"in flight {inflight / 1024:.0f} KiB of 1024; RSS {rss / 1e6:.0f} MB", flush=True)
        self.assertIn("degraded: webhooks_shed", ready)
        self.assertLessEqual(inflight, 1 << 20)
        self.assertLess(rss, RSS_MAX)
        self.assertGreater(flood.refused.get(429, 0), 0)
        self.assertEqual(set(flood.refused) - {429, 503}, set())
        self.assertEqual(calm_refused, {}, "there was room for the other all the time")
        self.assertNotIn(429, calm.refused)
        self.assertEqual(flood.without_retry_after + calm.without_retry_after, 0)
        for sender, job in ((flood, self.job), (calm, self.other)):
            self.await_stored(sender, job)
        wait_until(lambda: ingestion.metric('parvis_degraded{mode="webhooks_shed"}') == 0, 60, "the mode has ended")
        self.assertEqual(ingestion.metric("parvis_ingestion_webhook_inflight_bytes"), 0)
        report("F12", 1, sum(flood.refused.values()), note="refused and told when to come back; all acknowledged is stored, once")
        self.reconcile(flood.acked[0])

    def reconcile(self, victim):
        """Everything accepted is accounted for; and what is taken away behind the services' back is named."""
        output = []

        def balanced():
            status, output[:] = self.reconciled()
            return status == 0 and output[-1].split()[4:5] == ["0"]   # nothing on its way any more

        wait_until(balanced, 60, "the books are balanced", 1)
        print("\n".join(output), flush=True)
        workspace = self.job.workspace.removeprefix("workspaces/")
        self.cluster.postgres.psql(f"DELETE FROM inbox.messages WHERE workspace_id = '{workspace}' AND remote_key = '{victim}'")
        status, output = self.reconciled()
        self.assertEqual(status, 1, output)
        self.assertTrue(any(line.startswith("missing: ") and workspace in line and victim in line for line in output), output)

    def reconciled(self):
        postgres = self.cluster.postgres
        done = subprocess.run([f"{self.cluster.build}/bin/parvis-reconcile", f"--bus_brokers={self.cluster.kafka.brokers}",
                               f"--db_dsn={postgres.dsn('inbox', 'stream')}",
                               f"--db_password_file={postgres.password_file('inbox', 'stream')}"],
                              capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout.splitlines()

    def await_stored(self, sender, job):
        """Everything that was acknowledged is in the inbox, once."""
        def stored():
            rows = self.cluster.postgres.psql(
                "SELECT remote_key FROM inbox.messages WHERE workspace_id = '%s' AND present" %
                job.workspace.removeprefix("workspaces/"))
            return [row[0] for row in rows]

        acked = set(sender.acked)
        wait_until(lambda: acked <= set(stored()), 120, "everything acknowledged is in the inbox", 0.5)
        found = [key for key in stored() if key in acked]
        self.assertEqual(len(found), len(acked), "0 lost, 0 doubled")


if __name__ == "__main__":
    main()
