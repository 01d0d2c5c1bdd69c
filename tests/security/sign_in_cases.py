"""S7: signing in to networks by OAuth with real processes, and what keeps the credentials fresh; part of outside_test.py. The
flow itself is used by canary_test.py, too."""

import json
import urllib.error
import urllib.parse
from datetime import datetime, timedelta, timezone

from attack import http, metric
from parvis_local.connect import ConnectError
from parvis_local.main_job import ACCOUNTS, MainJob
from parvis_local.networks import BY_NAME
from parvis_local.processes import StartError, wait_until

SIGN_IN = "accounts.v1.SignInService"
TWO_HOURS = 7200


class Flow:
    """What a member's browser does: begins with us, agrees at the network, comes back to the gateway, and completes."""

    def __init__(self, cluster, sandbox, job):
        self.cluster, self.sandbox, self.job = cluster, sandbox, job
        self.states, self.codes = [], []

    def account(self, network, name="Lumen"):
        """An account that no audience writes to."""
        return json.loads(self.sandbox.control("POST", "accounts", {"network": network, "name": name}))

    def begin(self, network, account, who="manager", **more):
        """(address, state)"""
        site = {} if BY_NAME[network].base_path or "channel" in more else {"siteUrl": account["base_url"]}
        request = {"parent": self.job.workspace, **({} if "channel" in more else {"network": network}), **site, **more}
        url = self.job.client(who).call(f"{SIGN_IN}/BeginSignIn", request)["authorizationUrl"]
        state = query_of(url)["state"]
        self.states.append(state)
        return url, state

    def consent(self, url, account, decide="allow"):
        """What comes back to the gateway's page, which must not depend on it."""
        back = self.sandbox.consent(url, account["remote_id"], decide)
        place = urllib.parse.urlsplit(back)
        if f"{place.scheme}://{place.netloc}{place.path}" != self.cluster.sign_in_redirect_uri:
            raise StartError(f"sent back to {back}")
        status, _, page = http(place.netloc, "GET", f"{place.path}?{place.query}")
        given = query_of(back)
        if status != 200 or any(value.encode() in page for value in given.values()):
            raise StartError(f"the page says {status} {page[:200]}")
        return given

    def complete(self, given, who="manager"):
        self.codes.append(given["code"])
        return self.job.client(who).call(f"{SIGN_IN}/CompleteSignIn", {
            "parent": self.job.workspace, "state": given["state"], "code": given["code"]})

    def sign_in(self, network, account, **more):
        url, _ = self.begin(network, account, **more)
        return self.complete(self.consent(url, account))

    def channel(self, name):
        found = self.job.client("manager").call(f"{ACCOUNTS}/ListChannels", {"parent": self.job.workspace})["channels"]
        return next(one for one in found if one["name"] == name)

    def schedule(self, channels, text, seconds):
        """A post to these channels, submitted, approved and due in so many seconds; its name."""
        if not self.job.campaign:
            self.job.campaign = self.job.create_campaign("Signed in")
        variants = [{"channelId": name.rsplit("/", 1)[1], "text": text, "language": "en"} for name in channels]
        post = self.job.create_post(self.job.campaign, variants, text)
        self.job.approve(post)
        self.job.schedule(post, datetime.now(timezone.utc) + timedelta(seconds=seconds))
        return post

    def written(self, text):
        return [entry for entry in self.sandbox.journal() if entry["kind"] == "post" and entry["text"] == text]

    def published(self, channels, text):
        post = self.schedule(channels, text, 1)
        wait_until(lambda: len(self.written(text)) >= len(channels), 30, f"“{text}” is on {len(channels)} networks")
        return post

    def counts(self, network="x"):
        return self.sandbox.sign_ins(network)["counts"]

    def secrets(self):
        """{what: secret}: all that went from one to the other in the sign-ins so far."""
        found = {f"state {number}": state for number, state in enumerate(self.states)}
        found.update({f"code {number}": code for number, code in enumerate(self.codes)})
        for network in ("x", "mastodon"):
            given = self.sandbox.sign_ins(network)
            for number, grant in enumerate(given["grants"]):
                for what in ("code", "code_verifier", "access_token", "refresh_token"):
                    if grant[what]:
                        found[f"{network} {what} {number}"] = grant[what]
            for number, app in enumerate(given["apps"]):
                found[f"{network} client_secret {number}"] = app["client_secret"]
        return found


def query_of(url):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))


class SigningIn:
    """Mixed into a test on the whole system whose accounts refreshes every 200 ms."""

    elsewhere = "https://elsewhere.example/callback"

    @classmethod
    def prepare_signing_in(cls):
        cls.team = MainJob(cls.cluster, cls.sandbox, cls.show)
        cls.team.create_team()
        cls.flow = Flow(cls.cluster, cls.sandbox, cls.team)
        cls.sandbox.register_app("x", [cls.elsewhere])

    def refused(self, reason, given, who="manager"):
        with self.assertRaises(ConnectError) as refusal:
            self.flow.complete(given, who)
        self.assertEqual((refusal.exception.code, refusal.exception.reason), ("failed_precondition", reason))
        return refusal.exception

    def lives(self, seconds):
        self.sandbox.control("POST", "oauth/settings", {"network": "x", "access_seconds": seconds})

    def latest_token(self):
        return self.sandbox.sign_ins("x")["grants"][-1]["access_token"]

    def me(self, token):
        """What X says to this token."""
        return http(self.cluster.address("sandbox_http"), "GET", "/x/2/users/me", b"", {"Authorization": f"Bearer {token}"})[0]

    def test_s7_a_sign_in_connects_and_publishes(self):
        channels = []
        for network in ("x", "mastodon"):
            account = self.flow.account(network)
            url, _ = self.flow.begin(network, account)
            self.assertTrue(url.startswith(self.cluster.sandbox_url), url)
            self.assertEqual(query_of(url)["redirect_uri"], self.cluster.sign_in_redirect_uri)
            self.assertEqual(query_of(url)["code_challenge_method"], "S256")
            given = self.flow.consent(url, account)
            self.refused("SIGN_IN_UNKNOWN", given, "owner")  # of the same workspace, with another key
            self.refused("SIGN_IN_UNKNOWN", dict(given, state=given["state"][:-1] + "0z"))
            channel = self.flow.complete(given)
            self.assertEqual((channel["network"], channel["remoteId"], channel["state"]),
                             (network, account["remote_id"], "CHANNEL_STATE_CONNECTED"))
            self.refused("SIGN_IN_UNKNOWN", given)  # once
            channels.append(channel["name"])
        self.flow.published(channels, "Signed in, and here")

    def test_s7_what_the_network_refuses_is_refused(self):
        account = self.flow.account("x")
        url, _ = self.flow.begin("x", account)
        astray = url.replace(urllib.parse.quote(self.cluster.sign_in_redirect_uri, safe=""),
                             urllib.parse.quote(self.elsewhere, safe=""))
        self.assertNotEqual(astray, url)
        # A code that was fetched by another way in, though one that the network knows, is no good to us.
        given = query_of(self.sandbox.consent(astray, account["remote_id"]))
        self.assertIn("SIGN_IN_REFUSED", self.refused("SIGN_IN_REFUSED", given).reason)
        self.assertEqual(self.flow.counts()["refused_wrong_redirect"], 1)
        with self.assertRaises(urllib.error.HTTPError) as page:
            self.sandbox.consent(astray.replace("elsewhere.example", "nowhere.example"), account["remote_id"])
        self.assertEqual(page.exception.code, 400)
        # Somebody else's code with our state: the verifier is ours alone.
        url, state = self.flow.begin("x", account)
        other, _ = self.flow.begin("x", account)
        stolen = self.flow.consent(other, account)
        self.refused("SIGN_IN_REFUSED", dict(stolen, state=state))
        self.assertEqual(self.flow.counts()["refused_wrong_verifier"], 1)
        url, _ = self.flow.begin("x", account)
        given = self.flow.consent(url, account, "deny")
        self.assertEqual(given["error"], "access_denied")
        self.assertNotIn("code", given)

    def test_s7_two_replicas_refresh_once_and_ahead_of_time(self):
        second = self.cluster.launch("accounts", 1)
        try:
            self.cluster.await_ready(second)
            before, account = self.flow.counts().get("refreshed", 0), self.flow.account("x")
            self.lives(5)
            channel = self.flow.sign_in("x", account)
            self.lives(TWO_HOURS)
            first = self.latest_token()
            wait_until(lambda: self.flow.counts().get("refreshed", 0) > before, 10, "the token is refreshed")
            self.assertEqual(self.me(first), 200, "ahead of its end")
            wait_until(lambda: self.me(first) == 401, 10, "the first token has ended")
            self.flow.published([channel["name"]], "After the first token")
            counts = self.flow.counts()
            self.assertEqual(counts["refreshed"], before + 1)
            self.assertNotIn("refused_refresh_used", counts)
            self.assertEqual(self.flow.channel(channel["name"])["state"], "CHANNEL_STATE_CONNECTED")
        finally:
            self.lives(TWO_HOURS)
            self.cluster.children.pop(second).stop()

    def row(self, channel):
        """(state, reason, refresh token was about to be used)"""
        rows = self.cluster.postgres.psql(
            "SELECT state, state_reason, refresh_use_time IS NOT NULL, refresh_holder IS NOT NULL FROM accounts.channels "
            f"WHERE channel_id = '{channel['name'].rsplit('/', 1)[1]}'")
        return rows[0]

    def kill_while_refreshing(self, channel, account):
        """The network has taken the refresh token and answers late; accounts is killed meanwhile, and started again."""
        before = self.flow.counts().get("refreshed", 0)
        self.sandbox.fault("x", "token", "delay", count=1, delay_ms=2500, account=account["remote_id"])
        wait_until(lambda: self.flow.counts().get("refreshed", 0) > before, 10, "the network has taken the refresh token")
        self.assertEqual(self.row(channel)[2:], ["t", "t"], "recorded before it was used")
        self.cluster.kill("accounts")
        # Two minutes go by: the claim of the one that was killed runs out.
        self.cluster.postgres.psql("UPDATE accounts.channels SET refresh_lease_time = now() WHERE refresh_holder IS NOT NULL")
        self.cluster.restart("accounts")

    def test_s7_killed_in_the_middle_of_a_refresh(self):
        account, other = self.flow.account("x"), self.flow.account("x", "Somebody else")
        self.lives(4)
        channel = self.flow.sign_in("x", account)
        self.lives(TWO_HOURS)
        first = self.latest_token()
        self.kill_while_refreshing(channel, account)
        wait_until(lambda: self.row(channel)[3] == "f", 20, "somebody has looked at the channel again")
        state, reason = self.row(channel)[:2]
        self.assertIn((state, reason), (("connected", ""), ("broken", "REFRESH_UNCLEAR"), ("broken", "SIGN_IN_AGAIN")))
        shown = self.flow.channel(channel["name"])
        if state == "broken":
            self.assertIn("sign in again", shown["stateMessage"])
        wait_until(lambda: self.me(first) == 401, 10, "the token that is left has ended")
        asked = self.flow.counts()
        self.flow.schedule([channel["name"]], "Written while nobody was signed in", 1)
        wait_until(lambda: self.paused(channel), 20, "the network has refused the delivery, which waits")
        self.assertEqual(self.flow.counts(), asked, "a used refresh token is not shown again and again")
        self.assertEqual(self.row(channel)[1], reason, "people still see why")

        url, _ = self.flow.begin("x", account, channel=channel["name"])
        wrong = self.refused("WRONG_ACCOUNT", self.flow.consent(url, other))
        for name in (account["remote_id"], other["remote_id"]):
            self.assertIn(name, wrong.message)
        self.assertEqual(self.row(channel)[:2], [state, reason], "as it was")
        again = self.flow.sign_in("x", account, channel=channel["name"])
        self.assertEqual((again["name"], again["state"]), (channel["name"], "CHANNEL_STATE_CONNECTED"))
        wait_until(lambda: self.flow.written("Written while nobody was signed in"), 30, "what was scheduled goes out")
        self.assertEqual(len(self.flow.written("Written while nobody was signed in")), 1)
        self.assertEqual(metric(self.cluster, "accounts", "parvis_accounts_refreshes_total", result="refreshed"), 0)

    def paused(self, channel):
        return int(self.cluster.postgres.psql("SELECT count(*) FROM publishing.channel_pauses WHERE "
                                              f"channel_id = '{channel['name'].rsplit('/', 1)[1]}'")[0][0])
