-- What is measured, and when: the counters of delivered posts and of channels. What was read goes to Kafka and is not kept
-- here.

-- One row per channel of which something is measured: it is the unit of work, with the lease.
CREATE TABLE measured_channels (
  workspace_id uuid NOT NULL,
  channel_id   uuid NOT NULL,
  own_time     timestamptz,            -- when its own counters are due; NULL: they are not measured
  due_time     timestamptz,            -- the first of own_time and its posts' next_measure; NULL: nothing is due ever
  paused_until timestamptz NOT NULL DEFAULT '-infinity',
  failures     integer NOT NULL DEFAULT 0,
  lease_until  timestamptz,            -- NULL: free
  lease_token  bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (workspace_id, channel_id)
);
CREATE INDEX measured_channels_due ON measured_channels (due_time) WHERE due_time IS NOT NULL;

-- One row per post that was delivered. It stays for a while when the post is followed no more, so that a delivery that is
-- told of again does not bring it back.
CREATE TABLE measured_posts (
  workspace_id   uuid NOT NULL,
  channel_id     uuid NOT NULL,
  post_remote_id text COLLATE "C" NOT NULL,
  published_time timestamptz NOT NULL,
  next_measure   timestamptz,          -- NULL: followed no more
  misses         integer NOT NULL DEFAULT 0,   -- times in a row that the network did not know it
  PRIMARY KEY (workspace_id, channel_id, post_remote_id)
) WITH (fillfactor = 80);
CREATE INDEX measured_posts_next ON measured_posts (workspace_id, channel_id, next_measure) WHERE next_measure IS NOT NULL;
CREATE INDEX measured_posts_ended ON measured_posts (published_time) WHERE next_measure IS NULL;

DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['measured_channels', 'measured_posts'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY workspace ON %I USING (workspace_id = '
                   'nullif(current_setting(''parvis.workspace_id'', true), '''')::uuid)', t);
    EXECUTE format('GRANT SELECT ON %I TO ingestion_api', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO ingestion_stream', t);
  END LOOP;
END
$$;
