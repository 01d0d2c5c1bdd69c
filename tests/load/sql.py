"""One psql that stays: asking a question costs a round trip and no process."""

import os
import subprocess

from parvis_local.postgres import BIN

END = "--end-of-answer--"


class Session:
    """As the superuser, read by lines: no value may contain a line feed or a unit separator."""

    def __init__(self, postgres, database="parvis"):
        with open(os.path.join(postgres.folder, "superuser-password"), encoding="ascii") as file:
            env = dict(os.environ, PGPASSWORD=file.read())
        self._psql = subprocess.Popen(
            [f"{BIN}/psql", "-X", "-q", "-A", "-t", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
             str(postgres.port), "-U", "postgres", database], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def rows(self, query):
        self._psql.stdin.write(f"{query};\n\\echo {END}\n")
        self._psql.stdin.flush()
        rows = []
        for line in self._psql.stdout:
            line = line.rstrip("\n")
            if line == END:
                return rows
            rows.append(line.split("\x1f"))
        raise RuntimeError(f"psql ended at: {query[:200]}")

    def number(self, query):
        return int(self.rows(query)[0][0] or 0)

    def close(self):
        self._psql.stdin.close()
        self._psql.wait(30)
