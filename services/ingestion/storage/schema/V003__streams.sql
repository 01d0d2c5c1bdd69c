-- Where the stream of a channel stands, for networks that have streams: one row a source, made when a replica first attends
-- to the network.
CREATE TABLE streams (
  workspace_id        uuid NOT NULL,
  channel_id          uuid NOT NULL,
  cursor              text NOT NULL DEFAULT '',
  credentials_version bigint NOT NULL DEFAULT 0,  -- that it was last opened with
  failures            integer NOT NULL DEFAULT 0, -- in a row
  reason              text NOT NULL DEFAULT '',   -- why it ended last; '' = it was given back
  message             text NOT NULL DEFAULT '',
  next_try            timestamptz NOT NULL DEFAULT now(),
  connected_since     timestamptz,                -- NULL: not opened by whoever has the lease
  last_event          timestamptz,
  last_gap            timestamptz,
  lease_until         timestamptz,                -- NULL: free
  lease_token         bigint NOT NULL DEFAULT 0,
  create_time         timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (workspace_id, channel_id)
) WITH (fillfactor = 70);

ALTER TABLE streams ENABLE ROW LEVEL SECURITY;
ALTER TABLE streams FORCE ROW LEVEL SECURITY;
CREATE POLICY workspace ON streams USING
  (workspace_id = nullif(current_setting('parvis.workspace_id', true), '')::uuid);
GRANT SELECT ON streams TO ingestion_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON streams TO ingestion_stream;

-- The replicas that read streams, and how many each can read: what the shares are reckoned from. Nobody's workspace.
CREATE TABLE stream_keepers (
  keeper     text PRIMARY KEY,
  places     bigint NOT NULL,
  seen_until timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON stream_keepers TO ingestion_stream;

-- A poll was asked for while one was under way: it may have come too early.
ALTER TABLE sources ADD COLUMN poll_asked boolean NOT NULL DEFAULT false;

-- Subscriptions at WebSub hubs, one a source, for networks that have hubs. No secret is here: it is derived from a key.
CREATE TABLE hub_subscriptions (
  workspace_id  uuid NOT NULL,
  channel_id    uuid NOT NULL,
  hub           text NOT NULL DEFAULT '',
  topic         text NOT NULL DEFAULT '',
  tells_all     boolean NOT NULL DEFAULT false,
  asked         text NOT NULL DEFAULT '' CHECK (asked IN ('', 'subscribe', 'unsubscribe')),  -- the last time
  answer_until  timestamptz,                -- until when the hub's question is answered with yes; NULL: not waited for
  lease_end     timestamptz,                -- until when the hub tells; NULL: it does not
  failures      integer NOT NULL DEFAULT 0, -- in a row
  reason        text NOT NULL DEFAULT '',
  message       text NOT NULL DEFAULT '',
  next_try      timestamptz NOT NULL DEFAULT now(),
  claimed_until timestamptz,                -- NULL: free
  claim_token   bigint NOT NULL DEFAULT 0,
  create_time   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (workspace_id, channel_id)
);

ALTER TABLE hub_subscriptions ENABLE ROW LEVEL SECURITY;
ALTER TABLE hub_subscriptions FORCE ROW LEVEL SECURITY;
CREATE POLICY workspace ON hub_subscriptions USING
  (workspace_id = nullif(current_setting('parvis.workspace_id', true), '')::uuid);
GRANT SELECT ON hub_subscriptions TO ingestion_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON hub_subscriptions TO ingestion_stream;
