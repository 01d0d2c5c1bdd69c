"""S7 and S13: planted secrets must not appear in any log, metric, topic, table, error, command line, environment or
core file; and what only an operator may know or do is closed."""

import base64
import glob
import os
import re
import resource
import signal
import subprocess
import sys
import urllib.parse

from attack import UNIMPLEMENTED, admin_address, alive, grpc, http, media_address, metrics, sign_facebook
from sign_in_cases import Flow, query_of
from system import SystemTest, main
from parvis_local import connect
from parvis_local.cluster import ORDER
from parvis_local.connect import ConnectError, new_id
from parvis_local.main_job import ACCOUNTS, MEDIA, PUBLISHING, MainJob
from parvis_local.media import upload_file
from parvis_local.postgres import BIN, SERVICES
from parvis_local.processes import wait_until

OURS = [service for service in ORDER if service != "sandbox"]  # the sandbox plays the networks: it may know its tokens
# Given where a secret belongs, and wrong: they come back in the networks' refusals.
BAD = {
    "facebook": "EAACanaryFacebookToken0123456789abcdef",
    "x": "AAAACanaryXToken0123456789abcdef",
    "wordpress": "canary Word Pres sAp pPas swrd",
}


class Canary(SystemTest):
    comments = 80
    extra_flags = {
        "publishing": {"log_level": "debug"},
        "accounts": {"log_level": "debug", "refresh_interval": "200ms"},
        "inbox": {"log_level": "debug"},
        "ingestion": {"log_level": "debug", "poll_failure_max": "1s"},
        "gateway": {"log_level": "debug"},
        "moderation": {"log_level": "debug"},
        "metrics": {"log_level": "debug"},
    }

    @classmethod
    def setUpClass(cls):
        # Whoever starts us may allow core files; the services must not leave any all the same.
        soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
        cls.answers, plain_error = [], connect._error  # every refusal that a client sees

        def noted(status, body):
            cls.answers.append(body)
            return plain_error(status, body)

        connect._error = noted
        try:
            super().setUpClass()
        finally:
            resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
        cls.lead_a_life(cls)

    def lead_a_life(self):
        """Everything that makes the services talk: success, refusals, faults of networks and database."""
        for kind in ("accept_then_reset", "accept_then_504", "garbage", "server_error", "limit"):
            self.sandbox.fault(
                "facebook",
                "*",
                kind,
                count=2,
                probability=0.3,
                **({"http_status": 503} if kind == "server_error" else {}),
            )
            self.sandbox.fault(
                "wordpress",
                "write",
                kind,
                count=1,
                probability=0.5,
                **({"http_status": 500} if kind == "server_error" else {}),
            )
        self.sandbox.control("DELETE", "faults")  # connect first, then fail
        self.team_and_campaign(self)
        self.refusals(self)
        self.sign_ins(self)
        self.fetched_media(self)
        self.sandbox.fault("facebook", "list", "garbage", count=3)
        self.sandbox.fault("x", "read", "server_error", count=3, http_status=503)
        self.job.release_audience()
        client = self.job.client("owner")
        for network, account in self.job.sandbox_accounts.items():
            self.sandbox.control(
                "POST",
                f"accounts/{network}/{urllib.parse.quote(account['remote_id'], safe='')}/token",
                {"state": "revoked"},
            )
        self.job.answer_some("ben", 3, 7)

        def broken():
            channels = client.call(f"{ACCOUNTS}/ListChannels", {"parent": self.job.workspace})["channels"]
            return any(channel["state"] == "CHANNEL_STATE_BROKEN" for channel in channels)

        wait_until(broken, 60, "a channel is found broken")
        self.cluster.postgres.kill()  # connection strings come up when the database is gone
        self.try_all(self)
        self.cluster.postgres.launch()
        wait_until(lambda: self.try_all(self) == 0, 60, "the services reach the database again", 0.5)

    def try_all(self):
        failed = 0
        for method in (
            f"{ACCOUNTS}/ListMembers",
            f"{PUBLISHING}/ListCampaigns",
            "inbox.v1.InboxService/ListConversations",
        ):
            try:
                impatient = connect.Client(self.cluster.gateway_url, self.job.keys["owner"], timeout=3)
                impatient.call(method, {"parent": self.job.workspace})
            except ConnectError:
                failed += 1
        return failed

    def refusals(self):
        owner = self.job.client("owner")
        fields = {"facebook": "access_token", "x": "access_token"}
        blog = self.job.sandbox_accounts["wordpress"]
        for network, secret in BAD.items():
            credentials = (
                {fields[network]: secret} if network in fields else {"username": "u", "application_password": secret}
            )
            site = {"siteUrl": blog["site_url"]} if network == "wordpress" else {}
            for given in (
                credentials,
                {secret: "x"},
                {**credentials, "extra": secret},
                {k: v * 300 for k, v in credentials.items()},
            ):
                try:
                    owner.call(
                        f"{ACCOUNTS}/ConnectChannel",
                        {
                            "parent": self.job.workspace,
                            "network": network,
                            "credentials": given,
                            "requestId": new_id(),
                            **site,
                        },
                    )
                except ConnectError as refused:
                    self.answers.append(str(refused).encode())
        for key in (self.job.keys["ben"] + "x", "pv_canary_key_that_is_nobodys", BAD["x"]):
            try:
                owner.with_key(key).call(f"{ACCOUNTS}/ListMembers", {"parent": self.job.workspace})
            except ConnectError as refused:
                self.answers.append(str(refused).encode())
        body = b'{"object":"page"}'
        hooks = self.cluster.address("ingestion_http")
        for headers in (sign_facebook("wrong", body), {"Authorization": "Bearer " + BAD["x"]}):
            self.answers.append(http(hooks, "POST", "/webhooks/facebook", body, headers)[2])
        self.answers.append(
            http(hooks, "GET", "/webhooks/facebook?hub.mode=subscribe&hub.challenge=1&hub.verify_token=" + BAD["x"])[2]
        )

    def fetched_media(self):
        """By its public address, and by one that opens nothing."""
        medium = upload_file(self.job.client("manager"), MEDIA, self.job.workspace, "image/jpeg")["name"]
        address, door = media_address(self.cluster.secret("media_address_key"), medium), self.cluster.address("gateway_http")
        self.signature = address.rsplit("=", 1)[1]
        assert http(door, "GET", address)[0] == 200, "the address is good"
        for path in (address + "x", address.replace("expires=", "expires=1"), address.replace("/media/", "/nowhere/")):
            self.answers.append(http(door, "GET", path)[2])

    def sign_ins(self):
        """By OAuth: some that succeed, and are refreshed; some that the network, the line or we ourselves refuse."""
        team, elsewhere = MainJob(self.cluster, self.sandbox, self.show), "https://elsewhere.example/callback"
        team.create_team()
        flow = self.flow = Flow(self.cluster, self.sandbox, team)
        self.sandbox.register_app("x", [elsewhere])
        flow.sign_in("mastodon", flow.account("mastodon"))
        self.sandbox.control("POST", "oauth/settings", {"network": "x", "access_seconds": 2})
        revoked, kept = flow.account("x"), flow.account("x")
        channels = [flow.sign_in("x", account)["name"] for account in (revoked, kept)]
        self.sandbox.control("POST", f"accounts/x/{revoked['remote_id']}/token", {"state": "revoked"})
        wait_until(lambda: flow.counts().get("refused_refresh_ended"), 20, "the network refuses to refresh")
        wait_until(lambda: flow.counts().get("refreshed"), 20, "a token is refreshed")
        self.sandbox.fault("x", "token", "accept_then_reset", count=1, account=kept["remote_id"])
        wait_until(lambda: flow.channel(channels[1])["state"] == "CHANNEL_STATE_BROKEN", 20, "what a refresh brought is lost")
        for kind in ("garbage", "server_error", "accept_then_504", "limit", ""):
            account = flow.account("x")
            url, state = flow.begin("x", account)
            if kind:
                self.sandbox.fault("x", "token", kind, count=1, account=account["remote_id"], http_status=503)
            else:
                url = url.replace(urllib.parse.quote(self.cluster.sign_in_redirect_uri, safe=""),
                                  urllib.parse.quote(elsewhere, safe=""))
            given = query_of(self.sandbox.consent(url, account["remote_id"]))
            for _ in range(2):
                try:
                    flow.complete(given)
                    raise AssertionError(f"a sign-in was completed in spite of {kind or 'another redirect'}")
                except ConnectError as refused:
                    self.answers.append(str(refused).encode())

    # ---- the search --------------------------------------------------------

    def planted(self):
        """{what: secret}: all that this installation must keep to itself."""
        found = {f"bad {network} token": secret for network, secret in BAD.items()}
        found["the signature of a medium's address"] = self.signature
        for path in glob.glob(os.path.join(self.cluster.folder, "secrets/*")):
            with open(path, encoding="ascii") as file:
                found[os.path.basename(path)] = file.read().split()[-1]
        for service in SERVICES:
            for role in ("owner", "api", "stream"):
                with open(self.cluster.postgres.password_file(service, role), encoding="ascii") as file:
                    found[f"{service}_{role}"] = file.read().strip()
        for job in (self.job, self.flow.job):
            found.update({f"{who}'s key in {job.workspace}": key.rsplit("_", 1)[1] for who, key in job.keys.items()})
        for network, account in self.job.sandbox_accounts.items():
            found.update(
                {f"{network} {field}": value for field, value in account["credentials"].items() if field != "username"}
            )
        found.update(self.flow.secrets())
        return found

    def forms(self):
        """{form of a secret: what it is}."""
        out = {}
        for what, secret in self.planted().items():
            self.assertGreater(len(secret), 12, what)
            raw = secret.encode()
            # The inside of the base64 form is the same whatever stands before the secret, at one of three offsets.
            codes = [base64.b64encode(b"\0" * pad + raw)[4 if pad else 0 : -4] for pad in range(3)]
            for form in (raw, urllib.parse.quote(secret, safe="").encode(), raw.hex().encode(), *codes):
                if len(form) > 12:
                    out[form] = what
        return out

    def search(self, where, data):
        for form, what in self.forms_once.items():
            self.assertNotIn(
                form, data, f"{what} is in {where}: …{data[max(0, data.find(form) - 80):data.find(form)]!r}"
            )

    @property
    def forms_once(self):
        if not hasattr(type(self), "_forms"):
            type(self)._forms = self.forms()
        return self._forms

    def test_logs(self):
        size = 0
        for service in OURS:
            with open(self.cluster.children[service].log_path, "rb") as file:
                data = file.read()
            size += len(data)
            self.search(f"{service}'s log", data)
            self.assertNotRegex(data, rb"Bearer [A-Za-z0-9]|Basic [A-Za-z0-9]|svc\.[A-Za-z0-9_-]{8}", service)
        for path in (
            os.path.join(self.cluster.postgres.folder, "postgres.log"),
            os.path.join(self.cluster.kafka.folder, "kafka.log"),
        ):
            with open(path, "rb") as file:
                self.search(path, file.read())
        self.assertGreater(size, 10000, "the services said too little: the test cannot tell")

    def test_metrics(self):
        for service in OURS:
            text = metrics(self.cluster, service)
            self.assertIn("parvis_", text)
            self.search(f"{service}'s metrics", text.encode())

    def test_topics(self):
        kafka = self.cluster.kafka
        command = ["org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", kafka.brokers]
        command += ["--include", "parvis[.].*", "--from-beginning", "--timeout-ms", "15000"]
        command += ["--property", "print.headers=true", "--property", "print.key=true"]
        data = subprocess.run(kafka._java("-Xmx128m") + command, capture_output=True, check=False).stdout
        for of_topic in (b"parvis.moderation.v1.Assessment", b"parvis.publishing.v1.Delivery", b"parvis.inbox.v1."):
            self.assertIn(of_topic, data, "the test must have read the topics")
        self.assertGreater(data.count(b"ce_workspace"), 100)
        self.search("a topic", data)

    def test_database(self):
        """Channel tokens are sealed, keys are hashed: not even a backup has them."""
        postgres = self.cluster.postgres
        with open(os.path.join(postgres.folder, "superuser-password"), encoding="ascii") as file:
            env = dict(os.environ, PGPASSWORD=file.read())
        dump = subprocess.run(
            [f"{BIN}/pg_dump", "-h", "127.0.0.1", "-p", str(postgres.port), "-U", "postgres", "--data-only", "parvis"],
            capture_output=True,
            env=env,
            check=True,
        ).stdout
        self.assertIn(b"channels", dump)
        self.search("the database", dump)

    def test_answers(self):
        self.assertGreater(len(self.answers), 20)
        self.search("an answer", b"\n".join(self.answers))

    def test_command_lines_environments_and_ready_files(self):
        for service in OURS:
            pid = self.cluster.children[service].pid
            for name in ("cmdline", "environ"):
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    self.search(f"{service}'s {name}", file.read())
            with open(os.path.join(self.cluster.folder, "ready", service), "rb") as file:
                self.search(f"{service}'s ready file", file.read())

    def test_zz_a_crash_leaves_no_core_file(self):
        """Last of all: every service is ended by SIGABRT."""
        control = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import os, resource; h = resource.getrlimit(4)[1]; resource.setrlimit(4, (h, h)); " "os.abort()",
            ],
            cwd=self.cluster.folder,
        )
        if os.waitid(os.P_PID, control.pid, os.WEXITED | os.WNOWAIT).si_code != os.CLD_DUMPED:
            print("  this machine writes no core files at all: only the limits are looked at", flush=True)
        control.wait()
        for service in OURS:
            child = self.cluster.children[service]
            with open(f"/proc/{child.pid}/limits", encoding="ascii") as file:
                limit = next(line.split() for line in file if line.startswith("Max core file size"))
            self.assertEqual(limit[4:6], ["0", "0"], service)
            os.kill(child.pid, signal.SIGABRT)
            ended = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
            self.assertNotEqual(ended.si_code, os.CLD_DUMPED, f"{service} dumped its memory")
            child.process.wait()

    # ---- S13 ---------------------------------------------------------------

    def test_no_port_tells_what_there_is_to_call(self):
        for service in SERVICES:
            # Again when the refusal came before curl had sent its body, which it takes for a broken stream (92).
            def refused(address=self.cluster.address(f"{service}_grpc")):
                return grpc(address, "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", b"\x3a\x00")[0] == UNIMPLEMENTED

            wait_until(refused, 20, f"{service} says that it has no reflection", 0.1)

    def test_the_admin_port_shows_three_pages_and_takes_nothing(self):
        for service in OURS:
            address = admin_address(self.cluster, service)
            self.assertTrue(address.startswith("127.0.0.1:"), address)
            for path in ("/", "/config", "/debug/pprof/", "/flags", "/env", "/metrics/../etc/passwd", "/quitquitquit"):
                self.assertEqual(http(address, "GET", path)[0], 404, f"{service} {path}")
            for method in ("POST", "PUT", "DELETE"):
                self.assertIn(http(address, method, "/livez", b"x")[0], (400, 404, 405, 501), f"{service} {method}")
            self.assertTrue(alive(self.cluster, service))

    def test_everything_listens_on_loopback(self):
        for service in OURS:
            pid, ours = self.cluster.children[service].pid, set()
            for handle in os.listdir(f"/proc/{pid}/fd"):
                found = re.match(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{handle}"))
                if found:
                    ours.add(found.group(1))
            for table, loopback in (
                ("tcp", ("0100007F",)),
                ("tcp6", ("00000000000000000000000001000000", "0000000000000000FFFF00000100007F")),
            ):
                with open(f"/proc/{pid}/net/{table}", encoding="ascii") as file:
                    for line in file.read().splitlines()[1:]:
                        fields = line.split()
                        if fields[3] == "0A" and fields[9] in ours:
                            self.assertIn(fields[1].split(":")[0], loopback, f"{service} listens on {fields[1]}")

    def test_what_operators_do_needs_the_operators_key(self):
        for method, request in (
            (f"{ACCOUNTS}/CreateOrganization", {"organization": {"displayName": "x"}, "requestId": new_id()}),
            (f"{ACCOUNTS}/ResealCredentials", {}),
        ):
            with self.assertRaises(ConnectError) as refused:
                self.job.client("owner").call(method, request)
            self.assertEqual(refused.exception.code, "permission_denied")


if __name__ == "__main__":
    main()
