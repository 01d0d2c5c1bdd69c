-- The filters that people combine are judged in the index: a column after the order of the list cannot bound the scan, but
-- an entry that does not match costs no visit to the table. Before, "mine, in French, open" visited every conversation that
-- had ever been assigned to me, the resolved ones included. As many indexes as before, and no column that was not in one
-- already, so no update loses its place on the page (HOT) by it.
CREATE INDEX conversations_by_assignee_2 ON conversations
  (workspace_id, assignee, last_message_time DESC, id DESC, state, language) WHERE assignee <> '';
DROP INDEX conversations_by_assignee;
ALTER INDEX conversations_by_assignee_2 RENAME TO conversations_by_assignee;

CREATE INDEX conversations_open_by_language_2 ON conversations
  (workspace_id, language, last_message_time DESC, id DESC, assignee) WHERE state = 1;
DROP INDEX conversations_open_by_language;
ALTER INDEX conversations_open_by_language_2 RENAME TO conversations_open_by_language;
