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

-- One source per channel: where polling stands, and how well we hear the channel. (The stream tables above are every
-- service's; ingestion writes to Kafka directly and keeps its place in each network's own cursor.)
CREATE TABLE sources (
  workspace_id        uuid NOT NULL,
  channel_id          uuid NOT NULL,
  network             text NOT NULL,
  remote_id           text NOT NULL,
  credentials_version bigint NOT NULL,
  state               text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'broken', 'detached')),
  state_reason        text NOT NULL DEFAULT '',
  state_message       text NOT NULL DEFAULT '',
  pollable            boolean NOT NULL,
  cursor              text NOT NULL DEFAULT '',
  complete_from       timestamptz NOT NULL,
  verified_complete   timestamptz,
  interval_ms         bigint NOT NULL,
  failures            integer NOT NULL DEFAULT 0,
  last_event          timestamptz,
  last_webhook        timestamptz,
  last_poll           timestamptz,
  next_poll           timestamptz,              -- NULL: none is planned
  lease_until         timestamptz,              -- NULL: free
  lease_token         bigint NOT NULL DEFAULT 0,
  backfill            text NOT NULL DEFAULT 'none' CHECK (backfill IN ('none', 'running', 'done')),
  backfill_from       timestamptz,
  backfill_cursor     text NOT NULL DEFAULT '',
  create_time         timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (workspace_id, channel_id)
);
CREATE UNIQUE INDEX sources_by_channel ON sources (channel_id);
CREATE INDEX sources_due ON sources (next_poll) WHERE state = 'active' AND pollable;

ALTER TABLE sources ENABLE ROW LEVEL SECURITY;
ALTER TABLE sources FORCE ROW LEVEL SECURITY;
CREATE POLICY workspace ON sources USING
  (workspace_id = nullif(current_setting('parvis.workspace_id', true), '')::uuid);
GRANT SELECT, UPDATE ON sources TO ingestion_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON sources TO ingestion_stream;
