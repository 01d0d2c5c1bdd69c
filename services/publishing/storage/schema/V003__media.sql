-- Media that publishing keeps. The content is in a blob store, in chunks whose keys are made of workspace, medium, number and
-- digest. States are the numbers of parvis.publishing.v1.MediaState (1 uploading, 2 uploaded, 3 ready, 4 refused).
CREATE TABLE media (
  workspace_id uuid NOT NULL,
  id uuid NOT NULL,
  display_name text NOT NULL,
  alt_text text NOT NULL,
  author text NOT NULL,
  state smallint NOT NULL,
  size_bytes bigint NOT NULL,
  received_bytes bigint NOT NULL,
  chunk_bytes integer NOT NULL,
  hash_state text NOT NULL,
  sha256 text NOT NULL,
  type text NOT NULL,
  width integer NOT NULL,
  height integer NOT NULL,
  frames integer NOT NULL,
  duration_us bigint NOT NULL,
  video_codec text NOT NULL,
  audio_codec text NOT NULL,
  frame_rate double precision NOT NULL,
  refusal_reason text NOT NULL,
  refusal text NOT NULL,
  source_id text NOT NULL,
  create_time timestamptz NOT NULL,
  update_time timestamptz NOT NULL,
  expire_time timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, id)
) WITH (fillfactor = 70);
CREATE INDEX media_by_time ON media (workspace_id, create_time DESC, id DESC);
CREATE INDEX media_by_expiry ON media (expire_time);

-- No reference to media: the chunks of what is in the trash are still there.
CREATE TABLE media_chunks (
  workspace_id uuid NOT NULL,
  media_id uuid NOT NULL,
  number integer NOT NULL,
  digest text NOT NULL,
  PRIMARY KEY (workspace_id, media_id, number)
);

-- Which posts name which media. The references make it impossible to delete a medium while a post begins to need it.
CREATE TABLE media_uses (
  workspace_id uuid NOT NULL,
  media_id uuid NOT NULL,
  post_id uuid NOT NULL,
  PRIMARY KEY (workspace_id, media_id, post_id),
  FOREIGN KEY (workspace_id, media_id) REFERENCES media (workspace_id, id),
  FOREIGN KEY (workspace_id, post_id) REFERENCES posts (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX media_uses_by_post ON media_uses (workspace_id, post_id);

-- Media whose rows are gone and whose content is not, yet.
CREATE TABLE media_trash (
  workspace_id uuid NOT NULL,
  media_id uuid NOT NULL,
  trash_time timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, media_id)
);
CREATE INDEX media_trash_by_time ON media_trash (trash_time);

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['media', 'media_chunks', 'media_uses', 'media_trash'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY one_workspace ON %I USING (workspace_id = '
                   'nullif(current_setting(''parvis.workspace_id'', true), '''')::uuid)', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO publishing_api, publishing_stream', name);
  END LOOP;
END
$$;
