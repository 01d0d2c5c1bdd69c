"""A real WordPress as the blog of the main job: the site, its visitors, its journal in the sandbox's words."""

import http.client
import random
import threading
import urllib.parse

from wordpress.site import Site

from .processes import StartError

TEXTS = (
    "Est-elle livrée en Belgique ?", "Quelle est la puissance de l'ampoule ?", "Does it come with a dimmer?", "When will you restock?",
    "Merci, superbe idée !", "Magnifique, bravo à toute l'équipe 👏", "Thank you, it looks wonderful 😍", "Best lamp I ever had",
    "Commande 4512 toujours pas reçue, je suis très déçu", "Ma lampe est arrivée cassée, que faire ?",
    "My order never arrived and nobody answers", "It stopped working after two days, very disappointed",
    "Vous êtes des idiots", "what a bunch of idiots", "espèce de c0nn@rd", "you are all 1d1ots", "Achetez pas cher ici: http://spam.example/promo",
    "😂😂😂", "❤️", "Je la poserai dans la chambre, côté fenêtre", "Mine will go on the kitchen shelf, I think",
)
VISITORS_AT_ONCE = 3


class Wordpress:
    """start() to stop(); the audience writes through the form below each post, as visitors do."""

    PATIENCE = 600   # seconds for all answers: it takes one comment of a member every 15 seconds (its flood check)

    def __init__(self, folder, say=print):
        self._site, self._say = Site(folder), say
        self._threads, self._lock = [], threading.Lock()
        self._written, self._failure, self._stopping = 0, "", threading.Event()

    def start(self):
        self._site.start()
        # The judge compares one run: what earlier runs left on the site is none of its business.
        self._first = len(self._site.journal())
        self._say(f"WordPress {self._site.info['version']} at {self._site.url}")
        return self

    def stop(self):
        self._stopping.set()
        for thread in self._threads:
            thread.join(30)
        self._site.stop()

    def account(self):
        """As Sandbox.create_account: what ConnectChannel needs, and how the journal names the account."""
        info = self._site.info
        return {"network": "wordpress", "remote_id": self._site.url, "base_url": self._site.url, "site_url": self._site.url,
                "credentials": {"username": info["user"], "application_password": info["application_password"]}}

    def start_audience(self, count, texts=None):
        """`count` comments below the posts of this run, by a few visitors at a time; some answer others."""
        posts = [e["remote_id"] for e in self._site.journal()[self._first:] if e["kind"] == "post"]
        if not posts:
            raise StartError("the blog has no post to comment on")
        share = [count // VISITORS_AT_ONCE + (n < count % VISITORS_AT_ONCE) for n in range(VISITORS_AT_ONCE)]
        for number, part in enumerate(share):
            thread = threading.Thread(target=self._visit, args=(number, part, posts, list(texts or TEXTS)), daemon=True)
            self._threads.append(thread)
            thread.start()

    def audience_status(self):
        if self._failure:
            raise StartError(f"a visitor of the blog: {self._failure}")
        with self._lock:
            return {"written": self._written, "finished": not any(t.is_alive() for t in self._threads)}

    def journal(self):
        """In the words of the sandbox's journal."""
        entries, counted = [], {}
        for seq, entry in enumerate(self._site.journal()[self._first:], 1):
            entry.update(seq=seq, network="wordpress", account=self._site.url)
            if entry["kind"] in ("comment", "reply"):
                counted[entry["thread"]] = counted.get(entry["thread"], 0) + 1
            entry["thread_seq"] = counted.get(entry.get("thread"), 0)
            entries.append(entry)
        return entries

    def _visit(self, number, count, posts, texts):
        chance = random.Random(number)
        mine = []   # comments of this visitor's round: only it answers them, so the order in a thread is the order of writing
        for turn in range(count):
            if self._stopping.is_set():
                return
            post, parent = chance.choice(posts), "0"
            if mine and chance.random() < 0.3:
                post, parent = chance.choice(mine[-20:])
            name = f"Visiteur {number}-{turn}"
            try:
                made = self._comment(post, parent, name, texts[(turn * VISITORS_AT_ONCE + number) % len(texts)])
            except (OSError, http.client.HTTPException, StartError) as problem:
                self._failure = str(problem)
                return
            mine.append((post, made))
            with self._lock:
                self._written += 1

    def _comment(self, post, parent, name, text):
        where = urllib.parse.urlsplit(self._site.url)
        body = urllib.parse.urlencode({"author": name, "email": f"{name.replace(' ', '.').lower()}@visitors.example", "comment": text,
                                       "comment_post_ID": post, "comment_parent": parent})
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
