"""A private MariaDB for the real blogs: its data in one folder, a socket that only we can reach, no port."""

import os
import shutil
import subprocess
import tempfile

from .processes import Child, StartError, wait_until

NEEDED = ("/usr/sbin/mariadbd", "/usr/bin/mariadb-install-db", "/usr/bin/mariadb")


class MariaDb:
    """`database` is created on first use; `socket` is where it is while it runs."""

    def __init__(self, folder, database):
        self._folder, self._database = folder, database
        self._child = self._sockets = None
        self.socket = ""

    def start(self):
        for path in NEEDED:
            if not os.path.exists(path):
                raise StartError(f"{path} is missing; apt-get install mariadb-server")
        data = os.path.join(self._folder, "mysql")
        # A socket's path may have 107 bytes: the folder's may be longer.
        self._sockets = tempfile.mkdtemp(prefix="parvis-db-")
        self.socket = os.path.join(self._sockets, "db")
        user = ["--user=root"] if os.geteuid() == 0 else []
        if not os.path.isdir(os.path.join(data, "mysql")):
            done = subprocess.run(["/usr/bin/mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db",
                                   "--auth-root-authentication-method=normal", "--skip-log-bin", *user],
                                  capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise StartError(f"mariadb-install-db: {(done.stdout + done.stderr)[-800:]}")
        self._child = Child("mariadb", ["/usr/sbin/mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={self.socket}",
                                        f"--pid-file={self.socket}.pid", "--skip-networking", "--skip-log-bin",
                                        "--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=2", *user],
                            os.path.join(self._folder, "mariadb.log")).start()
        wait_until(lambda: self._child.check() and self._client("SELECT 1").returncode == 0, 30, "MariaDB")
        self.sql(f"CREATE DATABASE IF NOT EXISTS {self._database} CHARACTER SET utf8mb4")
        return self

    def _client(self, statements, database=""):
        return subprocess.run(["/usr/bin/mariadb", "--no-defaults", f"--socket={self.socket}", "--default-character-set=utf8mb4",
                               "-uroot", "-BN", *([database] if database else [])], input=statements, capture_output=True, text=True,
                              check=False)

    def sql(self, statements, database=""):
        """What the statements print: a line a row, cells apart by tabs."""
        done = self._client(statements, database)
        if done.returncode != 0:
            raise StartError(f"MariaDB: {done.stderr}")
        return done.stdout

    def stop(self):
        if self._child is not None:
            self._child.stop()
            self._child.kill()
            self._child = None
        if self._sockets:
            shutil.rmtree(self._sockets, ignore_errors=True)
            self._sockets = None
