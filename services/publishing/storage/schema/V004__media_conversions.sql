-- Conversions of videos that are waiting or under way; each goes with its medium, whose state is 5 (converting). `fence` counts the
-- claims, `tries` those that were not given back; `ready_time` is when anyone may claim it (again). A replica of the release before
-- leaves them alone.
CREATE TABLE media_conversions (
  workspace_id uuid NOT NULL,
  media_id uuid NOT NULL,
  copy_video boolean NOT NULL,
  copy_audio boolean NOT NULL,
  width integer NOT NULL,
  height integer NOT NULL,
  video_kbps integer NOT NULL,
  audio_kbps integer NOT NULL,
  bytes_max bigint NOT NULL,
  fence bigint NOT NULL,
  tries integer NOT NULL,
  ready_time timestamptz NOT NULL,
  PRIMARY KEY (workspace_id, media_id),
  FOREIGN KEY (workspace_id, media_id) REFERENCES media (workspace_id, id) ON DELETE CASCADE
) WITH (fillfactor = 70);
CREATE INDEX media_conversions_by_time ON media_conversions (ready_time);

ALTER TABLE media_conversions ENABLE ROW LEVEL SECURITY;
ALTER TABLE media_conversions FORCE ROW LEVEL SECURITY;
CREATE POLICY one_workspace ON media_conversions USING (workspace_id = nullif(current_setting('parvis.workspace_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON media_conversions TO publishing_api, publishing_stream;
