"""S3: what the services' own database roles can and cannot see, by raw SQL; part of access_test.py."""

import os
import subprocess
import uuid

from parvis_local.postgres import BIN, SERVICES

POLICY_SETTING = "parvis.workspace_id"


class RowLevelSecurity:
    """Needs self.cluster, and self.secret_of_mine: the id of a workspace with data."""

    def sql_as(self, service, role, sql, fails=False):
        """Logs in as the service's role with its own password and runs `sql` in one session; rows, or the error's
        text."""
        postgres = self.cluster.postgres
        with open(postgres.password_file(service, role), encoding="ascii") as file:
            env = dict(os.environ, PGPASSWORD=file.read())
        done = subprocess.run(
            [
                f"{BIN}/psql",
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=0" if fails else "ON_ERROR_STOP=1",
                "-h",
                "127.0.0.1",
                "-p",
                str(postgres.port),
                "-U",
                f"{service}_{role}",
                "parvis",
            ],
            input=sql,
            capture_output=True,
            text=True,
            env=env,
            check=False,
        )
        if fails:
            return done.stdout.split(), done.stderr
        self.assertEqual(done.returncode, 0, f"{service}_{role}: {sql}: {done.stderr}")
        return done.stdout.split()

    def tables(self, service, privilege="SELECT"):
        """Tables with a workspace_id that the request role may read, partitions left out."""
        return [
            row[0]
            for row in self.cluster.postgres.psql(
                f"SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
                f"AND a.attname = 'workspace_id' WHERE c.relnamespace = '{service}'::regnamespace "
                f"AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition "
                f"AND has_table_privilege('{service}_api', c.oid, '{privilege}')"
            )
        ]

    def test_request_roles_are_plain(self):
        for service in SERVICES:
            role = self.cluster.postgres.psql(
                f"SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, "
                f"(SELECT count(*) FROM pg_auth_members m WHERE m.member = r.oid), "
                f"(SELECT count(*) FROM pg_class c WHERE c.relowner = r.oid), "
                f"has_schema_privilege(oid, '{service}', 'CREATE'), "
                f"has_schema_privilege(oid, 'public', 'CREATE') FROM pg_roles r WHERE rolname = '{service}_api'"
            )
            self.assertEqual(role, [["f", "f", "f", "f", "f", "0", "0", "f", "f"]], service)
            owner = self.cluster.postgres.psql(
                f"SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = '{service}_owner'"
            )
            self.assertEqual(owner, [["f", "f"]], service)

    def test_every_table_of_workspaces_has_forced_policies(self):
        """Partitions too: the parent's policies do not hold for who names a partition."""
        bad = self.cluster.postgres.psql(
            f"""
            SELECT c.oid::regclass FROM pg_class c
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace_id'
            JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN {SERVICES!r}
            WHERE c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
              SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid
              AND pg_get_expr(p.polqual, c.oid) LIKE '%{POLICY_SETTING}%'))
            AND (NOT c.relispartition OR
                 has_table_privilege(n.nspname || '_api', c.oid, 'SELECT, INSERT, UPDATE, DELETE'))"""
        )
        self.assertEqual(bad, [])
        permissive = self.cluster.postgres.psql(
            f"SELECT polrelid::regclass, count(*) FROM pg_policy p JOIN pg_class c ON c.oid = polrelid "
            f"JOIN pg_namespace n ON "
            f"n.oid = c.relnamespace WHERE n.nspname IN {SERVICES!r} AND pg_get_expr(polqual, polrelid) NOT LIKE "
            f"'%workspace_id = %{POLICY_SETTING}%' GROUP BY 1"
        )
        self.assertEqual(permissive, [], "a policy that does not ask for the workspace")

    def test_no_function_runs_with_anothers_rights(self):
        found = self.cluster.postgres.psql(
            "SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
            "WHERE p.prosecdef AND "
            "n.nspname NOT IN ('pg_catalog', 'information_schema')"
        )
        self.assertEqual(found, [], "SECURITY DEFINER")
        views = self.cluster.postgres.psql(
            f"SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON "
            f"r.oid = c.relowner WHERE c.relkind IN ('v', 'm') AND n.nspname IN {SERVICES!r} "
            f"AND (r.rolbypassrls OR c.relkind = 'm')"
        )
        self.assertEqual(views, [], "views of an owner whom policies do not bind")

    def test_no_schema_is_open_to_another_service(self):
        for service in SERVICES:
            for other in SERVICES:
                if other == service:
                    continue
                for role in ("api", "stream"):
                    usage = self.cluster.postgres.psql(
                        f"SELECT has_schema_privilege('{service}_{role}', '{other}', 'USAGE')"
                    )
                    self.assertEqual(usage, [["f"]], f"{service}_{role} may enter {other}")

    def test_rows_follow_the_setting_on_a_reused_connection(self):
        """One session, as a pool reuses it: nothing, ours, nothing again; after COMMIT, ROLLBACK and an error alike."""
        with_data = 0
        for service in SERVICES:
            for table in self.tables(service):
                count = f"SELECT count(*) FROM {service}.{table};"
                mine = f"SET LOCAL {POLICY_SETTING} = '{self.secret_of_mine}';"
                nobody = f"SET LOCAL {POLICY_SETTING} = '{uuid.uuid4()}';"
                rows, _ = self.sql_as(
                    service,
                    "api",
                    f"""
                    {count}
                    BEGIN; {mine} {count} COMMIT; {count}
                    BEGIN; {mine} ROLLBACK; {count}
                    BEGIN; {mine} SELECT 1/0; COMMIT; {count}
                    BEGIN; {nobody} {count} COMMIT;
                    BEGIN; SET LOCAL {POLICY_SETTING} = ''; {count} COMMIT;""",
                    fails=True,
                )
                self.assertEqual(len(rows), 7, f"{service}.{table}: {rows}")
                self.assertEqual([rows[0], *rows[2:]], ["0"] * 6, f"{service}.{table}: {rows}")
                with_data += rows[1] != "0"
        self.assertGreater(with_data, 12, "too few tables have rows: the test cannot tell")

    def test_writes_into_another_workspace_are_refused(self):
        tried = 0
        for service in SERVICES:
            for table in self.tables(service, "UPDATE"):
                key = "workspace_id"
                tried += 1
                _, error = self.sql_as(
                    service,
                    "api",
                    f"""
                    BEGIN; SET LOCAL {POLICY_SETTING} = '{uuid.uuid4()}';
                    UPDATE {service}.{table} SET {key} = {key}; ROLLBACK;
                    BEGIN; SET LOCAL {POLICY_SETTING} = '{self.secret_of_mine}';
                    UPDATE {service}.{table} SET {key} = '{uuid.uuid4()}'; ROLLBACK;""",
                    fails=True,
                )
                rows = self.cluster.postgres.psql(
                    f"SELECT count(*) FROM {service}.{table} WHERE {key} = '{self.secret_of_mine}'"
                )
                if rows != [["0"]]:
                    self.assertRegex(error, "row-level security|violates|permission denied", f"{service}.{table}")
        self.assertGreater(tried, 10)

    def test_keys_do_not_tell_of_other_workspaces(self):
        """A unique key without the workspace tells, by a refusal, what another workspace has. Harmless of ids alone,
        which nobody can guess."""
        found = self.cluster.postgres.psql(f"""
            SELECT i.indexrelid::regclass FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace_id'
            WHERE i.indisunique AND NOT c.relispartition AND n.nspname IN {SERVICES!r} AND NOT a.attnum = ANY (i.indkey)
            AND has_table_privilege(n.nspname || '_api', c.oid, 'INSERT') AND EXISTS (
              SELECT 1 FROM pg_attribute k WHERE k.attrelid = c.oid AND k.attnum = ANY (i.indkey)
              AND k.atttypid <> 'uuid'::regtype)""")
        self.assertEqual(found, [], "a unique key without workspace_id")
