"""What the real servers have in common: an account for us, visitors who write as people there do, a journal that judges."""

import http.client
import random
import threading

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


class RealServer:
    """In place of a network's sandbox. A kind of server says:

    start(), stop(); account(), as Sandbox.create_account: what ConnectChannel needs, and how the journal names the account;
    journal(), in the words of the sandbox's journal, what happened since start(); comment(visitor, turn, post, parent, text),
    which writes as visitor number `visitor` and returns the comment's id (`parent`: "" for the post itself);
    comment_of_stranger(post, text), the same by somebody who has never written before; it returns when everybody can see it;
    change_post(post, text), as its author does, where posts can be changed.
    """

    PATIENCE = 180   # seconds for all answers
    THREADS_ARE_POSTS = False  # then only one visitor writes below a post, so that a thread's order is the order of writing
    JOURNALLED = ("post", "reply", "hide")   # kinds of our writes of which the journal shows every single one

    def __init__(self):
        self._threads, self._lock = [], threading.Lock()
        self._written, self._failure, self._stopping = 0, "", threading.Event()

    @staticmethod
    def check():
        """StartError when this machine cannot have such a server, as far as can be told before anything is built or started."""

    def connector_credentials(self):
        """What the connector is given when it is called directly."""
        return self.account()["credentials"]

    def our_writes(self):
        """What the journal says of us."""
        return [entry for entry in self.journal() if entry["by"] == "us"]

    def hurried(self):
        """Before start(): what the server does against haste is switched off, as far as it hinders a test that is in haste."""

    def start_audience(self, count, texts=None):
        """`count` comments below the posts of this run, by a few visitors at a time; some answer others."""
        posts = sorted({e["remote_id"] for e in self.journal() if e["kind"] == "post"})
        if not posts:
            raise StartError("there is no post to comment on")
        visitors = min(VISITORS_AT_ONCE, len(posts)) if self.THREADS_ARE_POSTS else VISITORS_AT_ONCE
        for number in range(visitors):
            part = count // visitors + (number < count % visitors)
            below = posts[number::visitors] if self.THREADS_ARE_POSTS else posts
            thread = threading.Thread(target=self._visit, args=(number, visitors, part, below, list(texts or TEXTS)), daemon=True)
            self._threads.append(thread)
            thread.start()

    def audience_status(self):
        if self._failure:
            raise StartError(f"a visitor: {self._failure}")
        with self._lock:
            return {"written": self._written, "finished": not any(t.is_alive() for t in self._threads)}

    def send_visitors_home(self):
        self._stopping.set()
        for thread in self._threads:
            thread.join(30)

    def _visit(self, number, visitors, count, posts, texts):
        chance = random.Random(number)
        mine = []   # comments of this visitor's round: only it answers them, so the order in a thread is the order of writing
        for turn in range(count):
            if self._stopping.is_set():
                return
            post, parent = chance.choice(posts), ""
            if mine and chance.random() < 0.3:
                post, parent = chance.choice(mine[-20:])
            try:
                made = self.comment(number, turn, post, parent, texts[(turn * visitors + number) % len(texts)])
            except (OSError, http.client.HTTPException, ValueError, KeyError, StartError) as problem:
                self._failure = f"{type(problem).__name__}: {problem}"
                return
            mine.append((post, made))
            with self._lock:
                self._written += 1


class RealSite(RealServer):
    """A blog: `site` starts it, and has its url, its info and journal(after), what happened behind entry number `after`."""

    NETWORK = LABEL = ""   # what the journal calls it, and people
    CREDENTIALS = {}       # what ConnectChannel wants: what `info` calls it
    JOURNALLED = ("post", "reply", "hide", "unhide", "delete")

    def __init__(self, site, say):
        super().__init__()
        self._site, self._say = site, say

    @property
    def info(self):
        return self._site.info

    def start(self):
        self._site.start()
        # The judge compares one run: what earlier runs left on the site is none of its business.
        self._first = max((entry["seq"] for entry in self._site.journal()), default=0)
        self._say(f"{self.LABEL} {self.info['version']} at {self._site.url}")
        return self

    def stop(self):
        self.send_visitors_home()
        self._site.stop()

    def account(self):
        return {"network": self.NETWORK, "remote_id": self._site.url, "base_url": self._site.url, "site_url": self._site.url,
                "credentials": {name: self.info[there] for name, there in self.CREDENTIALS.items()}}

    def journal(self):
        return in_order(self._site.journal(self._first), self.NETWORK, self._site.url)


def in_order(entries, network, account):
    """Adds what every entry of the journal has: its number, and its number among the comments of its thread."""
    counted = {}
    for seq, entry in enumerate(entries, 1):
        if entry["kind"] in ("comment", "reply"):
            counted[entry["thread"]] = counted.get(entry["thread"], 0) + 1
        entry.update(seq=seq, network=network, account=account, thread_seq=counted.get(entry.get("thread"), 0))
    return entries
