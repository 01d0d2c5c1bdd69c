-- What every service's schema has for streams (read and written by platform/db/stream_tables.h). A service's
-- V001__*.sql begins with this text, unchanged; a test compares.

-- Where each consumer group stands, beside the effects of what it consumed. A higher epoch fences the older owner.
CREATE TABLE stream_offsets (
  group_name text NOT NULL,
  topic text NOT NULL,
  part integer NOT NULL,
  epoch bigint NOT NULL,
  next bigint NOT NULL,
  PRIMARY KEY (group_name, topic, part)
) WITH (fillfactor = 50);

-- Records to be sent to Kafka, written in the transaction of the change that they tell of. The relay deletes them.
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic text NOT NULL,
  key text NOT NULL,
  payload bytea NOT NULL,
  headers text NOT NULL,
  create_time timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);

-- The roles are named after the schema. The api role writes to the outbox and never reads it: it holds every workspace's.
DO $$
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %1$I TO %2$I, %3$I', current_schema, current_schema || '_api', current_schema || '_stream');
  EXECUTE format('GRANT INSERT ON outbox TO %I', current_schema || '_api');
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON outbox, stream_offsets TO %I', current_schema || '_stream');
END
$$;
-- End of the stream tables.

-- Facts: what happened. Append-only, each with its natural key. They are not partitioned by time: the key of a
-- partitioned table would have to hold the time, and an activity's time is the network's, which a webhook and a poll
-- may give differently; the same comment would then be two facts.
CREATE TABLE activity_facts (
  workspace_id uuid NOT NULL,
  fact_id uuid NOT NULL,
  channel_id uuid NOT NULL,
  network text NOT NULL,
  kind text NOT NULL,
  remote_id text NOT NULL,
  post_remote_id text NOT NULL,
  occurred_time timestamptz NOT NULL,
  by_us boolean NOT NULL,
  action text NOT NULL,
  rules text[] NOT NULL,
  language text NOT NULL,
  intent text NOT NULL,
  PRIMARY KEY (workspace_id, fact_id)
);
CREATE INDEX activity_facts_post ON activity_facts (workspace_id, channel_id, post_remote_id);

CREATE TABLE delivery_facts (
  workspace_id uuid NOT NULL,
  delivery_id text NOT NULL,
  sequence bigint NOT NULL,
  channel_id uuid NOT NULL,
  network text NOT NULL,
  kind text NOT NULL,
  state text NOT NULL,
  campaign_id text NOT NULL,
  post_id text NOT NULL,
  target_remote_id text NOT NULL,
  remote_id text NOT NULL,
  due_time timestamptz,
  delivered_time timestamptz,
  event_time timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, delivery_id, sequence)
);
CREATE INDEX delivery_facts_campaign ON delivery_facts (workspace_id, campaign_id) WHERE campaign_id <> '';
CREATE INDEX delivery_facts_target ON delivery_facts (workspace_id, channel_id, target_remote_id)
  WHERE kind = 'reply' AND state = 'delivered';

CREATE TABLE conversation_facts (
  workspace_id uuid NOT NULL,
  event_id text NOT NULL,
  sequence bigint NOT NULL,
  type text NOT NULL,
  event_time timestamptz NOT NULL,
  conversation_id uuid NOT NULL,
  channel_id uuid NOT NULL,
  network text NOT NULL,
  post_remote_id text NOT NULL,
  member_id text NOT NULL,
  first_message_time timestamptz,
  first_response_time timestamptz,
  PRIMARY KEY (workspace_id, event_id)
);
CREATE INDEX conversation_facts_post ON conversation_facts (workspace_id, channel_id, post_remote_id);

-- Sums by the minute, for charts. They follow from the facts by the *_counts views alone.
CREATE TABLE minute_rollups (
  workspace_id uuid NOT NULL,
  metric text NOT NULL,
  minute timestamptz NOT NULL,
  channel_id uuid NOT NULL,
  campaign_id text NOT NULL,
  post_remote_id text NOT NULL,
  value bigint NOT NULL,
  PRIMARY KEY (workspace_id, metric, minute, channel_id, campaign_id, post_remote_id)
) WITH (fillfactor = 80);

-- What each fact adds to which sum: the one definition that folding and recounting share.
CREATE VIEW activity_counts WITH (security_invoker = true) AS
  SELECT a.workspace_id, a.fact_id, m.metric, date_trunc('minute', a.occurred_time, 'UTC') AS minute, a.channel_id,
         '' AS campaign_id, a.post_remote_id
  FROM activity_facts a CROSS JOIN LATERAL (VALUES
    ('comments', a.kind = 'comment'),
    ('mentions', a.kind = 'mention'),
    ('messages', a.kind = 'message'),
    ('reactions', a.kind = 'reaction'),
    ('edits', a.kind = 'edit'),
    ('removals', a.kind = 'removal'),
    ('comments_held', a.kind = 'comment' AND a.action = 'hold'),
    ('comments_hidden', a.kind = 'comment' AND a.action = 'hide'),
    ('comments_deleted', a.kind = 'comment' AND a.action = 'delete'),
    ('comments_escalated', a.kind = 'comment' AND a.action = 'escalate'),
    ('comments_question', a.kind = 'comment' AND a.intent = 'question'),
    ('comments_complaint', a.kind = 'comment' AND a.intent = 'complaint')
  ) AS m (metric, applies)
  WHERE m.applies AND NOT a.by_us;

CREATE VIEW delivery_counts WITH (security_invoker = true) AS
  SELECT d.workspace_id, d.delivery_id, d.sequence, m.metric, date_trunc('minute', d.event_time, 'UTC') AS minute,
         d.channel_id, d.campaign_id, CASE WHEN d.kind = 'post' THEN d.remote_id ELSE '' END AS post_remote_id
  FROM delivery_facts d CROSS JOIN LATERAL (VALUES
    ('posts_delivered', d.kind = 'post' AND d.state = 'delivered'),
    ('posts_failed', d.kind = 'post' AND d.state IN ('failed', 'expired')),
    ('posts_unknown', d.kind = 'post' AND d.state = 'unknown'),
    ('replies_delivered', d.kind = 'reply' AND d.state = 'delivered'),
    ('replies_failed', d.kind = 'reply' AND d.state IN ('failed', 'expired')),
    ('replies_unknown', d.kind = 'reply' AND d.state = 'unknown'),
    ('hides_delivered', d.kind = 'hide' AND d.state = 'delivered')
  ) AS m (metric, applies)
  WHERE m.applies;

CREATE VIEW conversation_counts WITH (security_invoker = true) AS
  SELECT c.workspace_id, c.event_id, m.metric, date_trunc('minute', c.event_time, 'UTC') AS minute, c.channel_id,
         '' AS campaign_id, c.post_remote_id
  FROM conversation_facts c CROSS JOIN LATERAL (VALUES
    ('conversations_created', c.type = 'created'),
    ('conversations_resolved', c.type = 'resolved'),
    ('conversations_reopened', c.type = 'reopened'),
    ('replies_written', c.type = 'replied'),
    ('cases_opened', c.type = 'case_opened'),
    ('cases_escalated', c.type = 'case_escalated'),
    ('cases_resolved', c.type = 'case_resolved')
  ) AS m (metric, applies)
  WHERE m.applies;

DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['activity_facts', 'delivery_facts', 'conversation_facts', 'minute_rollups'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY workspace ON %I USING (workspace_id = '
                   'nullif(current_setting(''parvis.workspace_id'', true), '''')::uuid)', t);
    EXECUTE format('GRANT SELECT, INSERT ON %I TO metrics_stream', t);
    EXECUTE format('GRANT SELECT ON %I TO metrics_api', t);
  END LOOP;
END
$$;
GRANT UPDATE ON minute_rollups TO metrics_stream;
GRANT INSERT, DELETE ON minute_rollups TO metrics_api;
GRANT SELECT ON activity_counts, delivery_counts, conversation_counts TO metrics_api, metrics_stream;
