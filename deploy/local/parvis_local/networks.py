"""The networks of the local installation, one line each: all that launcher, main job and judge know of them by name.

A network is added here when this build has its connector and the sandbox has its face (docs/adding-a-network.md).
"""

import dataclasses
import importlib


@dataclasses.dataclass(frozen=True)
class Webhook:
    """How the network calls us. Its secret is in the cluster's secret file "<network>_<secret>"."""
    secret: str                  # what the network calls the key that signs: "app_secret"
    verify_token: bool = False   # its handshake sends one: "<network>_verify_token"
    query: str = ""              # behind the URL, from the account's members: then each account has a webhook of its own


@dataclasses.dataclass(frozen=True)
class SignIn:
    """How people sign in to the network by OAuth. Our app's secret there is in the cluster's file "<network>_<secret>"."""
    secret: str                  # LinkedIn and Facebook have one secret for webhooks and signing in
    authorize: str               # paths below the sandbox's address
    token: str = ""              # "": below the network's base URL, as the connectors find it


@dataclasses.dataclass(frozen=True)
class Network:
    name: str
    label: str                   # for people
    account: str                 # what a channel is there, for people
    credentials: tuple           # what ConnectChannel asks for; the sandbox's accounts have members of these names
    base_path: str = ""          # of the sandbox's one address for all accounts; "": every account has its own (site_url)
    text: str = "long"           # which of a post's texts fits: "long", "short"; "": the network only listens
    title: bool = False          # posts have a title
    media: str = ""              # content type of what every post carries (media.FILES); "": none
    webhook: Webhook = None      # None: comments are found by polling
    hub: bool = False            # tells us by a WebSub hub, which ingestion subscribes to by itself
    sign_in: SignIn = None       # None: credentials are given, or every server makes us an app of its own (Mastodon)
    share: int = 1               # of the audience, against the other networks
    changes: bool = True         # we are told of edits and removals; else the audience makes none
    ordered: bool = True         # ids or times tell which of two comments of one second came first
    post_id: callable = str      # what our posts go by here, from their id in the sandbox's journal
    hidden_as: str = "hide"      # what the network's journal calls a hide
    likes: str = ""              # what the sandbox calls a post's likes; "": nobody can like it there
    limits: tuple = ()           # ((endpoint, calls in its window), ...): the sandbox's own are too small for one quick run
    real: str = ""               # "module.Class" of what can be started in place of the sandbox

    @property
    def publishes(self):
        return bool(self.text)


def first_of_topic(post):
    """Our topics go by their place; the sandbox's topics have another number than their first posts (domain/forum.h)."""
    return f"t/{int(post) - 1_500_000_000_000}/1"


CLIENT_ID = "parvis-local"   # of our app on every network
TOKEN = ("access_token",)
TABLE = (
    Network("facebook", "Facebook", "a Facebook Page", TOKEN, "/facebook/v23.0", share=6, likes="likes",
            webhook=Webhook("app_secret", verify_token=True), sign_in=SignIn("app_secret", "/facebook/v23.0/dialog/oauth")),
    Network("instagram", "Instagram", "an Instagram account", TOKEN, "/instagram/v23.0", media="image/jpeg", changes=False,
            webhook=Webhook("app_secret", verify_token=True)),
    # X lets a user hide 50 replies in 15 minutes, and the audience insults us more often than that within seconds. What waits
    # for the next window is kept, but a run must see the end of it.
    Network("x", "X", "an X account", TOKEN, "/x", text="short", share=6, webhook=Webhook("consumer_secret"), likes="likes",
            limits=(("tweets.hidden", 5000),), sign_in=SignIn("oauth_secret", "/x/i/oauth2/authorize")),
    Network("youtube", "YouTube", "a YouTube channel", TOKEN, "/youtube", title=True, media="video/mp4", changes=False,
            ordered=False, likes="likes", hub=True,
            sign_in=SignIn("client_secret", "/youtube/o/oauth2/v2/auth", "/youtube/token")),
    Network("wordpress", "WordPress", "a blog", ("username", "application_password"), title=True, share=6,
            real="wordpress.Wordpress"),
    Network("ghost", "Ghost", "a Ghost blog", ("admin_key", "member_id"), title=True, changes=False, ordered=False,
            real="ghost.Ghost"),
    Network("linkedin", "LinkedIn", "a LinkedIn page", TOKEN, "/linkedin", media="image/jpeg",
            webhook=Webhook("client_secret"), likes="likes",
            sign_in=SignIn("client_secret", "/linkedin/oauth/v2/authorization", "/linkedin/oauth/v2/accessToken")),
    # Neither deletions on Bluesky and Mastodon nor edits in NodeBB are in what is polled: services/networks/*/README.md.
    Network("bluesky", "Bluesky", "a Bluesky account", TOKEN, media="image/jpeg", text="short", changes=False,
            real="bluesky.Bluesky"),
    Network("mastodon", "Mastodon", "a Mastodon account", TOKEN, media="image/jpeg", changes=False, likes="favourites_count"),
    Network("discourse", "Discourse", "a Discourse forum", ("api_key", "api_username"), title=True, media="image/jpeg",
            webhook=Webhook("webhook_secret", query="us={handle}"), post_id=first_of_topic),
    Network("nodebb", "NodeBB", "a NodeBB forum", TOKEN, media="image/jpeg", title=True, changes=False, hidden_as="delete"),
    Network("feed", "feed", "a feed", (), text="", hub=True),
)
BY_NAME = {network.name: network for network in TABLE}
ALL = tuple(BY_NAME)
# What the tests of faults, of load and of access use unless they say otherwise: the two ways of pushing, and polling.
USUAL = ("facebook", "x", "wordpress")


def pushing():
    """The networks that call us."""
    return [network for network in TABLE if network.webhook]


def signing_in():
    """The networks that know us as an app."""
    return [network for network in TABLE if network.sign_in]


def app_secret_name(network):
    return f"{network.name}_{network.sign_in.secret}"


def secret_name(network):
    return f"{network.name}_{network.webhook.secret}"


class NoRealServer(Exception):
    """Of a network that is unknown or cannot be had in place of its sandbox; the message says which can."""


def real_server(name):
    """The class that starts a real server of this network, like wordpress.Wordpress."""
    can = ", ".join(network.name for network in TABLE if network.real)
    if name not in BY_NAME:
        raise NoRealServer(f"--with {name}: there is no such network; these have a real server: {can}")
    if not BY_NAME[name].real:
        raise NoRealServer(f"--with {name}: {BY_NAME[name].label} has no real server here, only its sandbox; "
                           f"these have one: {can}")
    module, _, kind = BY_NAME[name].real.rpartition(".")
    return getattr(importlib.import_module(f"{__package__}.{module}"), kind)
