-- What the networks count of posts and channels (docs/adr/0006 on the style): levels, not facts to be summed up. Of each
-- counter the latest value, and the last value of every hour and day, which is what growth is read from. A sample changes
-- a row only if it is later than what the row has: the same remains in whatever order and however often samples come.
-- post_remote_id '' is the channel itself.

CREATE TABLE counters (
  workspace_id uuid NOT NULL,
  channel_id uuid NOT NULL,
  post_remote_id text COLLATE "C" NOT NULL,
  counter text COLLATE "C" NOT NULL,
  network text COLLATE "C" NOT NULL,
  value bigint NOT NULL,
  measured_time timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, channel_id, post_remote_id, counter)
) WITH (fillfactor = 80);

-- step_minutes 60 or 1440, of UTC. By hash of the channel, as the facts are: what is asked about a post reads one part.
CREATE TABLE counter_steps (
  workspace_id uuid NOT NULL,
  channel_id uuid NOT NULL,
  post_remote_id text COLLATE "C" NOT NULL,
  counter text COLLATE "C" NOT NULL,
  step_minutes integer NOT NULL,
  start_time timestamptz NOT NULL,
  network text COLLATE "C" NOT NULL,
  value bigint NOT NULL,
  measured_time timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, channel_id, post_remote_id, counter, step_minutes, start_time)
) PARTITION BY HASH (channel_id);

DO $$
DECLARE
  t text;
BEGIN
  FOR part IN 0..7 LOOP
    EXECUTE format('CREATE TABLE counter_steps_%s PARTITION OF counter_steps FOR VALUES WITH (MODULUS 8, REMAINDER %s) '
                   'WITH (fillfactor = 80)', part, part);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['counters', 'counter_steps'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY workspace ON %I USING (workspace_id = '
                   'nullif(current_setting(''parvis.workspace_id'', true), '''')::uuid)', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO metrics_stream', t);
    EXECUTE format('GRANT SELECT ON %I TO metrics_api', t);
  END LOOP;
END
$$;
