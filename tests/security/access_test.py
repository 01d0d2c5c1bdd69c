"""S2 and S3: who may call what and see what, on every RPC by descriptor: at the services' own gRPC ports with every
kind of credential, through the gateway with references, filters, page tokens and streams of another workspace, with
fields that only the server may set (assignment_cases.py); media by public address (media_cases.py); and below the
services, row-level security by raw SQL (rls_cases.py)."""

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from assignment_cases import MassAssignment
from attack import PERMISSION_DENIED, UNAUTHENTICATED, camel, descriptors, dumps, encode, exposed, grpc, request_for
from attack import service_token, without_rate_limits
from media_cases import MediaAddresses
from rls_cases import RowLevelSecurity
from system import SystemTest, main
from parvis_local.connect import ConnectError, new_id
from parvis_local.main_job import ACCOUNTS, INBOX, MODERATION, PUBLISHING
from parvis_local.report import METRICS
from parvis_local.processes import wait_until

OWNER, APPROVER, SERVICE, OPERATOR = 4, 5, 6, 7
# Every list of a workspace: (method, field of the answer).
LISTS = (
    (f"{ACCOUNTS}/ListMembers", "members"),
    (f"{ACCOUNTS}/ListApiKeys", "apiKeys"),
    (f"{ACCOUNTS}/ListChannels", "channels"),
    (f"{PUBLISHING}/ListCampaigns", "campaigns"),
    (f"{PUBLISHING}/ListPosts", "posts"),
    (f"{PUBLISHING}/ListDeliveries", "deliveries"),
    (f"{MODERATION}/ListPolicies", "policies"),
    (f"{MODERATION}/ListReviews", "reviews"),
    (f"{MODERATION}/ListDecisions", "decisions"),
    (f"{INBOX}/ListConversations", "conversations"),
    (f"{INBOX}/ListCases", "cases"),
    ("ingestion.v1.IngestionService/ListSources", "sources"),
)
# Changes with every background step and belongs to nobody's request.
WATCHED_TABLES = (
    "accounts.members",
    "accounts.api_keys",
    "accounts.channels",
    "accounts.workspaces",
    "publishing.campaigns",
    "publishing.posts",
    "moderation.policies",
    "moderation.policy_versions",
    "moderation.active_policies",
    "inbox.notes",
    "inbox.cases",
)


class Access(RowLevelSecurity, MassAssignment, MediaAddresses, SystemTest):
    comments = 60
    extra_flags = {
        "gateway": without_rate_limits(),
        # One connection for all requests of a service: what one leaves behind, the next one would find.
        "publishing": {"db_api_pool_size": 1, "authentication_cache_time": "1s"},
        "inbox": {"db_api_pool_size": 1, "authentication_cache_time": "1s"},
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mine, cls.other = cls.job, type(cls.job)(cls.cluster, cls.sandbox, cls.show, comments=cls.comments)
        cls.mine.create_team()
        cls.mine.connect_channels()
        cls.mine.write_policy()
        cls.mine.write_campaign()
        cls.mine.approve_and_schedule()
        cls.mine.await_deliveries()
        cls.mine.release_audience()
        cls.other.create_team()
        cls.other.connect_channels()
        cls.other.write_policy()
        cls.other.write_campaign()
        cls.names = cls.collect(cls.mine.client("owner"))
        cls.secret_of_mine = cls.mine.workspace.split("/")[1]

    @classmethod
    def collect(cls, client):
        """One name of everything that `mine` has, and the channels' bare ids."""
        found = []
        for method, field in LISTS:
            found += [
                item["name"] for item in client.call(method, {"parent": cls.mine.workspace, "pageSize": 2})[field]
            ]
        conversation = next(n for n in found if "/conversations/" in n)
        note = client.call(
            f"{INBOX}/CreateNote", {"parent": conversation, "note": {"text": "ours"}, "requestId": new_id()}
        )
        case = client.call(
            f"{INBOX}/OpenCase", {"name": conversation, "case": {"title": "ours"}, "requestId": new_id()}
        )
        messages = client.call(f"{INBOX}/ListMessages", {"parent": conversation})["messages"]
        return found + [note["name"], case["name"], messages[0]["name"]] + list(cls.mine.channels.values())

    def try_call(self, client, path, request):
        try:
            return client.call(path, request), None
        except ConnectError as error:
            return None, error

    # ---- credentials, at the services' own ports ------------------------------------------------------------------

    def key(self, who, roles, **more):
        return self.mine.operator.call(
            f"{ACCOUNTS}/CreateApiKey",
            {
                "parent": self.mine.workspace,
                "requestId": new_id(),
                "apiKey": {"displayName": "test", "member": self.mine.members[who], "roles": roles, **more},
            },
        )

    def all_methods(self):
        """That ask for a credential."""
        for file, service, method, name in descriptors.methods():
            if name in descriptors.FOR_ANYONE:
                continue
            package = file.package.split(".")[1]
            port = "accounts_grpc" if package == "platform" else f"{package}_grpc"
            yield method, self.cluster.address(port), name, descriptors.roles(method)

    def refused(self, tries, expected):
        """Calls (address, path, message, authorization) all at once, a few at a time; each must end with `expected`."""
        with ThreadPoolExecutor(4) as pool:
            for attempt, (status, why) in zip(tries, pool.map(lambda t: grpc(*t), tries)):
                self.assertEqual(status, expected, f"{attempt[1]} with {attempt[3]!r:.40}: {why}")

    def test_no_method_takes_a_bad_credential(self):
        key = self.cluster.secret("service_key")
        revoked = self.key("owner", ["ROLE_OWNER"])
        self.mine.operator.call(f"{ACCOUNTS}/RevokeApiKey", {"name": revoked["name"]})
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
        expired = self.key("owner", ["ROLE_OWNER"], expireTime=soon)
        reader = f"{ACCOUNTS}/GetWorkspace"
        wait_until(
            lambda: self.try_call(
                self.mine.operator.with_key(expired["secret"]), reader, {"name": self.mine.workspace}
            )[1],
            10,
            "the key expires",
        )
        bad = [
            None,
            "",
            "Bearer",
            "Bearer nobody",
            "Basic " + self.mine.keys["owner"],
            f"Bearer {service_token(key, seconds=-1)}",
            f"Bearer {service_token(key, seconds=86400)}",
            f"Bearer {service_token('another key')}",
            f"Bearer {service_token(key)}x",
            f"Bearer {revoked['secret']}",
            f"Bearer {expired['secret']}",
        ]
        tries = [
            (address, path, encode(method.input_type, request_for(method, self.mine.workspace)), credential)
            for method, address, path, _ in self.all_methods()
            for credential in bad
        ]
        self.assertGreater(len(tries), 800)
        self.refused(tries, UNAUTHENTICATED)

    def test_service_tokens_and_peoples_keys_are_not_interchangeable(self):
        token = "Bearer " + service_token(self.cluster.secret("service_key"))
        person = {
            "owner": "Bearer " + self.mine.keys["owner"],
            "approver": "Bearer " + self.mine.keys["approver"],
            "operator": "Bearer " + self.cluster.secret("operator_key"),
        }
        tries = []
        for method, address, path, declared in self.all_methods():
            message = encode(method.input_type, request_for(method, self.mine.workspace))
            if SERVICE not in declared:
                tries.append((address, path, message, token))
            if not any(role <= OWNER for role in declared):
                tries.append((address, path, message, person["owner"]))
            if APPROVER not in declared:
                tries.append((address, path, message, person["approver"]))
            if OPERATOR not in declared:
                tries.append((address, path, message, person["operator"]))
        self.assertGreater(len(tries), 150)
        self.refused(tries, PERMISSION_DENIED)

    def test_a_service_token_does_not_pass_the_gateway(self):
        token = service_token(self.cluster.secret("service_key"))
        for method, path, _ in exposed():
            if method.server_streaming:
                continue
            refused = self.try_call(self.mine.operator.with_key(token), path, request_for(method, self.mine.workspace))[
                1
            ]
            self.assertEqual(refused.code, "unauthenticated", path)

    def test_a_revoked_key_stops_within_the_cache_time(self):
        for reader, request in (
            (f"{PUBLISHING}/ListCampaigns", {"parent": self.mine.workspace}),
            (f"{INBOX}/ListConversations", {"parent": self.mine.workspace}),
        ):
            key = self.key("owner", ["ROLE_OWNER"])
            client = self.mine.operator.with_key(key["secret"])
            client.call(reader, request)  # is remembered from here on
            self.mine.operator.call(f"{ACCOUNTS}/RevokeApiKey", {"name": key["name"]})
            wait_until(
                lambda c=client, m=reader, r=request: self.try_call(c, m, r)[1], 10, "the revoked key is refused"
            )

    # ---- another workspace's names, ids, filters, tokens, streams ---------------------------------------------

    def leaks(self, answer):
        """Whether an answer given to the other workspace has anything of ours in it."""
        text = dumps(answer)
        return self.secret_of_mine in text or any(channel in text for channel in self.mine.channels.values())

    def fingerprint(self):
        return [
            self.cluster.postgres.psql(
                f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t "
                f"WHERE workspace_id = '{self.secret_of_mine}'"
            )
            for table in WATCHED_TABLES
        ]

    def test_our_ids_below_another_workspace_lead_nowhere(self):
        before, owner, tried = self.fingerprint(), self.other.client("owner"), 0
        for method, path, _ in exposed():
            fields = {f.name for f in descriptors.MESSAGES[method.input_type].field}
            place = "name" if "name" in fields else "parent" if "parent" in fields else None
            if method.server_streaming or not place or path.startswith("accounts.v1.AccountsService/CreateWorkspace"):
                continue
            for name in self.names:
                forged = name.replace(self.mine.workspace, self.other.workspace)
                if "/" not in forged:
                    continue
                tried += 1
                answer, _ = self.try_call(owner, path, {**request_for(method, self.other.workspace), place: forged})
                self.assertFalse(answer and self.leaks(answer), f"{path} {forged}: {dumps(answer)[:300]}")
        self.assertGreater(tried, 400)
        self.assertEqual(before, self.fingerprint(), "something of ours was changed")

    def test_filters_that_name_ours_give_nothing_of_ours(self):
        owner, mine, seen, found = self.other.client("owner"), self.mine.client("owner"), 0, 0
        for method, path, _ in exposed():
            request = descriptors.MESSAGES[method.input_type]
            strings = [
                f for f in request.field if f.type == f.TYPE_STRING and f.name not in ("name", "parent", "page_token")
            ]
            if not descriptors.field(request, "parent") or not method.name.startswith(("List", "Query")):
                continue
            for field in strings:
                for value in self.names:
                    seen += 1
                    given = [value] if field.label == field.LABEL_REPEATED else value
                    filters = {camel(field.name): given}
                    answer, _ = self.try_call(owner, path, {"parent": self.other.workspace, **filters})
                    self.assertFalse(answer and self.leaks(answer), f"{path} {filters}: {dumps(answer)[:300]}")
                    ours, _ = self.try_call(mine, path, {"parent": self.mine.workspace, **filters})
                    found += bool(ours and self.leaks(ours))
        self.assertGreater(seen, 50)
        self.assertGreater(found, 3, "the filters find nothing even for their owner: the test cannot tell")

    def test_timeseries_count_nothing_of_ours(self):
        now = time.time()
        stamps = [time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(now + hours * 3600)) for hours in (-24, 2)]
        request = {"metric": "METRIC_COMMENTS", "step": "STEP_HOUR", "startTime": stamps[0], "endTime": stamps[1]}
        channel = f"channels/{self.mine.channels['facebook']}"

        def total(job, workspace):
            answer, error = self.try_call(
                job.client("owner"),
                f"{METRICS}/QueryTimeseries",
                {**request, "parent": job.workspace, "channel": f"{workspace}/{channel}"},
            )
            return int(answer["total"]) if answer else error.code

        wait_until(lambda: total(self.mine, self.mine.workspace) > 0, 30, "our comments are counted")
        self.assertIn(total(self.other, self.other.workspace), (0, "not_found", "invalid_argument"))
        self.assertEqual(total(self.other, self.mine.workspace), "permission_denied")

    def test_page_tokens_of_ours_do_not_open_ours(self):
        mine, owner, tokens = self.mine.client("owner"), self.other.client("owner"), 0
        for path, field in LISTS:
            token = mine.call(path, {"parent": self.mine.workspace, "pageSize": 1}).get("nextPageToken")
            if not token:
                continue
            tokens += 1
            answer, error = self.try_call(
                owner, path, {"parent": self.other.workspace, "pageSize": 1, "pageToken": token}
            )
            self.assertTrue(error is not None or not self.leaks(answer), f"{path}: {answer}")
            for bad in ("x" * 5000, token[:-2], token + "AAAA", "\0", "' OR 1=1 --"):
                _, error = self.try_call(mine, path, {"parent": self.mine.workspace, "pageToken": bad})
                self.assertEqual(error and error.code, "invalid_argument", f"{path} {bad[:10]!r}: {error}")
        self.assertGreater(tokens, 4)

    def test_what_refers_to_ours_is_refused(self):
        """References that carry no workspace, or hide deep in a resource."""
        manager, owner, parent = self.other.client("manager"), self.other.client("owner"), self.other.workspace
        channel = self.mine.channels["facebook"]
        variant = {"channelId": channel, "text": "not ours", "language": "en"}
        check = manager.call(
            f"{PUBLISHING}/CheckPost",
            {"parent": parent, "post": {"campaign": self.other.campaign, "variants": [variant]}},
        )
        self.assertTrue(check["violations"], "a variant for another workspace's channel passes the check")
        for path, request in (
            (
                f"{PUBLISHING}/CreatePost",
                {"post": {"campaign": self.mine.campaign, "displayName": "x", "variants": []}},
            ),
            (
                f"{PUBLISHING}/CreatePost",
                {"post": {"campaign": self.other.campaign, "displayName": "x", "variants": [variant]}},
            ),
            (f"{ACCOUNTS}/CreateApiKey", {"apiKey": {"displayName": "x", "member": self.mine.members["owner"]}}),
            (
                f"{ACCOUNTS}/CreateApiKey",
                {
                    "apiKey": {
                        "displayName": "x",
                        "member": self.mine.members["owner"].replace(self.mine.workspace, parent),
                    }
                },
            ),
        ):
            post, error = self.try_call(owner, path, {"parent": parent, "requestId": new_id(), **request})
            if post and "variants" in post:  # a draft may be wrong; it must not go out
                _, error = self.try_call(owner, f"{PUBLISHING}/SubmitPost", {"name": post["name"]})
            self.assertIsNotNone(error, f"{path} {request}")
        found = self.cluster.postgres.psql(
            f"SELECT count(*) FROM publishing.deliveries WHERE channel_id = '{channel}' AND "
            f"workspace_id <> '{self.secret_of_mine}'"
        )
        self.assertEqual(found, [["0"]])

    def test_requests_interleaved_on_one_connection_see_their_own(self):
        """Publishing and inbox have one database connection here: two workspaces, errors among them, take turns on
        it."""
        wrong, rounds = [], 60

        def ask(job, theirs):
            client, foreign = job.client("owner"), theirs.workspace.split("/")[1]
            for number in range(rounds):
                for path in (f"{PUBLISHING}/ListCampaigns", f"{INBOX}/ListConversations"):
                    answer = client.call(path, {"parent": job.workspace, "pageSize": 3})
                    if foreign in dumps(answer):
                        wrong.append((path, answer))
                if number % 3 == 0:  # ends a transaction in the other way
                    self.try_call(client, f"{PUBLISHING}/GetPost", {"name": f"{job.workspace}/posts/{uuid.uuid4()}"})

        workers = [
            threading.Thread(target=ask, args=pair) for pair in ((self.mine, self.other), (self.other, self.mine)) * 2
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertEqual(wrong, [])

    def test_a_stream_tells_its_own_workspace_only(self):
        seen, stop = {"mine": [], "other": []}, threading.Event()

        def watch(who, job):
            job.client("owner").stream(
                f"{INBOX}/WatchConversations", {"parent": job.workspace}, seen[who].append, stop.is_set
            )

        watchers = [
            threading.Thread(target=watch, args=pair, daemon=True)
            for pair in (("mine", self.mine), ("other", self.other))
        ]
        for watcher in watchers:
            watcher.start()
        conversations = self.mine.client("ben").call(
            f"{INBOX}/ListConversations", {"parent": self.mine.workspace, "state": "STATE_OPEN", "pageSize": 50}
        )["conversations"]
        numbers = iter(conversations * 20)

        def claimed():
            self.try_call(self.mine.client("ben"), f"{INBOX}/ClaimConversation", {"name": next(numbers)["name"]})
            return len(seen["mine"]) > 3

        try:
            wait_until(claimed, 20, "our watcher sees our events", 0.1)
        finally:
            stop.set()
        for watcher in watchers:
            watcher.join(10)
        self.assertFalse(self.leaks(seen["other"]), dumps(seen["other"])[:300])


if __name__ == "__main__":
    main()
