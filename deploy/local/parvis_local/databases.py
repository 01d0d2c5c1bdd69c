"""What the services' databases say, read only, in the judge's words: lists of plain dicts."""

from datetime import datetime

STATES = {1: "scheduled", 2: "claimed", 3: "sent", 4: "delivered", 5: "failed", 6: "unknown", 7: "cancelled", 8: "expired"}
KINDS = {1: "post", 2: "reply", 3: "hide", 4: "unhide", 5: "delete"}


def _id(workspace):
    return workspace.removeprefix("workspaces/")


def messages(cluster, workspace):
    """The inbox's messages; `place` sorts them as the inbox shows them."""
    rows = cluster.postgres.psql(f"""
        SELECT c.network, m.remote_key, m.by_us, m.removed, m.hidden, m.text, extract(epoch FROM m.occurred_at), m.order_key
        FROM inbox.messages m JOIN inbox.conversations c ON c.workspace_id = m.workspace_id AND c.id = m.conversation_id
        WHERE m.workspace_id = '{_id(workspace)}' AND m.present AND m.remote_key NOT LIKE 'parvis:%'""")
    return [{"network": r[0], "remote_id": r[1], "by_us": r[2] == "t", "removed": r[3] == "t", "hidden": r[4] == "t",
             "text": r[5], "place": (float(r[6]), r[7])} for r in rows]


def count_messages(cluster, workspace, below_posts=False):
    """How many messages of other people are in the inbox; `below_posts`: only those below a post of ours."""
    return int(cluster.postgres.psql(
        f"SELECT count(*) FROM inbox.messages m JOIN inbox.conversations c ON c.workspace_id = m.workspace_id AND "
        f"c.id = m.conversation_id WHERE m.workspace_id = '{_id(workspace)}' AND m.present AND NOT m.by_us"
        + (" AND c.post_remote_id <> ''" if below_posts else ""))[0][0])


def deliveries(cluster, workspace):
    rows = cluster.postgres.psql(f"""
        SELECT id, network, kind, state, target_remote_id, remote_id, coalesce(content->>'text', ''),
               due_time, delivered_time
        FROM publishing.deliveries WHERE workspace_id = '{_id(workspace)}'""")
    return [{"id": r[0], "network": r[1], "kind": KINDS[int(r[2])], "state": STATES[int(r[3])], "target": r[4],
             "remote_id": r[5], "text": r[6], "late_seconds": _between(r[7], r[8])} for r in rows]


def reviews(cluster, workspace):
    return [{"network": r[0]} for r in cluster.postgres.psql(
        f"SELECT network FROM moderation.reviews WHERE workspace_id = '{_id(workspace)}'")]


def _between(earlier, later):
    """Seconds between two timestamptz in text form, None when either is missing."""
    if not earlier or not later or "infinity" in (earlier + later):
        return None
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
