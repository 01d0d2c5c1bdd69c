"""Networks that have one stream for all: two teams, each with a channel at X and at Bluesky, get their comments by one connection
a network, each its own, while nobody polls. What is said while ingestion is down comes when it is back."""

import json
import os
import signal
import urllib.request

from system import MainJob, Sandbox, SystemTest, main, wait_until

APP_TOKEN = "AAAAAAAAAAAAAAAAAAAAAsandbox"   # the sandbox's; not a secret
NETWORKS = ("x", "bluesky")
SELDOM = {f"poll_{way}_{bound}": "1h" for way in ("interval", "second_way") for bound in ("min", "max")}


class SharedStreams(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        token = os.path.join(cls.folder, "x-app-token")
        with open(token, "w", encoding="ascii") as file:
            file.write(APP_TOKEN + "\n")
        os.chmod(token, 0o600)
        cls.cluster.extra_flags["ingestion"] = {
            **SELDOM, "x_bearer_token_file": token, "x_stream_url": f"{cls.cluster.sandbox_url}/x",
            "jetstream_url": f"ws{cls.cluster.sandbox_url.removeprefix('http')}/jetstream",
            "stream_round": "500ms", "stream_lease": "5s", "stream_save_every": "500ms"}
        cls.cluster.children["ingestion"].signal(signal.SIGTERM)
        cls.cluster.children["ingestion"].process.wait()
        cls.cluster.restart("ingestion")
        # Without webhooks: what comes, comes by stream.
        cls.sandbox = Sandbox(cls.cluster, webhooks=False)
        cls.jobs = [MainJob(cls.cluster, cls.sandbox, cls.show, on=NETWORKS) for _ in range(2)]
        for job in cls.jobs:
            job.create_team()
            job.connect_channels()

    def metric(self, name, network):
        with urllib.request.urlopen(f"http://{self.cluster.admin_address('ingestion')}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines
                   if line.split("{")[0] == name and f'network="{network}"' in line)

    def await_heard(self):
        for network in NETWORKS:
            wait_until(lambda network=network: self.metric("parvis_ingestion_shared_stream_channels", network) == 2, 60,
                       f"{network} hears both channels")
            self.assertEqual(self.metric("parvis_ingestion_streams_open", network), 1)

    def polled_out(self):
        """Everybody has been polled, and will not be for a long while."""
        later = self.cluster.postgres.psql(
            "SELECT count(*) FROM ingestion.sources WHERE next_poll > now() + interval '10 minutes' AND lease_until IS NULL "
            "AND NOT poll_asked")
        return later == [["4"]]

    def comment(self, text):
        """A mention of every channel: {its remote id: (workspace, channel)}."""
        said = {}
        for job in self.jobs:
            for network in NETWORKS:
                account = job.sandbox_accounts[network]
                made = json.loads(self.sandbox.control("POST", "comments", {
                    "network": network, "account": account["remote_id"], "text": f"@{account['handle']} {text}"}))
                said[made["remote_id"]] = (job.workspace.rsplit("/", 1)[1], job.channels[network])
        return said

    def await_stored(self, said, what):
        def stored():
            rows = self.cluster.postgres.psql("SELECT remote_key, workspace_id, channel_id FROM inbox.messages WHERE present")
            return {key: (workspace, channel) for key, workspace, channel in rows if key in said} == said

        wait_until(stored, 60, what)

    def test_all_channels_of_a_network_are_heard_by_one_connection(self):
        self.await_heard()
        wait_until(self.polled_out, 60, "the polls after joining are over")
        self.await_stored(self.comment("Is the lamp dimmable?"), "every team has its own comments")
        for network in NETWORKS:
            self.assertGreaterEqual(self.metric("parvis_ingestion_streamed_activities_total", network), 2)
        self.assertTrue(self.polled_out(), "and nobody polled")
        # A replica that dies says nothing: the next one goes on from the cursor.
        self.cluster.kill("ingestion")
        meanwhile = self.comment("And in which colours?")
        self.cluster.restart("ingestion")
        self.await_heard()
        self.await_stored(meanwhile, "what was said meanwhile has come")


if __name__ == "__main__":
    main()
