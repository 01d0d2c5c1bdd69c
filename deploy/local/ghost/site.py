#!/usr/bin/python3
"""A real Ghost on loopback: its npm package on Node.js, a private MariaDB.

    deploy/local/ghost/site.py FOLDER

prints one line of JSON (url, version, admin_key, member_id, fan_id, people, pid), serves until SIGTERM, SIGINT or the end of its
standard input, and leaves nothing running. FOLDER keeps the site between starts. The first start of a checkout brings Node.js and
Ghost into .cache. As a module: Site(folder).start() / .stop(); .info is that JSON.
"""

import argparse
import html
import json
import os
import re
import secrets
import shutil
import sys
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, os.path.dirname(HERE))

from ghost.admin import Admin  # noqa: E402
from parvis_local.mariadb import MariaDb  # noqa: E402
from parvis_local.node import Node, fetch  # noqa: E402
from parvis_local.processes import Child, kept_port, listens, serve, wait_until  # noqa: E402

VERSION, PNPM = "6.65.0", "12.4.2"   # PNPM: what that Ghost names as its packageManager; its lock file pins all below it
PEOPLE = 6                           # members who comment, beside ours


def fetch_ghost(node, say):
    def bring_pnpm(part):
        node.run(part, "npm", "install", "--prefix", part, f"pnpm@{PNPM}")

    def bring(part):
        say(f"Ghost {VERSION}, once; it takes some minutes")
        node.run(part, "npm", "pack", f"ghost@{VERSION}", "--pack-destination", part)
        archive = os.path.join(part, f"ghost-{VERSION}.tgz")
        node.run(part, "tar", "-xzf", archive)
        os.remove(archive)
        node.run(os.path.join(part, "package"), os.path.join(pnpm, "node_modules/.bin/pnpm"), "install", "--prod", "--frozen-lockfile",
                 "--ignore-scripts")

    pnpm = fetch(ROOT, f"pnpm-{PNPM}", bring_pnpm)
    return os.path.join(fetch(ROOT, f"ghost-{VERSION}", bring), "package")


class Site:
    """start() sets the site up on first use (about half a minute, later less). The URL stays the same while its port is free."""

    def __init__(self, folder, say=print):
        self.folder, self._say = os.path.abspath(folder), say
        self.info = {}
        self._database, self._child = MariaDb(self.folder, "ghost"), None

    def start(self):
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        node = Node(ROOT, self._say)
        package = fetch_ghost(node, self._say)
        try:
            self._database.start()
            port = kept_port(self.folder)
            self._configure(package, port)
            self._serve(node, package, port)
            self._database.sql(open(os.path.join(HERE, "journal.sql"), encoding="utf-8").read(), "ghost")
            self._set_up()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self):
        if self._child is not None:
            self._child.stop()
            self._child.kill()
            self._child = None
        self._database.stop()

    @property
    def url(self):
        return self.info["url"]

    def journal(self, after=0):
        """What the site's database wrote down behind entry number `after` (see journal.sql)."""
        rows = self._database.sql("SELECT JSON_ARRAY(seq, kind, remote_id, post, parent, thread, member, text, "
                                  f"DATE_FORMAT(at, '%Y-%m-%dT%H:%i:%sZ')) FROM parvis.journal WHERE seq > {int(after)} ORDER BY seq;")
        entries = []
        for row in rows.splitlines():
            # The client writes a backslash as two, so that a line is a row.
            seq, kind, remote_id, post, parent, thread, member, text, at = json.loads(row.replace("\\\\", "\\"))
            ours = kind != "comment" or member == self.info["member_id"]
            entries.append({"seq": seq, "kind": "reply" if kind == "comment" and ours else kind, "by": "us" if ours else "audience",
                            "remote_id": remote_id, "post": post, "parent": parent, "thread": thread, "author": member,
                            "text": html.unescape(re.sub(r"<[^>]*>", " ", text)), "time": at})
        return entries

    def _configure(self, package, port):
        content = os.path.join(self.folder, "content")
        if not os.path.isdir(content):
            shutil.copytree(os.path.join(package, "content"), content + ".part", dirs_exist_ok=True)
            os.rename(content + ".part", content)
        # By the environment: Ghost looks for files of configuration beside itself, in a folder that all sites share.
        self._settings = {"NODE_ENV": "development", "NO_COLOR": "1"}
        for name, value in {
                "url": f"http://127.0.0.1:{port}", "server__host": "127.0.0.1", "server__port": port,
                "database__client": "mysql", "database__connection__socketPath": self._database.socket,
                "database__connection__user": "root", "database__connection__password": "", "database__connection__database": "ghost",
                "paths__contentPath": content, "mail__transport": "stub", "logging__transports": ["stdout"], "logging__level": "warn",
                # Nothing leaves this machine.
                "privacy__useUpdateCheck": False, "privacy__useGravatar": False, "privacy__useRpcPing": False,
                "security__staffDeviceVerification": False, "security__allowWebhookInternalIPs": True,
                "spam__user_login__freeRetries": 1000, "imageOptimization__resize": False}.items():
            self._settings[name] = value if isinstance(value, str) else json.dumps(value)
        self.info = {"url": f"http://127.0.0.1:{port}", "version": VERSION}

    def _serve(self, node, package, port):
        self._child = Child("ghost", [node.binary, os.path.join(package, "index.js")], os.path.join(self.folder, "ghost.log"),
                            cwd=package, env=dict(os.environ, **self._settings)).start()
        self.info["pid"] = self._child.pid
        wait_until(lambda: self._child.check() and listens(port), 180, "Ghost listens", 0.2)
        wait_until(lambda: self._child.check() and self._answers(), 180, "Ghost answers", 0.3)   # it makes its tables first

    def _answers(self):
        try:
            with urllib.request.urlopen(self.url + "/ghost/api/admin/authentication/setup/", timeout=20) as answer:
                return answer.status == 200 and b'"setup"' in answer.read()
        except (urllib.error.URLError, OSError):
            return False

    def _set_up(self):
        """The owner, our integration and the members: once. Their keys are kept, so that a channel goes on working."""
        path = os.path.join(self.folder, "accounts.json")
        if not os.path.exists(path):
            password = secrets.token_hex(16)
            admin = Admin(self.url)
            admin("POST", "/authentication/setup/", {"setup": [{"name": "Lumen", "email": "owner@lumen.example", "password": password,
                                                                "blogTitle": "Lumen"}]})
            admin("POST", "/session/", {"username": "owner@lumen.example", "password": password})
            made = admin("POST", "/integrations/?include=api_keys", {"integrations": [{"name": "Parvis"}]})["integrations"][0]
            accounts = {"admin_key": next(key["secret"] for key in made["api_keys"] if key["type"] == "admin")}
            admin("PUT", "/settings/", {"settings": [{"key": "comments_enabled", "value": "all"}]})
            names = ["Lumen", "Fan", *(f"Membre {number}" for number in range(PEOPLE))]
            members = [admin("POST", "/members/", {"members": [{"name": name, "email": f"{name.replace(' ', '.').lower()}@people.example"}]})
                       ["members"][0]["id"] for name in names]
            accounts.update(member_id=members[0], fan_id=members[1], people=members[2:])
            with open(path + ".part", "w", encoding="utf-8") as file:
                json.dump(accounts, file)
            os.chmod(path + ".part", 0o600)
            os.rename(path + ".part", path)
        with open(path, encoding="utf-8") as file:
            self.info.update(json.load(file))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    options = parser.parse_args()
    return serve(Site(options.folder, lambda text: print(text, file=sys.stderr)))


if __name__ == "__main__":
    sys.exit(main())
