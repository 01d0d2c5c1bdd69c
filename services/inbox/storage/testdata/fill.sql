-- Fills an inbox for benches: :messages messages in two thirds as many conversations, of which one in twenty is open, in
-- sixteen channels of one workspace, which reach every partition. Indexes are built afterwards, which takes a fraction of
-- the time. As the superuser, in the service's schema. :channel_stem lacks the last digit of a uuid, which is 0 to f.
SET maintenance_work_mem = '512MB';
CREATE TEMP TABLE saved AS
  SELECT t.relname AS tab, c.relname AS ind, k.conname AS con, pg_get_indexdef(i.indexrelid) AS definition,
         pg_get_constraintdef(k.oid) AS con_definition
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
  LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid
  WHERE t.relnamespace = current_schema()::text::regnamespace AND t.relname IN ('conversations', 'messages');
DO $$
DECLARE
  s record;
BEGIN
  FOR s IN SELECT * FROM saved LOOP
    IF s.con IS NULL THEN
      EXECUTE format('DROP INDEX %I', s.ind);
    ELSE
      EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', s.tab, s.con);
    END IF;
  END LOOP;
END
$$;

INSERT INTO conversations (workspace_id, id, channel_id, network, remote_conversation, thread, post_remote_id, state, kind,
  language, language_time, language_key, escalated, person_remote_id, person_name, person_handle, assignee, claim_member,
  claim_token, claim_expire_time, message_count, person_count, reaction_count, preview, first_key, last_key,
  first_message_time, last_message_time, waiting_since_time, create_time, resolved_by, reopen_count, version)
SELECT ':workspace', md5('c' || n)::uuid, (':channel_stem' || to_hex(n % 16))::uuid, 'facebook', '1680000_' || n, '1680000_' || n,
  'page_1', CASE WHEN n % 20 = 0 THEN 1 ELSE 2 END, 1 + n % 4, (ARRAY['fr', 'en', 'de', 'es', 'und'])[1 + n / 20 % 5], at,
  '1680000_' || n, false, (n % 5000)::text, 'A person with a name', '',
  CASE WHEN n % 40 = 0 THEN 'member-' || n / 40 % 30 ELSE '' END, '', 0, '-infinity', 1 + n % 2, 1, 0,
  'Bonjour, où puis-je trouver cette lampe ? Je la cherche depuis des semaines, number ' || n, '1680000_' || n,
  '1680000_' || n, at, at, CASE WHEN n % 20 = 0 THEN at END, at, '', 0, 1
FROM (SELECT n, to_timestamp(1780000000 + n / 50.0) AS at FROM generate_series(1, :messages * 2 / 3) AS n) AS numbers;

INSERT INTO messages (workspace_id, channel_id, remote_key, id, conversation_id, present, written_here, kind,
  parent_remote_id, author_remote_id, author_name, author_handle, by_us, member_id, occurred_at, order_key, facts_revision,
  content_revision, content_is_edit, policy_version, action, text, attachments, reasons, language, language_revision,
  severity, escalated, removed, hidden, hidden_revision, delivery_state, delivery_sequence, delivery_reason,
  delivery_detail, permalink, create_time)
SELECT ':workspace', (':channel_stem' || to_hex(c % 16))::uuid, '1680000_' || n, md5('m' || n)::uuid, md5('c' || c)::uuid, true, false,
  1, '', (n % 5000)::text, 'A person with a name', '', false, '', at, '1680000_' || n, 1, 1, false, 0, 1,
  'Bonjour, où puis-je trouver cette lampe ? Je la cherche depuis des semaines, number ' || n, '{}', '{}', 'fr', 1, 2,
  false, false, false, -1, 0, 0, '', '', '', at
FROM (SELECT n, 1 + n * 2 / 3 AS c, to_timestamp(1780000000 + n / 75.0) AS at
      FROM generate_series(1, :messages * :with_messages) AS n) AS numbers;

DO $$
DECLARE
  s record;
BEGIN
  FOR s IN SELECT * FROM saved LOOP
    EXECUTE CASE WHEN s.con IS NULL THEN s.definition
                 ELSE format('ALTER TABLE %I ADD CONSTRAINT %I %s', s.tab, s.con, s.con_definition) END;
  END LOOP;
END
$$;
DROP TABLE saved;
INSERT INTO feeds VALUES (':workspace', 1, 1) ON CONFLICT DO NOTHING;
ANALYZE conversations, messages;
