-- A thread is one post: its first part stands for it. The later parts are no posts of their own in any sum; that one of them
-- failed shows in the report alone. What was folded before this knows no parts and is counted as it was.

-- Nothing is folded or recounted meanwhile.
SELECT pg_advisory_xact_lock(hashtextextended('parvis_metrics_rollups', 0));

-- Replicas of the release before name their columns: what they fold is part 0.
ALTER TABLE delivery_facts ADD COLUMN thread_part integer NOT NULL DEFAULT 0;

-- Beside the one with two arguments, which replicas of the release before call.
CREATE FUNCTION delivery_metric(kind text, state text, thread_part integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN kind = 'post' AND thread_part > 0 THEN NULL ELSE delivery_metric(kind, state) END
$$;

CREATE OR REPLACE VIEW delivery_counts WITH (security_invoker = true) AS
  SELECT d.workspace_id, d.delivery_id, d.sequence, delivery_metric(d.kind, d.state, d.thread_part) AS metric,
         date_trunc('minute', d.event_time, 'UTC') AS minute, d.channel_id, d.campaign_id,
         CASE WHEN d.kind = 'post' THEN d.remote_id ELSE '' END AS post_remote_id
  FROM delivery_facts d WHERE delivery_metric(d.kind, d.state, d.thread_part) IS NOT NULL;
