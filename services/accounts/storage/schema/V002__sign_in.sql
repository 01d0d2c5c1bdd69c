-- Sign-ins in the browser that wait for their completion, and what keeps credentials fresh.

-- Ten minutes each; taken out by their completion. The state is there as a hash, the verifier and the app's secret sealed.
CREATE TABLE sign_ins (
  workspace_id uuid NOT NULL REFERENCES workspaces,
  state_hash   bytea NOT NULL,
  member_id    uuid NOT NULL,
  key_id       uuid NOT NULL,
  network      text NOT NULL,
  base_url     text NOT NULL,
  redirect_uri text NOT NULL,
  channel_id   uuid,               -- to be reconnected
  remote_id    text NOT NULL,
  display_name text NOT NULL,
  seal_key_id  text NOT NULL,
  secrets      bytea NOT NULL,
  create_time  timestamptz NOT NULL,
  expire_time  timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, state_hash)
);
CREATE INDEX sign_ins_by_member ON sign_ins (workspace_id, member_id, expire_time);

ALTER TABLE sign_ins ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_ins FORCE ROW LEVEL SECURITY;
CREATE POLICY workspace ON sign_ins USING (workspace_id = nullif(current_setting('parvis.workspace_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_ins TO accounts_api, accounts_stream;

-- refresh_time: when the credentials are to be refreshed; NULL: that cannot be done. A refresher holds a channel until
-- refresh_lease_time. refresh_use_time stands from just before the refresh token is shown to the network until what came
-- of it is stored: whoever finds it knows that somebody stopped in between.
ALTER TABLE channels
  ADD COLUMN credentials_expire_time timestamptz,
  ADD COLUMN refresh_time            timestamptz,
  ADD COLUMN refresh_holder          text,
  ADD COLUMN refresh_lease_time      timestamptz,
  ADD COLUMN refresh_use_time        timestamptz,
  ADD COLUMN refresh_failures        integer NOT NULL DEFAULT 0,
  ADD CHECK (refresh_time IS NULL OR credentials IS NOT NULL);
CREATE INDEX channels_by_refresh ON channels (refresh_time) WHERE refresh_time IS NOT NULL;
