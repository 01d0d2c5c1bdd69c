"""A real Ghost as a blog of the main job: the site, its members, its journal in the sandbox's words."""

import html
import http.cookiejar
import json
import urllib.error
import urllib.request
import uuid

from ghost.admin import Admin
from ghost.site import Site

from .processes import StartError
from .real import RealSite


class Ghost(RealSite):
    """start() to stop(); the audience writes as signed-in members do from the site's pages."""

    NETWORK, LABEL = "ghost", "Ghost"
    CREDENTIALS = {"admin_key": "admin_key", "member_id": "member_id"}

    def __init__(self, folder, say=print):
        super().__init__(Site(folder, say), say)
        self._sessions, self._typed, self._threads_of = {}, {}, {}

    def journal(self):
        entries = super().journal()
        for entry in entries:
            if entry["kind"] == "comment":   # as it was typed; what the site stores is HTML
                entry["text"] = self._typed.get(entry["remote_id"], entry["text"])
        return entries

    def comment(self, visitor, turn, post, parent, text):
        content = {"post_id": post, "html": f"<p>{html.escape(text)}</p>"}
        if parent:
            thread = self._threads_of.get(parent, parent)
            content.update(parent_id=thread, **({"in_reply_to_id": parent} if thread != parent else {}))
        request = urllib.request.Request(f"{self._site.url}/members/api/comments/", json.dumps({"comments": [content]}).encode(),
                                         {"Content-Type": "application/json"})
        made = json.loads(self._open(visitor, request))["comments"][0]["id"]
        self._typed[made] = text
        if parent:
            self._threads_of[made] = content["parent_id"]
        return made

    def comment_of_stranger(self, post, text):
        name = f"stranger-{uuid.uuid4().hex}"
        self.info["people"].append(self._admin("POST", "/members/", {"members": [{"name": name, "email": f"{name}@people.example"}]})
                                   ["members"][0]["id"])
        return self.comment(len(self.info["people"]) - 1, 0, post, "", text)

    def change_post(self, post, text):
        there = self._admin("GET", f"/posts/{post}/")["posts"][0]
        self._admin("PUT", f"/posts/{post}/?source=html", {"posts": [{"html": f"<p>{html.escape(text)}</p>",
                                                                       "updated_at": there["updated_at"]}]})

    @property
    def _admin(self):
        return Admin(self._site.url, self.info["admin_key"])

    def _open(self, visitor, request):
        if visitor not in self._sessions:
            # The link that the site would send by mail to a member who wants to sign in.
            member = self.info["people"][visitor]
            link = self._admin("GET", f"/members/{member}/signin_urls/")["member_signin_urls"][0]
            session = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
            session.open(link["url"], timeout=60).read()
            self._sessions[visitor] = session
        try:
            with self._sessions[visitor].open(request, timeout=60) as answer:
                return answer.read()
        except urllib.error.HTTPError as refused:
            raise StartError(f"a comment was answered {refused.code} {refused.read()[:300].decode(errors='replace')}") from refused
