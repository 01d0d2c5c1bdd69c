-- Facts in partitions, and sums by the hour and the day beside those by the minute (docs/adr/0006). Everything that is
-- there is kept. Replicas of the release before go on working until they are replaced: what they add to minute_rollups
-- is carried over by a trigger. A later migration drops minute_rollups, its trigger and nothing else.

-- The owner is under row-level security too. Where it would hide a row, fail instead of leaving the row behind.
SET LOCAL row_security = off;

-- Nothing is folded meanwhile; then the tables, in the order in which requests take them.
SELECT pg_advisory_xact_lock(hashtextextended('parvis_metrics_rollups', 0));
LOCK TABLE minute_rollups, delivery_facts, activity_facts, conversation_facts IN ACCESS EXCLUSIVE MODE;

DROP VIEW activity_counts, delivery_counts, conversation_counts;
DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['activity_facts', 'delivery_facts', 'conversation_facts'] LOOP
    EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I RENAME TO %I', t, t || '_v1');
  END LOOP;
END
$$;

-- By hash of the channel: what makes two records one fact (below: the primary keys) tells the channel, whichever way a
-- record came, but not the time. The channel stands last in the keys, so that a look-up without it is one too.
CREATE TABLE activity_facts (
  workspace_id uuid NOT NULL,
  fact_id uuid NOT NULL,
  channel_id uuid NOT NULL,
  network text NOT NULL,
  kind text NOT NULL,
  remote_id text COLLATE "C" NOT NULL,
  post_remote_id text COLLATE "C" NOT NULL,
  occurred_time timestamptz NOT NULL,
  by_us boolean NOT NULL,
  action text NOT NULL,
  rules text[] NOT NULL,
  language text NOT NULL,
  intent text NOT NULL
) PARTITION BY HASH (channel_id);

CREATE TABLE delivery_facts (
  workspace_id uuid NOT NULL,
  delivery_id text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  channel_id uuid NOT NULL,
  network text NOT NULL,
  kind text NOT NULL,
  state text NOT NULL,
  campaign_id text COLLATE "C" NOT NULL,
  post_id text NOT NULL,
  target_remote_id text COLLATE "C" NOT NULL,
  remote_id text COLLATE "C" NOT NULL,
  due_time timestamptz,
  delivered_time timestamptz,
  event_time timestamptz NOT NULL
) PARTITION BY HASH (channel_id);

CREATE TABLE conversation_facts (
  workspace_id uuid NOT NULL,
  event_id text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  type text NOT NULL,
  event_time timestamptz NOT NULL,
  conversation_id uuid NOT NULL,
  channel_id uuid NOT NULL,
  network text NOT NULL,
  post_remote_id text COLLATE "C" NOT NULL,
  member_id text NOT NULL,
  first_message_time timestamptz,
  first_response_time timestamptz
) PARTITION BY HASH (channel_id);

DO $$
DECLARE
  t text;
  before bigint;
  moved bigint;
BEGIN
  FOREACH t IN ARRAY ARRAY['activity_facts', 'delivery_facts', 'conversation_facts'] LOOP
    FOR part IN 0..7 LOOP
      EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS 8, REMAINDER %s)', t || '_' || part, t, part);
    END LOOP;
    -- The columns are the same, in the same order.
    EXECUTE format('SELECT count(*) FROM %I', t || '_v1') INTO before;
    EXECUTE format('INSERT INTO %I SELECT * FROM %I', t, t || '_v1');
    GET DIAGNOSTICS moved = ROW_COUNT;
    IF moved <> before THEN
      RAISE EXCEPTION '% of % rows of % were moved', moved, before, t;
    END IF;
    EXECUTE format('DROP TABLE %I', t || '_v1');
  END LOOP;
END
$$;

ALTER TABLE activity_facts ADD PRIMARY KEY (workspace_id, fact_id, channel_id);
ALTER TABLE delivery_facts ADD PRIMARY KEY (workspace_id, delivery_id, sequence, channel_id);
ALTER TABLE conversation_facts ADD PRIMARY KEY (workspace_id, event_id, channel_id);
-- With the time: a campaign by the minute is counted from the facts of those minutes.
CREATE INDEX activity_facts_post ON activity_facts (workspace_id, channel_id, post_remote_id, occurred_time);
CREATE INDEX conversation_facts_post ON conversation_facts (workspace_id, channel_id, post_remote_id, event_time);
CREATE INDEX delivery_facts_campaign ON delivery_facts (workspace_id, campaign_id) WHERE campaign_id <> '';
CREATE INDEX delivery_facts_target ON delivery_facts (workspace_id, channel_id, target_remote_id)
  WHERE kind = 'reply' AND state = 'delivered';

-- Sums of a channel by the minute (step_minutes 1), the hour (60) and the day (1440) of UTC.
CREATE TABLE channel_rollups (
  workspace_id uuid NOT NULL,
  metric text COLLATE "C" NOT NULL,
  step_minutes integer NOT NULL,
  start_time timestamptz NOT NULL,
  channel_id uuid NOT NULL,
  value bigint NOT NULL,
  PRIMARY KEY (workspace_id, metric, step_minutes, start_time, channel_id)
) WITH (fillfactor = 80);

-- Sums of what hangs below a post, by the hour of UTC: for campaigns by the hour and by the day.
CREATE TABLE post_rollups (
  workspace_id uuid NOT NULL,
  channel_id uuid NOT NULL,
  post_remote_id text COLLATE "C" NOT NULL,
  metric text COLLATE "C" NOT NULL,
  hour timestamptz NOT NULL,
  value bigint NOT NULL,
  PRIMARY KEY (workspace_id, channel_id, post_remote_id, metric, hour)
) WITH (fillfactor = 80);

-- To what a fact adds: the one definition that folding and recounting share. NULL or nothing: to no metric.
CREATE FUNCTION activity_metrics(kind text, action text, intent text, by_us boolean) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN by_us THEN '{}'::text[] ELSE array_remove(ARRAY[
    CASE kind WHEN 'comment' THEN 'comments' WHEN 'mention' THEN 'mentions' WHEN 'message' THEN 'messages'
              WHEN 'reaction' THEN 'reactions' WHEN 'edit' THEN 'edits' WHEN 'removal' THEN 'removals' END,
    CASE WHEN kind = 'comment' THEN
      CASE action WHEN 'hold' THEN 'comments_held' WHEN 'hide' THEN 'comments_hidden' WHEN 'delete' THEN 'comments_deleted'
                  WHEN 'escalate' THEN 'comments_escalated' END END,
    CASE WHEN kind = 'comment' THEN
      CASE intent WHEN 'question' THEN 'comments_question' WHEN 'complaint' THEN 'comments_complaint' END END
  ], NULL) END
$$;

CREATE FUNCTION delivery_metric(kind text, state text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE kind
    WHEN 'post' THEN CASE state WHEN 'delivered' THEN 'posts_delivered' WHEN 'failed' THEN 'posts_failed'
                                WHEN 'expired' THEN 'posts_failed' WHEN 'unknown' THEN 'posts_unknown' END
    WHEN 'reply' THEN CASE state WHEN 'delivered' THEN 'replies_delivered' WHEN 'failed' THEN 'replies_failed'
                                 WHEN 'expired' THEN 'replies_failed' WHEN 'unknown' THEN 'replies_unknown' END
    WHEN 'hide' THEN CASE state WHEN 'delivered' THEN 'hides_delivered' END
  END
$$;

CREATE FUNCTION conversation_metric(type text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE type
    WHEN 'created' THEN 'conversations_created' WHEN 'resolved' THEN 'conversations_resolved'
    WHEN 'reopened' THEN 'conversations_reopened' WHEN 'replied' THEN 'replies_written'
    WHEN 'case_opened' THEN 'cases_opened' WHEN 'case_escalated' THEN 'cases_escalated'
    WHEN 'case_resolved' THEN 'cases_resolved'
  END
$$;

-- Every count of every fact.
CREATE VIEW activity_counts WITH (security_invoker = true) AS
  SELECT a.workspace_id, a.fact_id, m.metric, date_trunc('minute', a.occurred_time, 'UTC') AS minute, a.channel_id,
         '' AS campaign_id, a.post_remote_id
  FROM activity_facts a CROSS JOIN LATERAL (SELECT unnest(activity_metrics(a.kind, a.action, a.intent, a.by_us)) AS metric) m;

CREATE VIEW delivery_counts WITH (security_invoker = true) AS
  SELECT d.workspace_id, d.delivery_id, d.sequence, delivery_metric(d.kind, d.state) AS metric,
         date_trunc('minute', d.event_time, 'UTC') AS minute, d.channel_id, d.campaign_id,
         CASE WHEN d.kind = 'post' THEN d.remote_id ELSE '' END AS post_remote_id
  FROM delivery_facts d WHERE delivery_metric(d.kind, d.state) IS NOT NULL;

CREATE VIEW conversation_counts WITH (security_invoker = true) AS
  SELECT c.workspace_id, c.event_id, conversation_metric(c.type) AS metric,
         date_trunc('minute', c.event_time, 'UTC') AS minute, c.channel_id, '' AS campaign_id, c.post_remote_id
  FROM conversation_facts c WHERE conversation_metric(c.type) IS NOT NULL;

-- What the sums have to be. An hour is the sum of its minutes, a day that of its hours.
CREATE VIEW expected_minute_rollups WITH (security_invoker = true) AS
  SELECT workspace_id, metric, minute AS start_time, channel_id, count(*) AS value FROM (
    SELECT workspace_id, metric, minute, channel_id FROM activity_counts
    UNION ALL SELECT workspace_id, metric, minute, channel_id FROM delivery_counts
    UNION ALL SELECT workspace_id, metric, minute, channel_id FROM conversation_counts
  ) AS counts GROUP BY 1, 2, 3, 4;

CREATE VIEW expected_post_rollups WITH (security_invoker = true) AS
  SELECT workspace_id, channel_id, post_remote_id, metric, date_trunc('hour', minute, 'UTC') AS hour, count(*) AS value
  FROM (
    SELECT workspace_id, channel_id, post_remote_id, metric, minute FROM activity_counts
    UNION ALL SELECT workspace_id, channel_id, post_remote_id, metric, minute FROM conversation_counts
  ) AS counts WHERE post_remote_id <> '' GROUP BY 1, 2, 3, 4, 5;

-- Before row-level security, under which the owner would see nothing.
INSERT INTO channel_rollups (workspace_id, metric, step_minutes, start_time, channel_id, value)
  SELECT workspace_id, metric, 1, start_time, channel_id, value FROM expected_minute_rollups ORDER BY 1, 2, 3, 4, 5;
INSERT INTO channel_rollups (workspace_id, metric, step_minutes, start_time, channel_id, value)
  SELECT workspace_id, metric, 60, date_trunc('hour', start_time, 'UTC'), channel_id, sum(value) FROM channel_rollups
  WHERE step_minutes = 1 GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5;
INSERT INTO channel_rollups (workspace_id, metric, step_minutes, start_time, channel_id, value)
  SELECT workspace_id, metric, 1440, date_trunc('day', start_time, 'UTC'), channel_id, sum(value) FROM channel_rollups
  WHERE step_minutes = 60 GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5;
INSERT INTO post_rollups (workspace_id, channel_id, post_remote_id, metric, hour, value)
  SELECT workspace_id, channel_id, post_remote_id, metric, hour, value FROM expected_post_rollups ORDER BY 1, 2, 3, 4, 5;

DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['activity_facts', 'delivery_facts', 'conversation_facts', 'channel_rollups', 'post_rollups'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY workspace ON %I USING (workspace_id = '
                   'nullif(current_setting(''parvis.workspace_id'', true), '''')::uuid)', t);
    EXECUTE format('GRANT SELECT, INSERT ON %I TO metrics_stream', t);
    EXECUTE format('GRANT SELECT ON %I TO metrics_api', t);
  END LOOP;
END
$$;
GRANT UPDATE ON channel_rollups, post_rollups TO metrics_stream;
GRANT INSERT, DELETE ON channel_rollups, post_rollups TO metrics_api;
GRANT SELECT ON activity_counts, delivery_counts, conversation_counts, expected_minute_rollups, expected_post_rollups
  TO metrics_api, metrics_stream;

-- What a replica of the release before folds. Its recount (by the api role) puts only its own table right.
CREATE FUNCTION carry_minute_rollup() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  added bigint := NEW.value - coalesce(OLD.value, 0);
BEGIN
  INSERT INTO channel_rollups (workspace_id, metric, step_minutes, start_time, channel_id, value)
  VALUES (NEW.workspace_id, NEW.metric, 1, NEW.minute, NEW.channel_id, added),
         (NEW.workspace_id, NEW.metric, 60, date_trunc('hour', NEW.minute, 'UTC'), NEW.channel_id, added),
         (NEW.workspace_id, NEW.metric, 1440, date_trunc('day', NEW.minute, 'UTC'), NEW.channel_id, added)
  ON CONFLICT (workspace_id, metric, step_minutes, start_time, channel_id)
  DO UPDATE SET value = channel_rollups.value + EXCLUDED.value;
  -- Only deliveries of posts have a post without hanging below it.
  IF NEW.post_remote_id <> '' AND NEW.metric NOT LIKE 'posts\_%' THEN
    INSERT INTO post_rollups (workspace_id, channel_id, post_remote_id, metric, hour, value)
    VALUES (NEW.workspace_id, NEW.channel_id, NEW.post_remote_id, NEW.metric, date_trunc('hour', NEW.minute, 'UTC'), added)
    ON CONFLICT (workspace_id, channel_id, post_remote_id, metric, hour)
    DO UPDATE SET value = post_rollups.value + EXCLUDED.value;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER carry AFTER INSERT OR UPDATE ON minute_rollups FOR EACH ROW
  WHEN (current_user = 'metrics_stream') EXECUTE FUNCTION carry_minute_rollup();

ANALYZE activity_facts, delivery_facts, conversation_facts, channel_rollups, post_rollups;
