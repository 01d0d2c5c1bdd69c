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

-- What follows is publishing's own. Times that are not set are -infinity (past) or infinity (future), never null. States and
-- kinds are the numbers of parvis.publishing.v1 (state: 1 scheduled, 2 claimed, 3 sent, 4 delivered, 5 failed, 6 unknown,
-- 7 cancelled, 8 expired).

CREATE TABLE campaigns (
  workspace_id uuid NOT NULL,
  id uuid NOT NULL,
  display_name text NOT NULL,
  description text NOT NULL,
  start_time timestamptz NOT NULL,
  end_time timestamptz NOT NULL,
  archived boolean NOT NULL,
  version bigint NOT NULL,
  create_time timestamptz NOT NULL,
  update_time timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
CREATE INDEX campaigns_by_time ON campaigns (workspace_id, create_time DESC, id DESC);

CREATE TABLE posts (
  workspace_id uuid NOT NULL,
  id uuid NOT NULL,
  campaign_id uuid NOT NULL,
  display_name text NOT NULL,
  variants jsonb NOT NULL,
  state smallint NOT NULL,
  author text NOT NULL,
  submitted_by text NOT NULL,
  reviewed_by text NOT NULL,
  review_comment text NOT NULL,
  review_time timestamptz NOT NULL,
  due_time timestamptz NOT NULL,
  generation integer NOT NULL,
  schedule_request_id text NOT NULL,
  version bigint NOT NULL,
  create_time timestamptz NOT NULL,
  update_time timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, id),
  FOREIGN KEY (workspace_id, campaign_id) REFERENCES campaigns (workspace_id, id)
);
CREATE INDEX posts_by_time ON posts (workspace_id, create_time DESC, id DESC);
CREATE INDEX posts_by_campaign ON posts (workspace_id, campaign_id, create_time DESC, id DESC);

-- The ledger. `fence` names the attempt; `check_time` is the lease's end (claimed, sent) or the next reading back (unknown).
CREATE TABLE deliveries (
  workspace_id uuid NOT NULL,
  id uuid NOT NULL,
  channel_id uuid NOT NULL,
  shard smallint NOT NULL,
  network text NOT NULL,
  kind smallint NOT NULL,
  state smallint NOT NULL,
  campaign_id uuid,
  post_id uuid,
  generation integer NOT NULL,
  target_remote_id text NOT NULL,
  post_remote_id text NOT NULL,
  thread text NOT NULL,
  content jsonb NOT NULL,
  command_id text NOT NULL,
  requested_by text NOT NULL,
  lane text NOT NULL,
  due_time timestamptz NOT NULL,
  ready_time timestamptz NOT NULL,
  expire_time timestamptz NOT NULL,
  sent_time timestamptz NOT NULL,
  first_sent_time timestamptz NOT NULL,
  delivered_time timestamptz NOT NULL,
  check_time timestamptz NOT NULL,
  fence bigint NOT NULL,
  attempts integer NOT NULL,
  tries integer NOT NULL,
  empty_reads integer NOT NULL,
  resends integer NOT NULL,
  reconciling boolean NOT NULL,
  needs_human boolean NOT NULL,
  sequence bigint NOT NULL,
  steps bigint NOT NULL,
  remote_id text NOT NULL,
  permalink text NOT NULL,
  error_reason text NOT NULL,
  error_message text NOT NULL,
  settle_request_id text NOT NULL,
  PRIMARY KEY (workspace_id, id)
) WITH (fillfactor = 70);
-- A command is delivered once.
CREATE UNIQUE INDEX deliveries_command ON deliveries (workspace_id, command_id) WHERE command_id <> '';
-- What is due, in order; the owner of a shard filters its own.
CREATE INDEX deliveries_due ON deliveries (ready_time, id) INCLUDE (shard) WHERE state = 1;
CREATE INDEX deliveries_expiring ON deliveries (expire_time) WHERE state = 1;
CREATE INDEX deliveries_unsettled ON deliveries (check_time) WHERE state IN (2, 3, 6) AND NOT needs_human;
CREATE INDEX deliveries_lane ON deliveries (workspace_id, lane, due_time, id)
  WHERE state IN (1, 2, 3, 6) AND NOT needs_human;
CREATE INDEX deliveries_by_time ON deliveries (workspace_id, due_time DESC, id DESC);
CREATE INDEX deliveries_by_campaign ON deliveries (workspace_id, campaign_id, due_time DESC, id DESC)
  WHERE campaign_id IS NOT NULL;
CREATE INDEX deliveries_by_post ON deliveries (workspace_id, post_id) WHERE post_id IS NOT NULL;
CREATE INDEX deliveries_remote ON deliveries (workspace_id, channel_id, remote_id) WHERE remote_id <> '';

CREATE TABLE delivery_transitions (
  workspace_id uuid NOT NULL,
  delivery_id uuid NOT NULL,
  number bigint NOT NULL,
  time timestamptz NOT NULL,
  from_state smallint NOT NULL,
  to_state smallint NOT NULL,
  attempt integer NOT NULL,
  detail text NOT NULL,
  actor text NOT NULL,
  PRIMARY KEY (workspace_id, delivery_id, number)
);

-- Channels whose deliveries wait for new credentials.
CREATE TABLE channel_pauses (
  workspace_id uuid NOT NULL,
  channel_id uuid NOT NULL,
  shard smallint NOT NULL,
  reason text NOT NULL,
  credentials_version text NOT NULL,
  since timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, channel_id)
);

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['campaigns', 'posts', 'deliveries', 'delivery_transitions', 'channel_pauses'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY one_workspace ON %I USING (workspace_id = '
                   'nullif(current_setting(''parvis.workspace_id'', true), '''')::uuid)', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO publishing_api, publishing_stream', name);
  END LOOP;
END
$$;
