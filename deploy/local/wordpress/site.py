#!/usr/bin/python3
"""A real WordPress on loopback: the site of Debian's package, a private MariaDB, PHP's own server.

    deploy/local/wordpress/site.py FOLDER [--moderation]

prints one line of JSON (url, user, application_password, reader, reader_password, post_types, version, pid), serves until
SIGTERM, SIGINT or the end of its standard input, and leaves nothing running. FOLDER keeps the site between starts.
As a module: Site(folder).start() / .stop(); .info is that JSON.
"""

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from parvis_local import mariadb  # noqa: E402
from parvis_local.mariadb import MariaDb  # noqa: E402
from parvis_local.processes import Child, StartError, kept_port, listens, serve, wait_until  # noqa: E402

PACKAGE = "/usr/share/wordpress"
NEEDED = (PACKAGE, "/usr/bin/php", *mariadb.NEEDED)

CONFIG = """<?php
define('DB_NAME', 'wordpress');
define('DB_USER', 'root');
define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:%(socket)s');
define('DB_CHARSET', 'utf8mb4');
define('WP_HOME', '%(url)s');
define('WP_SITEURL', '%(url)s');
define('WP_ENVIRONMENT_TYPE', 'local');      // application passwords over plain http
define('WP_HTTP_BLOCK_EXTERNAL', true);      // nothing leaves this machine
define('DISABLE_WP_CRON', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_DEBUG', false);
define('PARVIS_JOURNAL', '%(journal)s');
define('PARVIS_FLOOD_CHECK', %(flood_check)s);
%(salts)s
$table_prefix = 'wp_';
if (!defined('ABSPATH')) { define('ABSPATH', __DIR__ . '/'); }
require_once ABSPATH . 'wp-settings.php';
"""


class Site:
    """start() installs on first use (about 5 s, later 1 s). The URL stays the same between starts while its port is free."""

    def __init__(self, folder, moderation=False):
        self.folder = os.path.abspath(folder)
        self.root = os.path.join(self.folder, "site")
        self.journal_path = os.path.join(self.folder, "journal.ndjson")
        self.moderation = moderation
        self.flood_check = True   # of members: one comment in 15 seconds
        self.info = {}
        self._database, self._php = MariaDb(self.folder, "wordpress"), None

    def start(self):
        for path in NEEDED:
            if not os.path.exists(path):
                raise StartError(f"{path} is missing; apt-get install wordpress wordpress-theme-twentytwentythree php-cli "
                                 "php-mysql php-xml php-mbstring php-curl php-gd mariadb-server")
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        try:
            self._database.start()
            self._copy_site()
            port = kept_port(self.folder)
            self._configure(port)
            self._serve(port)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self):
        if self._php is not None:
            self._php.stop()
            self._php.kill()   # PHP's workers outlive their master
            self._php = None
        self._database.stop()

    @property
    def url(self):
        return self.info["url"]

    def journal(self, after=0):
        """What happened on the site behind entry number `after`, as the site itself wrote it down (see parvis-local.php)."""
        if not os.path.exists(self.journal_path):
            return []
        with open(self.journal_path, encoding="utf-8") as file:
            entries = [json.loads(line) for line in file if line.strip()]
        return [{**entry, "seq": seq} for seq, entry in enumerate(entries[after:], after + 1)]

    def _copy_site(self):
        if not os.path.exists(os.path.join(self.root, "wp-load.php")):
            part = self.root + ".part"
            shutil.rmtree(part, ignore_errors=True)
            # With links followed: the package's files point into other packages.
            shutil.copytree(PACKAGE, part, symlinks=False, ignore_dangling_symlinks=True,
                            ignore=shutil.ignore_patterns("wp-config.php"))
            os.rename(part, self.root)
        plugins = os.path.join(self.root, "wp-content", "mu-plugins")
        os.makedirs(plugins, exist_ok=True)
        os.makedirs(os.path.join(self.root, "wp-content", "uploads"), exist_ok=True)
        shutil.copy(os.path.join(HERE, "parvis-local.php"), plugins)

    def _configure(self, port):
        url = f"http://127.0.0.1:{port}"
        names = [kind + part for kind in ("AUTH", "SECURE_AUTH", "LOGGED_IN", "NONCE") for part in ("_KEY", "_SALT")]
        salts = "\n".join(f"define('{name}', '{secrets.token_hex(32)}');" for name in names)
        config = os.path.join(self.root, "wp-config.php")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG % {"socket": self._database.socket, "url": url, "salts": salts, "journal": self.journal_path,
                                 "flood_check": "true" if self.flood_check else "false"})
        os.chmod(config, 0o600)
        passwords = os.path.join(self.folder, "passwords")
        os.makedirs(passwords, mode=0o700, exist_ok=True)
        environment = dict(os.environ, PARVIS_WP_ROOT=self.root, PARVIS_WP_URL=url, PARVIS_WP_PASSWORD=secrets.token_hex(16),
                           PARVIS_WP_PASSWORDS=passwords,
                           PARVIS_WP_MODERATION="1" if self.moderation else "0")
        done = subprocess.run(["/usr/bin/php", os.path.join(HERE, "setup.php")], capture_output=True, text=True, env=environment,
                              check=False)
        try:
            self.info = json.loads(done.stdout[done.stdout.index("{"):])
        except ValueError as problem:
            raise StartError(f"WordPress could not be set up: {(done.stdout + done.stderr)[-800:]}") from problem
        self.info["url"] = url

    def _serve(self, port):
        environment = dict(os.environ, PHP_CLI_SERVER_WORKERS="3")
        self._php = Child("php", ["/usr/bin/php", "-d", "opcache.enable_cli=1", "-d", "memory_limit=256M", "-d", "upload_max_filesize=16M",
                                  "-d", "post_max_size=20M", "-S", f"127.0.0.1:{port}", "-t", self.root, os.path.join(HERE, "router.php")],
                          os.path.join(self.folder, "php.log"), env=environment).start()
        self.info["pid"] = self._php.pid
        wait_until(lambda: self._php.check() and listens(port), 20, "PHP's server")
        wait_until(self._answers, 30, "WordPress")

    def _answers(self):
        try:
            with urllib.request.urlopen(self.info["url"] + "/wp-json/wp/v2/types", timeout=20) as answer:
                return answer.status == 200 and b'"post"' in answer.read()
        except (urllib.error.URLError, OSError):
            return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--moderation", action="store_true", help="comments wait for approval")
    options = parser.parse_args()
    return serve(Site(options.folder, options.moderation))


if __name__ == "__main__":
    sys.exit(main())
