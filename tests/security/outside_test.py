"""S4 and S12: addresses that our services must not call whatever a tenant writes, and networks whose answers are made
to hurt; S7: signing in to networks (sign_in_cases.py); S8 and S9: texts in disguise and policies made to hurt
(moderation_cases.py)."""

import time

from attack import alive, await_resident_below, resident_mb, slack
from hostile import HostileSite, Trap
from moderation_cases import HostileModeration
from sign_in_cases import SigningIn
from system import SystemTest, main
from parvis_local.connect import ConnectError, new_id
from parvis_local.main_job import ACCOUNTS
from parvis_local.processes import wait_until
from parvis_local.verify import Verdict

# The sandbox and our hostile sites live on 127.0.0.1 (and one on .3); all else of 127/8 stands for what is private.
ALLOWED = "127.0.0.1/32"
GROWTH_MAX_MB = 250
HOSTILE = (
    "wrong_types",
    "not_json",
    "deep",
    "gzip_bomb",
    "huge",
    "drips",
    "endless_headers",
    "redirect",
    "redirect_301",
    "redirect_307",
    "odd_status",
    "forbidden_with_a_long_story",
    "closes",
)


def forbidden(port):
    """Site addresses that lead, or might lead, to 127.0.0.2:port, [::1]:port or another private place."""
    v4 = (
        "127.0.0.2",
        "127.2",
        "127.0.2",
        "2130706434",
        "0x7f000002",
        "0x7f.0.0.2",
        "0177.0.0.2",
        "0177.0.0.02",
        "017700000002",
        "127.0.0.2.",
        "0x7f.2",
        "%31%32%37.0.0.2",
        "①②⑦.⓪.⓪.②",
        "127。0。0。2",
        "127.0.0.2%00.example",
        "0.0.0.0",
        "0",
    )
    v6 = (
        "::1",
        "::",
        "::ffff:127.0.0.2",
        "::ffff:7f00:2",
        "0:0:0:0:0:ffff:7f00:0002",
        "::127.0.0.2",
        "64:ff9b::7f00:2",
        "64:ff9b::127.0.0.2",
        "2002:7f00:2::",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "fe80::1%25lo",
        "::1%25lo",
    )
    for host in v4 + tuple(f"[{h}]" for h in v6):
        for scheme in ("http", "https"):
            yield f"{scheme}://{host}:{port}"
    for host in (
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "100.64.0.1",
        "metadata.google.internal",
    ):
        yield f"http://{host}"
    for scheme in ("ftp", "file", "gopher", "dict", "ldap", "smb", "telnet", "scp", "ws", "javascript"):
        yield f"{scheme}://127.0.0.2:{port}/"
    yield from (
        f"http://127.0.0.1@127.0.0.2:{port}",
        f"http://user:password@127.0.0.2:{port}",
        f"http://127.0.0.1:80\\@127.0.0.2:{port}",
        f"http://127.0.0.2:{port}#@127.0.0.1",
        f"http://127.0.0.2:{port}?@127.0.0.1",
        f"http:///127.0.0.2:{port}",
        f"http:127.0.0.2:{port}",
        f"//127.0.0.2:{port}",
        f"127.0.0.2:{port}",
        f" http://127.0.0.2:{port}",
        f"http://127.0.0.1\r\nHost: x\r\n:{port}",
        f"http://127.0.0.2:{port}/\0",
        f"http://127.0.0.1 127.0.0.2:{port}",
        f"http://127.0.0.2\t:{port}",
        "http://",
        "http://:80",
        "file:///etc/passwd",
        "x" * 10000,
        "http://[::1",
        "http://[]",
    )


class Outside(HostileModeration, SigningIn, SystemTest):
    comments = 60
    extra_flags = {
        "accounts": {
            "http_client_allowed_networks": f"{ALLOWED},127.0.0.3/32",
            "http_client_request_max": "3s",
            "refresh_interval": "200ms",
        },
        "ingestion": {
            "http_client_allowed_networks": ALLOWED,
            "http_client_request_max": "3s",
            "poll_failure_max": "1s",
            "poll_interval_min": "200ms",
            "poll_interval_max": "500ms",
        },
        "publishing": {"http_client_allowed_networks": ALLOWED, "resume_check_every": "500ms"},
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.trap = Trap("127.0.0.2")
        cls.trap6 = Trap("::1", cls.trap.port)
        cls.site = HostileSite(redirect_to=f"http://127.0.0.2:{cls.trap.port}/secret")
        cls.private_site = HostileSite("127.0.0.3")
        cls.team_and_campaign(cls)
        cls.prepare_signing_in()

    @classmethod
    def tearDownClass(cls):
        for one in (cls.trap, cls.trap6, cls.site, cls.private_site):
            one.close()
        super().tearDownClass()

    def connect(self, url):
        return self.job.client("manager").call(
            f"{ACCOUNTS}/ConnectChannel",
            {
                "parent": self.job.workspace,
                "network": "wordpress",
                "siteUrl": url,
                "requestId": new_id(),
                "credentials": {"username": "u", "application_password": "the-blogs-password"},
            },
        )

    def refusal(self, url):
        with self.assertRaises(ConnectError, msg=url) as refused:
            self.connect(url)
        return refused.exception

    def test_s4_private_addresses_are_never_called(self):
        seen = 0
        for url in forbidden(self.trap.port):
            seen += 1
            error = self.refusal(url)
            self.assertIn(
                error.code,
                ("invalid_argument", "permission_denied", "failed_precondition", "unavailable"),
                f"{url}: {error}",
            )
            self.assertEqual(self.trap.hits + self.trap6.hits, 0, f"{url} was called")
            self.assertNotIn("the-blogs-password", str(error.message))
        self.assertGreater(seen, 90)

    def test_s4_open_and_closed_ports_look_alike(self):
        """What is refused is refused before anything is sent: nobody scans our network by way of our errors."""
        answers = {
            (e.code, e.reason, e.message.replace(str(port), ""))
            for port in (self.trap.port, 1)
            for e in [self.refusal(f"http://127.0.0.2:{port}")]
        }
        self.assertEqual(len(answers), 1, answers)

    def test_s4_redirects_are_not_followed(self):
        for mode in ("redirect", "redirect_301", "redirect_307"):
            self.refusal(f"{self.site.url}/{mode}")
        self.assertEqual(self.trap.hits, 0)

    def test_s4_a_poll_is_guarded_on_its_own(self):
        """Accounts may reach this site here, ingestion may not: as when a name leads elsewhere after it was
        connected."""
        channel = self.connect(f"{self.private_site.url}/poll-cyclic")
        self.await_failures(channel)
        self.assertEqual(self.private_site.polls("poll-cyclic"), 0)
        self.disconnect(channel)

    def test_s12_hostile_answers_when_connecting(self):
        before = resident_mb(self.cluster, "accounts")
        for mode in HOSTILE:
            began = time.monotonic()
            error = self.refusal(f"{self.site.url}/{mode}")
            self.assertIn(
                error.code,
                ("unavailable", "failed_precondition", "invalid_argument", "deadline_exceeded", "resource_exhausted"),
                mode,
            )
            self.assertLess(time.monotonic() - began, 10 * slack(self.cluster), mode)
            self.assertLess(len(error.message), 2000, mode)
            self.assertNotIn("\x1b", error.message)
        self.assertTrue(alive(self.cluster, "accounts"))
        await_resident_below(self.cluster, "accounts", before + GROWTH_MAX_MB * slack(self.cluster))

    def disconnect(self, channel):
        self.job.client("manager").call(f"{ACCOUNTS}/DisconnectChannel", {"name": channel["name"]})

    def failures(self, channel):
        rows = self.cluster.postgres.psql(
            "SELECT failures, state FROM ingestion.sources WHERE "
            f"channel_id = '{channel['name'].rsplit('/', 1)[1]}'"
        )
        return 1000 if rows and rows[0][1] == "broken" else int(rows[0][0]) if rows else 0

    def await_failures(self, channel):
        """Until it has failed twice, or is given up (what is refused for good is not tried again)."""
        wait_until(lambda: self.failures(channel) > 1, 60, f"polls of {channel['name']} fail")

    def test_s12_hostile_answers_when_polling(self):
        """All at once, beside an honest blog whose comments must arrive."""
        before, modes = resident_mb(self.cluster, "ingestion"), (
            "wrong-types",
            "million",
            "cyclic",
            "object",
            "redirect",
        )
        channels = {mode: self.connect(f"{self.site.url}/poll-{mode}") for mode in modes}
        for mode in modes:
            wait_until(lambda m=mode: self.site.polls(f"poll-{m}") >= 3, 30, f"poll-{mode} is polled")
        for mode in ("million", "object", "redirect"):
            self.await_failures(channels[mode])
        self.job.release_audience()
        # What the hostile ones sent is in the inbox, too: only what honest people wrote is asked for.
        wait_until(lambda: Verdict(self.cluster, self.job).lost == 0, 90, "all honest comments are in the inbox", 1.0)
        self.assertTrue(alive(self.cluster, "ingestion"))
        await_resident_below(self.cluster, "ingestion", before + GROWTH_MAX_MB * slack(self.cluster))
        cyclic = channels["cyclic"]["name"].rsplit("/", 1)[1]
        stored = self.cluster.postgres.psql(
            f"SELECT count(*), count(DISTINCT remote_key) FROM inbox.messages WHERE channel_id = '{cyclic}'"
        )
        self.assertLessEqual(int(stored[0][0]), 100, "the same hundred comments, again and again")
        self.assertEqual(stored[0][0], stored[0][1])
        self.assertEqual(self.trap.hits, 0)
        for channel in channels.values():
            self.disconnect(channel)


if __name__ == "__main__":
    main()
