"""A private PostgreSQL 15: its data in one folder of the checkout, TCP on loopback, ended by its process id."""

import os
import pwd
import secrets
import signal
import subprocess

from .processes import Child, StartError, free_port, wait_until

BIN = "/usr/lib/postgresql/15/bin"
SERVICES = ("accounts", "publishing", "ingestion", "moderation", "inbox", "metrics")


class Postgres:
    """start() creates the cluster on first use, then one schema owner and two roles for every service.

    PostgreSQL refuses to run as root, and its user may be unable to enter the folder (a checkout below /root). The data
    folder is therefore opened by us and named to the server as /proc/self/fd/N: that reaches the directory itself,
    without walking its parents.
    """

    def __init__(self, folder, port=0, fsync=True):
        self.folder, self.port, self._fsync = folder, port, fsync
        self.data = os.path.join(folder, "data")
        self._user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        self._child = None
        self._fd = None
        self.password_folder = os.path.join(folder, "passwords")

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        fresh = not os.path.exists(os.path.join(self.data, "PG_VERSION"))
        os.makedirs(self.data, mode=0o700, exist_ok=True)
        if self._user:
            os.chown(self.data, self._user.pw_uid, self._user.pw_gid)
        self._fd = os.open(self.data, os.O_RDONLY | os.O_DIRECTORY)
        if fresh:
            self._initdb()
        self._passwords()
        self.port = free_port(self.port)
        self.launch()
        if fresh:
            self._create_roles()
        return self

    def launch(self):
        """Starts the server process (also after kill())."""
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "",
            "max_connections": 200, "shared_buffers": "256MB", "max_wal_size": "2GB", "checkpoint_timeout": "300s",
            "fsync": "on" if self._fsync else "off", "jit": "off", "log_min_messages": "warning",
            "log_min_error_statement": "panic",  # statements may carry people's words; the services log their own errors
            "timezone": "UTC", "lc_messages": "C",
        }
        command = [f"{BIN}/postgres", "-D", f"/proc/self/fd/{self._fd}"]
        for key, value in settings.items():
            command += ["-c", f"{key}={value}"]
        # SIGINT is PostgreSQL's "fast" shutdown: sessions are ended, nothing is lost.
        self._child = Child("postgres", command, os.path.join(self.folder, "postgres.log"), user=self._user,
                            stop_signal=signal.SIGINT, pass_fds=(self._fd,), cwd="/").start()
        wait_until(lambda: self._child.check() and self._accepts(), 120, "PostgreSQL accepts connections")

    def _accepts(self):
        return subprocess.run([f"{BIN}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                              check=False).returncode == 0

    def _initdb(self):
        password = os.path.join(self.folder, "superuser-password")
        with open(password, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(16))
        os.chmod(password, 0o600)
        handle = os.open(password, os.O_RDONLY)
        command = [f"{BIN}/initdb", "-D", f"/proc/self/fd/{self._fd}", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8",
                   "-A", "scram-sha-256", f"--pwfile=/proc/self/fd/{handle}", "--no-sync"]

        def drop():
            if self._user:
                os.setgroups([])
                os.setgid(self._user.pw_gid)
                os.setuid(self._user.pw_uid)

        if self._user:
            os.chown(password, self._user.pw_uid, self._user.pw_gid)
        done = subprocess.run(command, preexec_fn=drop, pass_fds=(self._fd, handle), capture_output=True, text=True,
                              cwd="/", check=False)
        os.close(handle)
        if done.returncode:
            raise StartError(f"initdb failed: {done.stderr.strip()[-500:]}")
        if self._user:
            os.chown(password, 0, 0)

    def _passwords(self):
        os.makedirs(self.password_folder, mode=0o700, exist_ok=True)
        for service in SERVICES:
            for role in ("owner", "api", "stream"):
                path = self.password_file(service, role)
                if not os.path.exists(path):
                    with open(path, "w", encoding="ascii") as file:
                        file.write(secrets.token_hex(16))
                    os.chmod(path, 0o600)

    def password_file(self, service, role):
        return os.path.join(self.password_folder, f"{service}_{role}")

    def dsn(self, service, role, port=0):
        """Connection string without the password; by way of another port when one is given."""
        return f"host=127.0.0.1 port={port or self.port} dbname=parvis user={service}_{role}"

    def _create_roles(self):
        self.psql("CREATE DATABASE parvis", database="postgres")
        lines = ["REVOKE CREATE ON SCHEMA public FROM PUBLIC;"]
        for service in SERVICES:
            for role in ("owner", "api", "stream"):
                with open(self.password_file(service, role), encoding="ascii") as file:
                    password = file.read()
                bypass = "BYPASSRLS" if role == "stream" else "NOBYPASSRLS"
                lines.append(f"CREATE ROLE {service}_{role} LOGIN {bypass} NOCREATEROLE NOCREATEDB PASSWORD '{password}';")
                lines.append(f"ALTER ROLE {service}_{role} SET search_path = {service};")
            lines.append(f"CREATE SCHEMA {service} AUTHORIZATION {service}_owner;")
            lines.append(f"GRANT USAGE ON SCHEMA {service} TO {service}_api, {service}_stream;")
        self.psql("\n".join(lines))

    def psql(self, sql, database="parvis"):
        """Runs SQL as the superuser and returns the rows as lists of strings; for setting up and for judging."""
        with open(os.path.join(self.folder, "superuser-password"), encoding="ascii") as file:
            env = dict(os.environ, PGPASSWORD=file.read(), PGCONNECT_TIMEOUT="5")
        done = subprocess.run([f"{BIN}/psql", "-X", "-q", "-A", "-t", "-F", "\x1f", "-R", "\x1e", "-v", "ON_ERROR_STOP=1",
                               "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", database],
                              input=sql, capture_output=True, text=True, env=env, check=False)
        if done.returncode:
            raise StartError(f"SQL failed: {done.stderr.strip()[-500:]}")
        text = done.stdout.rstrip("\n")
        return [row.split("\x1f") for row in text.split("\x1e") if row.strip("\n")] if text else []

    def kill(self):
        self._child.kill()

    def signal(self, number, backends=False):
        """`backends`: to them, too, as a freezer would."""
        if backends:
            self._child.signal_all(number)
        else:
            self._child.signal(number)

    def await_end(self, seconds=30):
        """After a signal that ends it."""
        self._child.process.wait(seconds)

    def running(self):
        return self._child.running()

    def stop(self):
        if self._child:
            self._child.stop()
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
