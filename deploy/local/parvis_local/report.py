"""The campaign report at the end of the main job: waits until it has everything, keeps it as `job.report`, prints it."""

from . import databases
from .processes import StartError, wait_until

METRICS = "metrics.v1.MetricsService"


def write(job):
    await_conversations(job)
    await_likes(job)
    step, total = job.show.step, job.report["total"]
    step(f"posts: {total['postsDelivered']} of {total['postsPlanned']} delivered, lateness p50 {total.get('latenessP50', '–')}, "
         f"p99 {total.get('latenessP99', '–')}")
    step(f"comments: {total['commentCount']}; hidden {total['hiddenCount']}, held {total['heldCount']}, deleted {total['deletedCount']}")
    for reason in total["reasons"][:6]:
        step(f"  because of “{reason['rule']}”: {reason['count']} ({reason['action'].lower()})")
    step(f"conversations: {total['conversationCount']}, answered {total['answeredConversationCount']} ({total['answerRate']:.1%}); "
         f"first response p50 {total.get('firstResponseP50', '–')}, p90 {total.get('firstResponseP90', '–')}")


def read(job):
    job.report = job.client("owner").call(f"{METRICS}/GetCampaignReport", {"name": f"{job.campaign}/report"})
    return job.report


def await_conversations(job):
    """Until metrics has folded what the inbox did."""
    def folded():
        total = read(job)["total"]
        return (int(total["commentCount"]) >= databases.count_messages(job.cluster, job.workspace, below_posts=True) and
                int(total["answeredConversationCount"]) >= job.delivered_answers)

    give_up_aloud(job, folded, 30, "the report is complete")


def await_likes(job):
    """Until the report has the likes that were given: ingestion reads them from the networks, metrics adds them up."""
    def counted():
        found = {part["network"]: int(part.get("networkCounters", {}).get("likes", 0)) for part in read(job)["networks"]}
        job.counted_likes = {network: found.get(network, 0) for network in job.likes}
        job.show.progress(f"likes: {sum(job.counted_likes.values())} of {sum(job.likes.values())} counted")
        return job.counted_likes == job.likes

    give_up_aloud(job, counted, 90, "the likes are counted")
    job.show.step(f"likes given {sum(job.likes.values())}, counted {sum(job.counted_likes.values())} on {len(job.likes)} networks")
    counters = job.report["total"].get("networkCounters", {})
    job.show.step("the networks count: " + ", ".join(f"{name} {counters[name]}" for name in sorted(counters)))


def give_up_aloud(job, condition, seconds, what):
    try:
        wait_until(condition, seconds, what, 0.5)
    except StartError as late:
        job.show.step(str(late))
