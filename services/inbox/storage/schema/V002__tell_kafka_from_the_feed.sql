-- An event is stored once, in the feed, and told to Kafka from there. What is still to be told is a range of a
-- workspace's feed: one row a transaction, instead of a second copy of every event in the outbox. Commands to publishing,
-- and events that an older version has written, go through the outbox.
CREATE TABLE feed_outbox (
  id bigint GENERATED ALWAYS AS IDENTITY,
  workspace_id uuid NOT NULL,
  first_sequence bigint NOT NULL,
  last_sequence bigint NOT NULL,
  create_time timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
-- Not unique: a unique key without the workspace would tell one workspace of another's.
CREATE INDEX feed_outbox_in_order ON feed_outbox (id);

-- The key of the event's record. NULL in events of an older version.
ALTER TABLE feed_events ADD COLUMN conversation_id uuid;

-- The relay's work is every workspace's: the api role adds to it and never reads it.
ALTER TABLE feed_outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE feed_outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY workspace ON feed_outbox
  USING (workspace_id = nullif(current_setting('parvis.workspace_id', true), '')::uuid);
DO $$
BEGIN
  EXECUTE format('GRANT INSERT ON feed_outbox TO %I', current_schema || '_api');
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON feed_outbox TO %I', current_schema || '_stream');
END
$$;
