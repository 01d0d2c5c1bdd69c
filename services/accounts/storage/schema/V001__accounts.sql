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

-- Tenants, people, keys and channels. Every table's key starts with workspace_id and row-level security is forced, except
-- for organizations, which stand above workspaces and are read only by the role that may see all of them.
-- (The stream tables above are every service's; accounts neither consumes nor publishes events yet.)

CREATE TABLE organizations (
  organization_id uuid PRIMARY KEY,
  display_name    text NOT NULL,
  create_time     timestamptz NOT NULL
);

CREATE TABLE workspaces (
  workspace_id    uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations,
  display_name    text NOT NULL,
  time_zone       text NOT NULL,
  version         bigint NOT NULL DEFAULT 1,
  create_time     timestamptz NOT NULL,
  update_time     timestamptz NOT NULL
);
CREATE INDEX workspaces_by_organization ON workspaces (organization_id, workspace_id);

CREATE TABLE members (
  workspace_id uuid NOT NULL REFERENCES workspaces,
  member_id    uuid NOT NULL,
  display_name text NOT NULL,
  email        text NOT NULL,
  email_folded text NOT NULL,
  roles        text[] NOT NULL,
  version      bigint NOT NULL DEFAULT 1,
  create_time  timestamptz NOT NULL,
  update_time  timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, member_id),
  CONSTRAINT members_email UNIQUE (workspace_id, email_folded)
);

-- The member may have gone: the key stays, revoked, so that lists and logs still explain it.
CREATE TABLE api_keys (
  workspace_id uuid NOT NULL REFERENCES workspaces,
  key_id       uuid NOT NULL,
  member_id    uuid NOT NULL,
  display_name text NOT NULL,
  roles        text[] NOT NULL,
  secret_hash  bytea NOT NULL,
  create_time  timestamptz NOT NULL,
  expire_time  timestamptz,
  revoke_time  timestamptz,
  PRIMARY KEY (workspace_id, key_id)
);
CREATE UNIQUE INDEX api_keys_by_id ON api_keys (key_id);
CREATE INDEX api_keys_by_member ON api_keys (workspace_id, member_id);

CREATE TABLE channels (
  workspace_id        uuid NOT NULL REFERENCES workspaces,
  channel_id          uuid NOT NULL,
  network             text NOT NULL,
  remote_id           text NOT NULL,
  base_url            text NOT NULL,
  display_name        text NOT NULL,
  handle              text NOT NULL,
  url                 text NOT NULL,
  state               text NOT NULL CHECK (state IN ('connected', 'broken', 'disconnected')),
  state_reason        text NOT NULL DEFAULT '',
  state_message       text NOT NULL DEFAULT '',
  seal_key_id         text,          -- which key of the key file; NULL with credentials
  credentials         bytea,         -- nonce and ciphertext; NULL when disconnected
  credentials_version bigint NOT NULL DEFAULT 1,
  create_time         timestamptz NOT NULL,
  update_time         timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, channel_id),
  CONSTRAINT channels_account UNIQUE (workspace_id, network, remote_id),
  CHECK ((state = 'disconnected') = (credentials IS NULL)),
  CHECK ((seal_key_id IS NULL) = (credentials IS NULL))
);
CREATE UNIQUE INDEX channels_by_id ON channels (channel_id) WHERE state <> 'disconnected';
CREATE INDEX channels_by_account ON channels (network, remote_id, channel_id) WHERE state <> 'disconnected';
CREATE INDEX channels_by_seal_key ON channels (seal_key_id) WHERE credentials IS NOT NULL;

-- request_id -> what it made (AIP-155). Creations outside a workspace have the nil UUID as theirs.
CREATE TABLE requests (
  workspace_id uuid NOT NULL,
  method       text NOT NULL,
  request_id   uuid NOT NULL,
  fingerprint  text NOT NULL,
  resource_id  uuid NOT NULL,
  create_time  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (workspace_id, method, request_id)
);

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['workspaces', 'members', 'api_keys', 'channels', 'requests'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY workspace ON %I USING '
      '(workspace_id = nullif(current_setting(''parvis.workspace_id'', true), '''')::uuid)', t);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO accounts_api, accounts_stream', t);
  END LOOP;
END $$;
GRANT SELECT, INSERT ON organizations TO accounts_stream;
