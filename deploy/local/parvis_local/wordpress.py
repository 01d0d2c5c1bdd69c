"""A real WordPress as the blog of the main job: the site, its visitors, its journal in the sandbox's words."""

import base64
import html
import http.client
import json
import urllib.parse
import urllib.request

from wordpress.site import Site

from .processes import StartError
from .real import RealSite


class Wordpress(RealSite):
    """start() to stop(); the audience writes through the form below each post, as visitors do."""

    PATIENCE = 600   # it takes one comment of a member every 15 seconds (its flood check)
    NETWORK, LABEL = "wordpress", "WordPress"
    CREDENTIALS = {"username": "user", "application_password": "application_password"}

    def __init__(self, folder, say=print):
        super().__init__(Site(folder), say)
        self._strangers = 0

    def hurried(self):
        self._site.flood_check = False

    def comment_of_stranger(self, post, text):
        self._strangers += 1
        return self.comment("etranger", self._strangers, post, "", text)

    def change_post(self, post, text):
        key = base64.b64encode(f"{self.info['user']}:{self.info['application_password']}".encode()).decode()
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
