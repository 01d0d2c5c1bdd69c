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

-- The inbox: conversations with their messages, notes and cases, and the feed of their events.

-- One row per exchange. id = UuidOfName(workspace, channel, remote_conversation), so the primary key is the natural key.
-- state 0 is a shell: known by a reaction only, listed nowhere.
CREATE TABLE conversations (
  workspace_id uuid NOT NULL,
  id uuid NOT NULL,
  channel_id uuid NOT NULL,
  network text NOT NULL,
  remote_conversation text NOT NULL,
  thread text NOT NULL,
  post_remote_id text NOT NULL,
  state smallint NOT NULL,
  kind smallint NOT NULL,
  language text NOT NULL,
  language_time timestamptz NOT NULL,
  language_key text COLLATE "C" NOT NULL,
  escalated boolean NOT NULL,
  person_remote_id text NOT NULL,
  person_name text NOT NULL,
  person_handle text NOT NULL,
  assignee text NOT NULL,
  claim_member text NOT NULL,
  claim_token bigint NOT NULL,
  claim_expire_time timestamptz NOT NULL,
  case_id uuid,
  message_count bigint NOT NULL,
  person_count bigint NOT NULL,
  reaction_count bigint NOT NULL,
  preview text NOT NULL,
  first_key text COLLATE "C" NOT NULL,
  last_key text COLLATE "C" NOT NULL,
  first_message_time timestamptz,
  last_message_time timestamptz,
  last_ours_time timestamptz,
  first_response_time timestamptz,
  waiting_since_time timestamptz,
  create_time timestamptz NOT NULL,
  resolve_time timestamptz,
  resolved_by text NOT NULL,
  reopen_count bigint NOT NULL,
  version bigint NOT NULL,
  PRIMARY KEY (workspace_id, id)
) WITH (fillfactor = 85);
-- Lists show the latest first; the open ones are few and are what people filter, so their indexes are partial.
CREATE INDEX conversations_by_state ON conversations (workspace_id, state, last_message_time DESC, id DESC);
CREATE INDEX conversations_open_by_channel ON conversations (workspace_id, channel_id, last_message_time DESC, id DESC)
  WHERE state = 1;
CREATE INDEX conversations_open_by_kind ON conversations (workspace_id, kind, last_message_time DESC, id DESC)
  WHERE state = 1;
CREATE INDEX conversations_open_by_language ON conversations (workspace_id, language, last_message_time DESC, id DESC)
  WHERE state = 1;
CREATE INDEX conversations_by_assignee ON conversations (workspace_id, assignee, last_message_time DESC, id DESC)
  WHERE assignee <> '';
CREATE INDEX conversations_by_claim ON conversations (claim_expire_time) WHERE claim_member <> '';

-- Messages grow for ever and are partitioned by channel, not by time: see README.md. A row that is not `present` holds
-- what came before the message's creation (an edit, a removal).
CREATE TABLE messages (
  workspace_id uuid NOT NULL,
  channel_id uuid NOT NULL,
  remote_key text COLLATE "C" NOT NULL,
  id uuid NOT NULL,
  conversation_id uuid,
  present boolean NOT NULL,
  written_here boolean NOT NULL,
  kind smallint NOT NULL,
  parent_remote_id text NOT NULL,
  author_remote_id text NOT NULL,
  author_name text NOT NULL,
  author_handle text NOT NULL,
  by_us boolean NOT NULL,
  member_id text NOT NULL,
  occurred_at timestamptz NOT NULL,
  order_key text COLLATE "C" NOT NULL,
  facts_revision bigint NOT NULL,
  content_revision bigint NOT NULL,
  content_is_edit boolean NOT NULL,
  policy_version bigint NOT NULL,
  action smallint NOT NULL,
  text text NOT NULL,
  attachments text[] NOT NULL,
  reasons text[] NOT NULL,
  language text NOT NULL,
  language_revision bigint NOT NULL,
  severity smallint NOT NULL,
  escalated boolean NOT NULL,
  removed boolean NOT NULL,
  hidden boolean NOT NULL,
  hidden_revision bigint NOT NULL,
  delivery_state smallint NOT NULL,
  delivery_sequence bigint NOT NULL,
  delivery_reason text NOT NULL,
  delivery_detail text NOT NULL,
  delivered_time timestamptz,
  permalink text NOT NULL,
  create_time timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, channel_id, remote_key)
) PARTITION BY HASH (channel_id);
DO $$
BEGIN
  FOR part IN 0..7 LOOP
    EXECUTE format('CREATE TABLE messages_%s PARTITION OF messages FOR VALUES WITH (MODULUS 8, REMAINDER %s) '
                   'WITH (fillfactor = 90)', part, part);
  END LOOP;
END
$$;
CREATE INDEX messages_in_order ON messages (workspace_id, conversation_id, occurred_at, order_key) WHERE present;
CREATE INDEX messages_by_us ON messages (workspace_id, conversation_id, occurred_at) WHERE present AND by_us;
CREATE INDEX messages_written_here ON messages (workspace_id, id) WHERE written_here;
CREATE INDEX messages_absent ON messages (create_time) WHERE NOT present;

-- Reactions are counted, never twice.
CREATE TABLE reactions (
  workspace_id uuid NOT NULL,
  channel_id uuid NOT NULL,
  activity_id text COLLATE "C" NOT NULL,
  conversation_id uuid NOT NULL,
  PRIMARY KEY (workspace_id, channel_id, activity_id)
) PARTITION BY HASH (channel_id);
DO $$
BEGIN
  FOR part IN 0..7 LOOP
    EXECUTE format('CREATE TABLE reactions_%s PARTITION OF reactions FOR VALUES WITH (MODULUS 8, REMAINDER %s)',
                   part, part);
  END LOOP;
END
$$;

CREATE TABLE notes (
  workspace_id uuid NOT NULL,
  id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  member_id text NOT NULL,
  text text NOT NULL,
  create_time timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
CREATE INDEX notes_in_order ON notes (workspace_id, conversation_id, create_time, id);

CREATE TABLE cases (
  workspace_id uuid NOT NULL,
  id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  title text NOT NULL,
  owner text NOT NULL,
  state smallint NOT NULL,
  due_time timestamptz NOT NULL,
  escalation_count bigint NOT NULL,
  escalation_reason text NOT NULL,
  escalation_request text NOT NULL,
  resolution text NOT NULL,
  create_time timestamptz NOT NULL,
  resolve_time timestamptz,
  PRIMARY KEY (workspace_id, id)
);
CREATE INDEX cases_by_state ON cases (workspace_id, state, due_time, id);
CREATE INDEX cases_by_owner ON cases (workspace_id, owner, due_time, id);
CREATE INDEX cases_by_due ON cases (workspace_id, due_time, id);

-- The feed: every event of a workspace, numbered without gaps. A number is taken under the row lock of `feeds`, which is
-- the last lock of every transaction, so numbers become visible in their order.
CREATE TABLE feeds (
  workspace_id uuid NOT NULL,
  last_sequence bigint NOT NULL,
  floor_sequence bigint NOT NULL,
  PRIMARY KEY (workspace_id)
) WITH (fillfactor = 50);
CREATE TABLE feed_events (
  workspace_id uuid NOT NULL,
  sequence bigint NOT NULL,
  payload bytea NOT NULL,
  create_time timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, sequence)
);
CREATE INDEX feed_events_by_time ON feed_events (create_time);

-- No tenant sees another.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['conversations', 'messages', 'reactions', 'notes', 'cases', 'feeds', 'feed_events'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY workspace ON %I USING '
                   '(workspace_id = nullif(current_setting(''parvis.workspace_id'', true), '''')::uuid)', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO %I', name, current_schema || '_api');
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO %I', name, current_schema || '_stream');
  END LOOP;
END
$$;
