-- Streams by which one reader hears many channels: one row a network whose stream is shared. It is nobody's workspace: which
-- channels are heard by it stands in `streams`. Additive: replicas before it go on with streams of their own.
CREATE TABLE shared_streams (
  network         text PRIMARY KEY,
  cursor          text NOT NULL DEFAULT '',
  failures        integer NOT NULL DEFAULT 0, -- in a row
  reason          text NOT NULL DEFAULT '',   -- why it ended last; '' = it was given back
  message         text NOT NULL DEFAULT '',
  next_try        timestamptz NOT NULL DEFAULT now(),
  connected_since timestamptz,                -- NULL: not opened by whoever has the lease
  lease_until     timestamptz,                -- NULL: free
  lease_token     bigint NOT NULL DEFAULT 0,
  create_time     timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
-- Whether a channel is heard is shown with its source.
GRANT SELECT (network, failures, connected_since, lease_until) ON shared_streams TO ingestion_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON shared_streams TO ingestion_stream;

-- Since when the channel is heard by the shared stream of its network; NULL: it is not. Stays when the reader changes: all
-- after the stream's cursor is for those who are heard.
ALTER TABLE streams ADD COLUMN heard_since timestamptz;
