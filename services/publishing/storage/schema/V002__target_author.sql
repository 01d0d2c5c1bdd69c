-- Whom a ban, mute or report is about, where it is not the author of the target. Replicas of the release before insert by
-- position without it: the default stands in for them.
ALTER TABLE deliveries ADD COLUMN target_author_id text NOT NULL DEFAULT '';
