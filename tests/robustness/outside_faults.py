"""The world outside fails: F13 the networks are down, F16 what relays the outbox is cut off, F17 a token is revoked."""

import json
import time

from faults import FULL, wait_until
from parvis_local.main_job import ACCOUNTS

RATIO_MAX = 1.1   # calls to a network for each delivery that it took
WRITES = ("post", "reply", "hide", "unhide", "delete", "edit", "media")


class OutsideFaults:
    """To be mixed into a FaultTest; F16 needs the door "kafka.inbox"."""

    def taken(self):
        return sum(entry["by"] == "us" and entry["kind"] in WRITES for entry in self.sandbox.journal())

    def waiting(self):
        return int(self.cluster.postgres.psql("SELECT count(*) FROM publishing.deliveries WHERE state IN (1, 2)")[0][0])

    # ---- F13 ------------------------------------------------------------------------------------------------------

    def test_f13_the_networks_are_down_and_come_back(self):
        before = self.taken()
        with self.load(rate=40, answers=10):
            fault = json.loads(self.sandbox.control("POST", "faults", {
                "operation": "write", "kind": "server_error", "http_status": 503}))["id"]
            self.await_some(600 if FULL else 15)
            wait_until(lambda: self.waiting() > 300, 180, "deliveries wait")
            rules = json.loads(self.sandbox.control("GET", "faults"))["faults"]
            refused = next(rule["struck"] for rule in rules if rule["id"] == fault)
            self.sandbox.control("DELETE", f"faults/{fault}")
            healed = time.monotonic()
            waiting = self.waiting()
            wait_until(lambda: self.taken() - before > waiting / 2, 120, "what has waited goes out", 0.2)
            self.longest = time.monotonic() - healed
        self.judge("F13", 1, note=f"{refused} calls were refused")
        ratio = 1 + refused / (self.taken() - before)
        self.show.step(f"{refused} refused calls, {self.taken() - before} taken: {ratio:.2f} calls a delivery")
        self.assertLessEqual(ratio, RATIO_MAX)

    # ---- F16 ------------------------------------------------------------------------------------------------------

    def outbox(self, service):
        """Events and commands that Kafka has not been told yet; the inbox's events wait in its feed, range by range."""
        sql = f"SELECT count(*) FROM {service}.outbox"
        if service == "inbox":
            sql = f"SELECT ({sql}) + coalesce(sum(last_sequence - first_sequence + 1), 0)::bigint FROM inbox.feed_outbox"
        return int(self.cluster.postgres.psql(sql)[0][0])

    def test_f16_the_outbox_grows_and_drains(self):
        with self.load(rate=40):
            self.await_progress(100)
            self.doors["kafka.inbox"].blackhole()
            wait_until(lambda: self.outbox("inbox") >= (200 if FULL else 30), 120, "the outbox grows", 0.3)
            told = self.await_unready(["inbox", "inbox-1"], 90)
            self.show.step(f"inbox: {told['inbox']}")
            wait_until(lambda: max(self.metric(name, "parvis_outbox_oldest_seconds") for name in ("inbox", "inbox-1")) >= 5, 60,
                       "the gauge tells the age of the outbox")
            grown = self.outbox("inbox")
            self.doors["kafka.inbox"].heal()
            healed = time.monotonic()
            wait_until(lambda: self.outbox("inbox") < 10, 60, "the outbox is drained", 0.1)
            self.show.step(f"{grown} rows drained {time.monotonic() - healed:.1f} s after the end")
            self.recovered(healed)
        self.judge("F16", 1, note=f"{grown} rows waited")

    # ---- F17 ------------------------------------------------------------------------------------------------------

    def refusals(self):
        """Calls that ended with a refused token, by the ledger's own history."""
        return int(self.cluster.postgres.psql("SELECT count(*) FROM publishing.delivery_transitions WHERE from_state = 3 AND "
                                              "detail LIKE 'TOKEN_EXPIRED%'")[0][0])

    def paused(self):
        return self.cluster.postgres.psql(f"SELECT reason FROM publishing.channel_pauses WHERE "
                                          f"channel_id = '{self.job.channels['facebook']}'")

    def test_f17_a_token_is_revoked_in_the_middle_of_a_campaign(self):
        account = self.job.sandbox_accounts["facebook"]
        path = f"accounts/facebook/{account['remote_id']}"
        with self.load():
            before = self.refusals()
            self.sandbox.control("POST", f"{path}/token", {"state": "revoked"})
            wait_until(self.paused, 60, "the channel is paused")
            self.await_some(60 if FULL else 10)
            calls = self.refusals() - before
            self.show.step(f"{calls} calls were refused, then the channel was paused: {self.paused()[0][0]}")
            self.assertLessEqual(calls, 4 + 1, "those under way, and no more")
            self.sandbox.control("POST", f"{path}/token", {"renew": True})
            token = json.loads(self.sandbox.control("GET", path))["access_token"]
            self.job.client("manager").call(f"{ACCOUNTS}/UpdateChannelCredentials", {
                "name": f"{self.job.workspace}/channels/{self.job.channels['facebook']}",
                "credentials": {"access_token": token}})
            healed = time.monotonic()
            wait_until(lambda: not self.paused(), 60, "the channel goes on")
            self.recovered(healed)
        self.judge("F17", 1, note=f"{calls} calls refused, one pause")
