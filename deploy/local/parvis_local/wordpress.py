"""A real WordPress as the blog of the main job: the site, its visitors, its journal in the sandbox's words."""

import base64
import html
import http.client
import json
import urllib.parse
import urllib.request

from wordpress.site import Site

from .processes import StartError
from .real import RealServer, in_order


class Wordpress(RealServer):
    """start() to stop(); the audience writes through the form below each post, as visitors do."""

    PATIENCE = 600   # it takes one comment of a member every 15 seconds (its flood check)
    JOURNALLED = ("post", "reply", "hide", "unhide", "delete")

    def __init__(self, folder, say=print):
        super().__init__()
        self._site, self._say = Site(folder), say
        self._strangers = 0

    def start(self):
        self._site.start()
        # The judge compares one run: what earlier runs left on the site is none of its business.
        self._first = len(self._site.journal())
        self._say(f"WordPress {self._site.info['version']} at {self._site.url}")
        return self

    def stop(self):
        self.send_visitors_home()
        self._site.stop()

    def account(self):
        info = self._site.info
        return {"network": "wordpress", "remote_id": self._site.url, "base_url": self._site.url, "site_url": self._site.url,
                "credentials": {"username": info["user"], "application_password": info["application_password"]}}

    def journal(self):
        return in_order(self._site.journal()[self._first:], "wordpress", self._site.url)

    def hurried(self):
        self._site.flood_check = False

    def comment_of_stranger(self, post, text):
        self._strangers += 1
        return self.comment("etranger", self._strangers, post, "", text)

    def change_post(self, post, text):
        key = base64.b64encode(f"{self._site.info['user']}:{self._site.info['application_password']}".encode()).decode()
        request = urllib.request.Request(f"{self._site.url}/wp-json/wp/v2/posts/{post}",
                                         json.dumps({"content": f"<p>{html.escape(text)}</p>"}).encode(),
                                         {"Content-Type": "application/json", "Authorization": f"Basic {key}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()

    def comment(self, visitor, turn, post, parent, text):
        where, name = urllib.parse.urlsplit(self._site.url), f"Visiteur {visitor}-{turn}"
        body = urllib.parse.urlencode({"author": name, "email": f"{name.replace(' ', '.').lower()}@visitors.example", "comment": text,
                                       "comment_post_ID": post, "comment_parent": parent or "0"})
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
        try:
            connection.request("POST", "/wp-comments-post.php", body, {"Content-Type": "application/x-www-form-urlencoded"})
            answer = connection.getresponse()
            answer.read()
            location = answer.getheader("Location", "")
        finally:
            connection.close()
        if answer.status != 302 or "#comment-" not in location:
            raise StartError(f"a comment was answered {answer.status} {location}")
        return location.rsplit("#comment-", 1)[1]
