"""Another workspace's key, no key, a wrong key and a lower role, on every RPC that the gateway offers.

The methods come from the proto descriptors: a new method is covered without being listed here.
"""

import os
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../protos"))
import descriptors_test as descriptors  # noqa: E402
from system import SystemTest, main  # noqa: E402
from parvis_local.connect import ConnectError, new_id  # noqa: E402
from parvis_local.main_job import ACCOUNTS  # noqa: E402

ANALYST, SERVICE, OPERATOR = 1, 6, 7


def camel(name):
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


def request_for(method, workspace):
    """A request of the method's type that names `workspace` in every field that names a resource."""
    message, request = descriptors.MESSAGES[method.input_type], {}
    thing = f"{workspace}/things/{uuid.uuid4()}"
    for field in message.field:
        if field.name == "parent":
            request["parent"] = workspace
        elif field.name == "name":
            request["name"] = thing
        elif field.type_name in descriptors.MESSAGES and field.label != field.LABEL_REPEATED and \
                descriptors.field(descriptors.MESSAGES[field.type_name], "name"):
            request[camel(field.name)] = {"name": thing} if method.name.startswith("Update") else {}
    return request


def exposed():
    """(method, path for the client, declared roles) of every method open to people's keys."""
    for file, service, method, _ in descriptors.public_methods():
        declared = descriptors.roles(method)
        if any(role not in (SERVICE, OPERATOR) for role in declared):
            yield method, f"{file.package.removeprefix('parvis.')}.{service.name}/{method.name}", declared


class Isolation(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.job.create_team()
        other = type(cls.job)(cls.cluster, cls.sandbox, cls.show)
        other.create_team()
        cls.mine, cls.other = cls.job, other
        analyst = cls.job.operator.call(f"{ACCOUNTS}/CreateMember", {
            "parent": cls.mine.workspace, "requestId": new_id(),
            "member": {"displayName": "Ana Lyst", "email": "ana@lumen.example", "roles": ["ROLE_ANALYST"]}})
        cls.analyst = cls.mine.operator.with_key(cls.job.operator.call(f"{ACCOUNTS}/CreateApiKey", {
            "parent": cls.mine.workspace, "requestId": new_id(),
            "apiKey": {"displayName": "analyst", "member": analyst["name"], "roles": ["ROLE_ANALYST"]}})["secret"])

    def outcome(self, client, method, path, request):
        if method.server_streaming:
            try:
                client.stream(path, request, lambda _: None, iter((False, True, True)).__next__)
                return ConnectError(200, "ok", "")
            except ConnectError as error:
                return error
        try:
            client.call(path, request)
            return ConnectError(200, "ok", "")
        except ConnectError as error:
            return error

    def test_every_method_refuses_another_workspace(self):
        seen = 0
        for method, path, _ in exposed():
            request = request_for(method, self.mine.workspace)
            if not request:
                continue
            seen += 1
            with self.subTest(path):
                theirs = self.outcome(self.other.client("owner"), method, path, request)
                self.assertIn(theirs.code, ("permission_denied", "not_found"), f"{path}: {theirs}")
                ours = self.outcome(self.mine.client("owner"), method, path, request)
                self.assertNotEqual(ours.reason, "WORKSPACE_MISMATCH", "the test must be able to tell the difference")
        self.assertGreater(seen, 40)

    def test_every_method_refuses_no_key_and_a_wrong_key(self):
        for method, path, _ in exposed():
            request = request_for(method, self.mine.workspace)
            for key in ("", "pv_nobody_nothing", self.mine.keys["owner"][:-1] + "x"):
                with self.subTest(path, key=key[:6]):
                    refused = self.outcome(self.mine.operator.with_key(key), method, path, request)
                    self.assertEqual(refused.code, "unauthenticated", f"{path}: {refused}")

    def test_every_method_refuses_a_lower_role(self):
        seen = 0
        for method, path, declared in exposed():
            if ANALYST in declared:
                continue
            seen += 1
            with self.subTest(path):
                refused = self.outcome(self.analyst, method, path, request_for(method, self.mine.workspace))
                self.assertEqual(refused.code, "permission_denied", f"{path}: {refused}")
        self.assertGreater(seen, 20)

    def test_methods_between_services_are_not_offered(self):
        for path in ("platform.v1.AuthenticationService/Authenticate",
                     "accounts.v1.ChannelDirectoryService/GetChannelCredentials",
                     "publishing.v1.MediaContentService/FetchContent"):
            with self.assertRaises(ConnectError) as refused:
                self.mine.client("owner").call(path, {})
            self.assertIn(refused.exception.code, ("unimplemented", "not_found", "permission_denied"))

    def test_row_level_security_holds_below_the_services(self):
        """As each service's own request role: no setting, no rows; another workspace's setting, no rows of ours."""
        cluster = self.cluster
        for service in ("accounts", "publishing", "ingestion", "moderation", "inbox", "metrics"):
            tables = [row[0] for row in cluster.postgres.psql(
                f"SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace_id' "
                f"WHERE c.relnamespace = '{service}'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
                f"AND has_table_privilege('{service}_api', c.oid, 'SELECT')")]
            self.assertTrue(tables, service)
            for table in tables:
                forced = cluster.postgres.psql(f"SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE "
                                               f"oid = '{service}.{table}'::regclass")
                self.assertEqual(forced, [["t"]], f"{service}.{table}: row-level security is not forced")
                for setting in ("", f"SET LOCAL parvis.workspace_id = '{uuid.uuid4()}';"):
                    rows = cluster.postgres.psql(f"BEGIN; SET LOCAL ROLE {service}_api; {setting} "
                                                 f"SELECT count(*) FROM {service}.{table}; ROLLBACK;")
                    self.assertEqual(rows, [["0"]], f"{service}.{table} with [{setting}]")


if __name__ == "__main__":
    main()
