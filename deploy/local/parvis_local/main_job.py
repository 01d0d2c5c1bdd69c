"""The main job, through the public API alone: a campaign goes out, its comments come back, are moderated and answered."""

import itertools
import os
import threading
from datetime import datetime, timedelta, timezone

from . import databases, networks, report, story
from .connect import Client, ConnectError, new_id
from .media import upload_file
from .processes import StartError, wait_until

ACCOUNTS, PUBLISHING = "accounts.v1.AccountsService", "publishing.v1.PublishingService"
MEDIA = "publishing.v1.MediaService"
MODERATION, INBOX = "moderation.v1.ModerationService", "inbox.v1.InboxService"
INGESTION = "ingestion.v1.IngestionService"
CASES_MAX = 5   # complaints for which a case is opened


class MainJob:
    """Runs the steps in order; what the steps learn is kept here for the table at the end."""

    def __init__(self, cluster, sandbox, show, comments=3000, texts=None, answers=40, on=networks.USUAL):
        self.cluster, self.sandbox, self.show = cluster, sandbox, show
        self.comments, self.texts, self.answers = comments, texts, answers
        self.networks = [networks.BY_NAME[name] for name in on]
        self.operator = Client(cluster.gateway_url, cluster.secret("operator_key"))
        self.keys, self.members, self.channels, self.sandbox_accounts = {}, {}, {}, {}
        self.workspace = self.campaign = ""
        self.posts = []
        self.answered = {}   # conversation name -> reply message name
        self.delivered_answers = 0
        self.claims_lost = 0
        self.cases = []
        self.kept = {}       # uploaded media: media type -> name
        self.likes = {}      # by network: given to our posts
        self._lock = threading.Lock()   # Amélie and Ben count together
        self._cases_left = CASES_MAX

    def client(self, who):
        return self.operator.with_key(self.keys[who])

    def run(self):
        self.show.chapter("The team")
        self.create_team()
        self.connect_channels()
        self.write_policy()
        self.show.chapter("The campaign goes out")
        self.write_campaign()
        self.approve_and_schedule()
        self.await_deliveries()
        self.await_hubs()
        self.show.chapter("The audience answers")
        self.likes = self.sandbox.like_posts()
        self.release_audience()
        self.show.chapter("The team answers")
        self.work_the_inbox()
        self.review_held()
        self.await_answers()
        self.show.chapter("The campaign report")
        report.write(self)

    # ---- the team -------------------------------------------------------------------------------------------------

    def create_team(self):
        organization = self.operator.call(f"{ACCOUNTS}/CreateOrganization", {
            "organization": {"displayName": story.ORGANISATION}, "requestId": new_id()})
        workspace = self.operator.call(f"{ACCOUNTS}/CreateWorkspace", {
            "parent": organization["name"], "requestId": new_id(),
            "workspace": {"displayName": story.WORKSPACE, "timeZone": story.TIME_ZONE}})
        self.workspace = workspace["name"]
        for who, (name, email, roles) in story.MEMBERS.items():
            member = self.operator.call(f"{ACCOUNTS}/CreateMember", {
                "parent": self.workspace, "requestId": new_id(),
                "member": {"displayName": name, "email": email, "roles": roles}})
            self.members[who] = member["name"]
            key = self.operator.call(f"{ACCOUNTS}/CreateApiKey", {
                "parent": self.workspace, "requestId": new_id(),
                "apiKey": {"displayName": f"{name}, laptop", "member": member["name"], "roles": roles}})
            self.keys[who] = key["secret"]
        self.show.step(f"organisation “{story.ORGANISATION}”, workspace “{story.WORKSPACE}” ({story.TIME_ZONE}), "
                       f"{len(self.members)} members, {len(self.keys)} API keys (shown once)")

    def connect(self, network, account, name):
        """The channel that `account`, as Sandbox.create_account makes it, is from now on."""
        return self.client("manager").call(f"{ACCOUNTS}/ConnectChannel", {
            "parent": self.workspace, "network": network, "credentials": account["credentials"],
            "siteUrl": account["site_url"], "displayName": name, "requestId": new_id()})["name"]

    def connect_channels(self):
        try:
            self.client("manager").call(f"{ACCOUNTS}/ConnectChannel", {
                "parent": self.workspace, "network": "facebook", "requestId": new_id(),
                "credentials": {"access_token": "not-a-token"}})
            raise StartError("a wrong token was accepted: ConnectChannel must ask the network")
        except ConnectError as refused:
            self.show.step(f"a wrong Facebook token is refused: {refused.code}, {refused.reason or refused.message}")
        for network in self.networks:
            account = self.sandbox.create_account(network.name, "Lumen")
            self.sandbox_accounts[network.name] = account
            channel = self.connect(network.name, account, f"Lumen on {network.label}")
            self.channels[network.name] = channel.rsplit("/", 1)[1]
        self.show.step(f"{len(self.channels)} channels connected: {', '.join(network.account for network in self.networks)}")

    def publishing_channels(self):
        """[(network, channel id)] of those that take posts and answers; the others only listen."""
        return [(network, self.channels[network.name]) for network in self.networks if network.publishes]

    def write_policy(self):
        manager = self.client("manager")
        path = os.path.join(os.path.dirname(__file__), "../../../services/moderation/policies/starter.yaml")
        with open(path, encoding="utf-8") as file:
            source = file.read()
        policy = manager.call(f"{MODERATION}/CreatePolicy", {
            "parent": self.workspace, "requestId": new_id(), "policy": {"displayName": "House rules", "source": source}})
        manager.call(f"{MODERATION}/ActivatePolicy", {"name": policy["name"]})
        tried = manager.call(f"{MODERATION}/TestPolicy", {
            "parent": self.workspace, "policy": policy["name"],
            "texts": [{"text": t} for t in ("Merci, superbe lampe !", "you are an 1d1ot", "Un vrai c.o.n.n.a.r.d ce vendeur")]})
        verdicts = ", ".join(d["action"].removeprefix("ACTION_").lower() for d in tried["decisions"])
        self.show.step(f"moderation policy “House rules” active; tried on three texts: {verdicts}")

    # ---- the campaign ---------------------------------------------------------------------------------------------

    def variants(self, post, instead=None):
        """The post in the words of each network; `instead`: {network: text} in their place."""
        language, title, *texts = post
        texts = dict(zip(("long", "short"), texts))
        return [{"channelId": channel, "text": (instead or {}).get(network.name, texts[network.text]), "language": language,
                 "title": title if network.title else "",
                 "media": [{"media": self.kept[network.media], "altText": title}] if network.media else []}
                for network, channel in self.publishing_channels()]

    def prepare_media(self):
        for kind in sorted({network.media for network, _ in self.publishing_channels() if network.media} - set(self.kept)):
            medium = upload_file(self.client("manager"), MEDIA, self.workspace, kind)
            self.kept[kind] = medium["name"]
            facts = medium["facts"]
            self.show.step(f"uploaded {medium['displayName']}: {facts['type']}, {facts['width']} × {facts['height']} pixels")

    def violations(self, post, instead=None):
        return self.client("manager").call(f"{PUBLISHING}/CheckPost", {"parent": self.workspace, "post": {
            "campaign": self.campaign, "variants": self.variants(post, instead)}}).get("violations", [])

    def create_campaign(self, name):
        return self.client("manager").call(f"{PUBLISHING}/CreateCampaign", {
            "parent": self.workspace, "requestId": new_id(), "campaign": {"displayName": name}})["name"]

    def create_post(self, campaign, variants, name=""):
        return self.client("manager").call(f"{PUBLISHING}/CreatePost", {"parent": self.workspace, "requestId": new_id(), "post": {
            "campaign": campaign, "displayName": name, "variants": variants}})["name"]

    def approve(self, post):
        """Submitted by one, approved by another."""
        self.client("manager").call(f"{PUBLISHING}/SubmitPost", {"name": post})
        self.client("approver").call(f"{PUBLISHING}/ApprovePost", {"name": post, "comment": "Relu, bon pour publication."})

    def schedule(self, post, due):
        self.client("manager").call(f"{PUBLISHING}/SchedulePost", {"name": post, "dueTime": stamp(due), "requestId": new_id()})

    def write_campaign(self):
        self.prepare_media()
        self.campaign = self.create_campaign(story.CAMPAIGN)
        for wrong in self.violations(story.POSTS[0], story.TOO_LONG):
            self.show.step(f"checked before approval: {wrong['field']}: {wrong['description']}")
        for post in story.POSTS:
            if wrong := self.violations(post):
                raise StartError(f"“{post[1]}” does not fit: {wrong}")
            self.posts.append(self.create_post(self.campaign, self.variants(post), post[1]))
        self.show.step(f"campaign “{story.CAMPAIGN}”: {len(self.posts)} posts in French and English, "
                       f"{len(self.posts) * len(self.publishing_channels())} variants")

    def approve_and_schedule(self):
        due = datetime.now(timezone.utc) + timedelta(seconds=4)
        try:
            self.schedule(self.posts[0], due)
            raise StartError("a post without approval was scheduled: approval must block")
        except ConnectError as refused:
            self.show.step(f"scheduling before approval is refused: {refused.reason or refused.message}")
        for number, post in enumerate(self.posts):
            self.approve(post)
            self.schedule(post, due + timedelta(milliseconds=700 * number))
        self.show.step(f"{len(self.posts)} posts submitted, approved by {story.MEMBERS['approver'][0]}, scheduled from "
                       f"{due.astimezone().strftime('%H:%M:%S')} on")

    def deliveries(self, **filters):
        return list(self.client("owner").pages(f"{PUBLISHING}/ListDeliveries", {"parent": self.workspace, **filters},
                                               "deliveries"))

    def await_deliveries(self):
        planned = len(self.posts) * len(self.publishing_channels())

        def settled():
            states = [d["state"] for d in self.deliveries(kind="DELIVERY_KIND_POST")]
            done = states.count("DELIVERY_STATE_DELIVERED")
            self.show.progress(f"delivering: {done} of {planned} posts")
            return done + states.count("DELIVERY_STATE_FAILED") == planned

        wait_until(settled, 60, "all posts are delivered", 0.2)
        found = self.deliveries(kind="DELIVERY_KIND_POST")
        late = sorted(lateness(d) for d in found if d["state"] == "DELIVERY_STATE_DELIVERED")
        self.show.step(f"{len(late)} of {planned} posts delivered; the latest {late[-1] * 1000:.0f} ms after its time")

    def await_hubs(self):
        """Until the hubs have confirmed that they tell us; asked for by ingestion, soon after a channel is connected."""
        client, told = self.client("owner"), {}

        def all_told():
            for network in self.networks:
                if network.hub and network.name not in told:
                    source = client.call(f"{INGESTION}/GetSource", {"name": f"{self.workspace}/sources/{self.channels[network.name]}"})
                    if source["hubState"] == "HUB_STATE_SUBSCRIBED":
                        told[network.name] = network.label
            return len(told) == sum(network.hub for network in self.networks)

        wait_until(all_told, 60, "the hubs have confirmed our subscriptions", 0.2)
        if told:
            self.show.step(f"told by WebSub hubs: {', '.join(told[network.name] for network in self.networks if network.hub)}")

    # ---- the audience ---------------------------------------------------------------------------------------------

    def release_audience(self):
        self.sandbox.start_audience(self.comments, self.texts)
        self.release_audience_wait()

    def release_audience_wait(self):
        """Until the audience has written all and the inbox has it; what is missing then, the table says."""
        last = {}

        def settled():
            status = self.sandbox.audience_status()
            stored = self.stored()
            last.update(status, stored=stored)
            self.show.progress(f"written {status['written']}, delivered by the networks {status['acknowledged']}, "
                               f"in the inbox {stored}")
            return status["finished"] and not status["pending"] and stored >= status["written"]

        try:
            wait_until(settled, 60 + self.comments / 50, "all comments are in the inbox", 0.5)
        except StartError:
            self.show.step("not all comments arrived in time; the table says which")
        self.show.step(f"{last['written']} comments and {last['changes']} edits and deletions written; {last['stored']} messages "
                       f"in the inbox")

    def stored(self):
        """Messages of the audience in the inbox: counted in its database (read only), which is quicker than paging."""
        return databases.count_messages(self.cluster, self.workspace)

    # ---- the inbox ------------------------------------------------------------------------------------------------

    def work_the_inbox(self):
        workers = [threading.Thread(target=self._answer_as, args=(who,)) for who in ("amelie", "ben")]
        for worker in workers:
            worker.start()
        while any(worker.is_alive() for worker in workers):
            self.show.progress(f"answered {len(self.answered)} conversations, {len(self.cases)} cases opened")
            workers[0].join(0.3)
        for worker in workers:
            worker.join()
        self.show.step(f"Amélie and Ben answered and resolved {len(self.answered)} conversations "
                       f"({self.claims_lost} claims went to the other one first)")
        if self.cases:
            case = self.client("amelie").call(f"{INBOX}/EscalateCase", {
                "name": self.cases[0], "reason": "Second complaint about the same order", "owner": self.members["manager"],
                "requestId": new_id()})
            self.show.step(f"{len(self.cases)} complaint cases opened; one escalated to {story.MEMBERS['manager'][0]}, "
                           f"due {case.get('dueTime', '')[:16].replace('T', ' ')}")

    def answer_some(self, who, count, seed, client=None):
        """Answers up to `count` open conversations of any kind; used where something is being broken meanwhile."""
        client = client or self.client(who)
        # More than are wanted: some have been answered, and were opened again by the next comment.
        for number, conversation in enumerate(client.call(f"{INBOX}/ListConversations", {
                "parent": self.workspace, "state": "STATE_OPEN", "pageSize": 20 * count})["conversations"]):
            count -= self._answer(client, who, conversation, conversation["kind"], seed * 100 + number)
            if count <= 0:
                return

    def _answer_as(self, who):
        client, number = self.client(who), 0
        for kind, share in (("KIND_COMPLAINT", 0.3), ("KIND_QUESTION", 0.5), ("KIND_THANKS", 0.2)):
            done = 0
            for conversation in self._conversations(client, kind):
                if done >= self.answers * share:
                    break
                number += 1
                done += self._answer(client, who, conversation, kind, number)

    def _conversations(self, client, kind):
        """Open ones in turn of all networks that can be answered, so that none of them waits for the others to be through."""
        lists = [client.pages(f"{INBOX}/ListConversations", {"parent": self.workspace, "state": "STATE_OPEN", "kind": kind,
                                                             "channelId": channel}, "conversations", 20)
                 for _, channel in self.publishing_channels()]
        return (one for turn in itertools.zip_longest(*lists) for one in turn if one)

    def _answer(self, client, who, conversation, kind, number):
        """Claims, answers, resolves; False when the other one was faster or there is nothing to answer."""
        name = conversation["name"]
        if conversation.get("claim") or name in self.answered:
            return False
        try:
            claim = client.call(f"{INBOX}/ClaimConversation", {"name": name})["claim"]
        except ConnectError as lost:
            if lost.reason != "CLAIM_LOST":
                raise
            with self._lock:
                self.claims_lost += 1
            return False
        if name in self.answered:
            return False   # by the other one, between our list and our claim
        serial = number * 2 + (who == "ben")
        text = story.answer(kind, conversation.get("language", ""), conversation.get("person", {}).get("name", ""), serial)
        if kind == "KIND_COMPLAINT" and self._take_case():
            due = datetime.now(timezone.utc) + timedelta(days=2)
            self.cases.append(client.call(f"{INBOX}/OpenCase", {
                "name": name, "requestId": new_id(),
                "case": {"title": conversation.get("preview", "")[:80] or "Complaint", "dueTime": stamp(due)}})["name"])
        try:
            message = client.call(f"{INBOX}/Reply", {"name": name, "text": text, "claimToken": claim["token"],
                                                     "requestId": new_id()})
        except ConnectError as refused:
            if refused.code not in ("failed_precondition", "aborted"):
                raise
            return False   # deleted by its author meanwhile
        self.answered[name] = message["name"]
        client.call(f"{INBOX}/ResolveConversation", {"name": name})
        return True

    def _take_case(self):
        """Whether one more case is to be opened; said before it is, so that two never open the last one."""
        with self._lock:
            self._cases_left -= 1
            return self._cases_left >= 0

    def review_held(self):
        client, decided = self.client("ben"), {"ACTION_ALLOW": 0, "ACTION_HIDE": 0}
        for number, review in enumerate(client.pages(f"{MODERATION}/ListReviews", {
                "parent": self.workspace, "state": "REVIEW_STATE_OPEN"}, "reviews", 20)):
            if number >= 20:
                break
            claim = client.call(f"{MODERATION}/ClaimReview", {"name": review["name"]})
            decision = "ACTION_HIDE" if number % 2 else "ACTION_ALLOW"
            client.call(f"{MODERATION}/DecideReview", {"name": review["name"], "claimToken": claim["claimToken"],
                                                       "decision": decision, "note": "seen by Ben", "requestId": new_id()})
            decided[decision] += 1
        self.show.step(f"Ben reviewed held comments: {decided['ACTION_ALLOW']} let through, {decided['ACTION_HIDE']} hidden")

    def await_answers(self):
        """Until every reply and every hide has an end: delivered, failed or unknown."""
        moving = ("DELIVERY_STATE_SCHEDULED", "DELIVERY_STATE_CLAIMED", "DELIVERY_STATE_SENT")

        def settled():
            left = sum(len(self.deliveries(state=state)) for state in moving)
            if left == 0:   # asked for state by state, one that goes from a later to an earlier one is not seen
                left = sum(d["state"] in moving for d in self.deliveries())
            self.show.progress(f"answers and hides on their way to the networks: {left}")
            return left == 0

        wait_until(settled, self.sandbox.patience, "all answers and hides have reached the networks", 0.5)
        replies = [d["state"] for d in self.deliveries(kind="DELIVERY_KIND_REPLY")]
        hides = self.deliveries(kind="DELIVERY_KIND_HIDE")
        self.delivered_answers = replies.count("DELIVERY_STATE_DELIVERED")
        hidden = sum(d["state"] == "DELIVERY_STATE_DELIVERED" for d in hides)
        self.show.step(f"on the networks: {self.delivered_answers} of {len(replies)} answers, {hidden} of {len(hides)} hides")
        errors = {d.get("error", {}).get("message", "") for d in hides}
        for error in sorted(error for error in errors if error.startswith("not possible")):
            self.show.step(f"  {error}")


def stamp(time_point):
    return time_point.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text):
    """An RFC 3339 time of protobuf JSON (0 to 9 fractional digits)."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(whole).replace(tzinfo=timezone.utc) + timedelta(
        microseconds=int((fraction + "000000")[:6]))


def lateness(delivery):
    """Seconds between a delivery's time and the network's yes."""
    return (parse(delivery["deliveredTime"]) - parse(delivery["dueTime"])).total_seconds()


