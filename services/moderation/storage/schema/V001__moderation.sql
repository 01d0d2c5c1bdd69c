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

-- Policies. Every change of the rules is a row in policy_versions, never changed afterwards.
CREATE TABLE policies (
  workspace_id uuid NOT NULL,
  id uuid NOT NULL,
  display_name text NOT NULL,
  version bigint NOT NULL,          -- the latest
  revision bigint NOT NULL,         -- rises with every change: the etag
  request_id uuid,                  -- of its creation
  create_time timestamptz NOT NULL,
  update_time timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX policies_request ON policies (workspace_id, request_id) WHERE request_id IS NOT NULL;
CREATE INDEX policies_newest ON policies (workspace_id, create_time DESC, id DESC);

CREATE TABLE policy_versions (
  workspace_id uuid NOT NULL,
  policy_id uuid NOT NULL,
  version bigint NOT NULL,
  source text NOT NULL,
  member_id text NOT NULL,          -- who wrote it, '' for a key without a member
  create_time timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, policy_id, version),
  FOREIGN KEY (workspace_id, policy_id) REFERENCES policies (workspace_id, id)
);

-- The one policy, in the one version, that moderates a workspace.
CREATE TABLE active_policies (
  workspace_id uuid PRIMARY KEY,
  policy_id uuid NOT NULL,
  version bigint NOT NULL,
  member_id text NOT NULL,
  change_time timestamptz NOT NULL,
  FOREIGN KEY (workspace_id, policy_id, version) REFERENCES policy_versions (workspace_id, policy_id, version)
);

-- What the queue remembers of comments that have a history: held, hidden, edited or removed ones.
CREATE TABLE comments (
  workspace_id uuid NOT NULL,
  channel_id uuid NOT NULL,
  remote_id text NOT NULL,
  revision bigint NOT NULL,         -- of the text last seen
  removed boolean NOT NULL,
  hidden boolean NOT NULL,          -- on the network, as last heard
  hidden_revision bigint NOT NULL,
  hide_asked boolean NOT NULL,      -- a command to hide or delete it was written
  PRIMARY KEY (workspace_id, channel_id, remote_id)
);

-- What people decide. state: 1 open, 3 decided, 4 closed (a claim is an open review whose claim_expire_time is to come).
CREATE TABLE reviews (
  workspace_id uuid NOT NULL,
  id uuid NOT NULL,
  activity_id uuid NOT NULL,
  channel_id uuid NOT NULL,
  network text NOT NULL,
  remote_id text NOT NULL,
  thread text NOT NULL,
  post_remote_id text NOT NULL,
  author_remote_id text NOT NULL,
  author_name text NOT NULL,
  author_handle text NOT NULL,
  content text NOT NULL,
  permalink text NOT NULL,
  language text NOT NULL,
  intent smallint NOT NULL,
  action smallint NOT NULL,
  rank smallint NOT NULL,           -- 0 escalated, 1 held: the order of the queue
  reasons jsonb NOT NULL,
  policy_id text NOT NULL,
  policy_version bigint NOT NULL,
  occurred_time timestamptz NOT NULL,
  create_time timestamptz NOT NULL,
  state smallint NOT NULL,
  claim_member_id text NOT NULL DEFAULT '',
  claim_token bigint NOT NULL DEFAULT 0,
  claim_expire_time timestamptz,
  decision smallint NOT NULL DEFAULT 0,
  decide_member_id text NOT NULL DEFAULT '',
  decide_request_id text NOT NULL DEFAULT '',
  note text NOT NULL DEFAULT '',
  end_time timestamptz,
  PRIMARY KEY (workspace_id, id),
  CHECK (state IN (1, 3, 4))
);
CREATE INDEX reviews_open ON reviews (workspace_id, rank, create_time, id) WHERE state = 1;
CREATE INDEX reviews_all ON reviews (workspace_id, rank, create_time, id);
CREATE INDEX reviews_of_comment ON reviews (workspace_id, channel_id, remote_id) WHERE state = 1;

-- The log of what rules and members decided. Never changed.
CREATE TABLE decisions (
  workspace_id uuid NOT NULL,
  id uuid NOT NULL,
  activity_id uuid NOT NULL,
  channel_id uuid NOT NULL,
  remote_id text NOT NULL,
  source smallint NOT NULL,         -- 1 a rule, 2 a member
  action smallint NOT NULL,
  reasons jsonb NOT NULL,
  policy_id text NOT NULL,
  policy_version bigint NOT NULL,
  member_id text NOT NULL,
  note text NOT NULL,
  command_id text NOT NULL,
  create_time timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
CREATE INDEX decisions_newest ON decisions (workspace_id, create_time DESC, id DESC);

DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['policies', 'policy_versions', 'active_policies', 'comments', 'reviews', 'decisions'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY workspace ON %I USING (workspace_id = nullif(current_setting(''parvis.workspace_id'', true), '''')::uuid)', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO moderation_stream', t);
  END LOOP;
END
$$;
GRANT SELECT, INSERT, UPDATE ON policies TO moderation_api;
GRANT SELECT, INSERT ON policy_versions, decisions TO moderation_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON active_policies TO moderation_api;
GRANT SELECT, UPDATE ON reviews, comments TO moderation_api;
