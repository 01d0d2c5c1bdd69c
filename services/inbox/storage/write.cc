#include "inbox/storage/write.h"

#include <map>

#include "inbox/storage/rows.h"
#include "platform/db/stream_tables.h"

namespace parvis::inbox::storage {
namespace {

using db::Array;
using db::BinaryRows;
using db::Tx;

constexpr char kUpdateConversations[] =
    "UPDATE conversations c SET thread = s.thread, post_remote_id = s.post_remote_id, state = s.state, kind = s.kind, "
    "language = s.language, language_time = s.language_time, language_key = s.language_key, escalated = s.escalated, "
    "person_remote_id = s.person_remote_id, person_name = s.person_name, person_handle = s.person_handle, "
    "assignee = s.assignee, claim_member = s.claim_member, claim_token = s.claim_token, "
    "claim_expire_time = s.claim_expire_time, case_id = s.case_id, message_count = s.message_count, "
    "person_count = s.person_count, reaction_count = s.reaction_count, preview = s.preview, first_key = s.first_key, "
    "last_key = s.last_key, first_message_time = s.first_message_time, last_message_time = s.last_message_time, "
    "last_ours_time = s.last_ours_time, first_response_time = s.first_response_time, "
    "waiting_since_time = s.waiting_since_time, resolve_time = s.resolve_time, resolved_by = s.resolved_by, "
    "reopen_count = s.reopen_count, version = s.version "
    "FROM unnest($1::conversations[]) s WHERE c.workspace_id = s.workspace_id AND c.id = s.id";
constexpr char kUpdateMessages[] =
    "UPDATE messages m SET conversation_id = s.conversation_id, present = s.present, kind = s.kind, "
    "parent_remote_id = s.parent_remote_id, author_remote_id = s.author_remote_id, author_name = s.author_name, "
    "author_handle = s.author_handle, by_us = s.by_us, occurred_at = s.occurred_at, facts_revision = s.facts_revision, "
    "content_revision = s.content_revision, content_is_edit = s.content_is_edit, policy_version = s.policy_version, "
    "action = s.action, text = s.text, attachments = s.attachments, reasons = s.reasons, language = s.language, "
    "language_revision = s.language_revision, severity = s.severity, escalated = s.escalated, removed = s.removed, "
    "hidden = s.hidden, hidden_revision = s.hidden_revision, delivery_state = s.delivery_state, "
    "delivery_sequence = s.delivery_sequence, delivery_reason = s.delivery_reason, "
    "delivery_detail = s.delivery_detail, delivered_time = s.delivered_time, permalink = s.permalink "
    "FROM unnest($1::messages[]) s "
    "WHERE m.workspace_id = s.workspace_id AND m.channel_id = s.channel_id AND m.remote_key = s.remote_key";
constexpr char kInsertMessages[] = "INSERT INTO messages SELECT * FROM unnest($1::messages[])";
constexpr char kDeleteMessages[] =
    "DELETE FROM messages m USING unnest($1::uuid[], $2::uuid[], $3::text[]) k(w, ch, r) "
    "WHERE m.workspace_id = k.w AND m.channel_id = k.ch AND m.remote_key = k.r";
// In the order of the workspaces, so that two transactions never wait for one another.
// What was numbered is told to Kafka by its range.
constexpr char kTakeNumbers[] =
    "WITH taken AS (INSERT INTO feeds AS f (workspace_id, last_sequence, floor_sequence) "
    "  SELECT k.w, k.n, 0 FROM unnest($1::uuid[], $2::bigint[]) k(w, n) ORDER BY k.w "
    "  ON CONFLICT (workspace_id) DO UPDATE SET last_sequence = f.last_sequence + excluded.last_sequence "
    "  RETURNING workspace_id, last_sequence), "
    "noted AS (INSERT INTO feed_outbox (workspace_id, first_sequence, last_sequence) "
    "  SELECT k.w, t.last_sequence - k.n + 1, t.last_sequence "
    "  FROM taken t JOIN unnest($1::uuid[], $2::bigint[]) k(w, n) ON k.w = t.workspace_id) "
    "SELECT workspace_id, last_sequence FROM taken";
constexpr char kInsertFeed[] =
    "INSERT INTO feed_events (workspace_id, sequence, payload, create_time, conversation_id) "
    "SELECT k.w, k.s, k.p, now(), k.c FROM unnest($1::uuid[], $2::bigint[], $3::bytea[], $4::uuid[]) k(w, s, p, c)";
constexpr char kCopyFeed[] =
    "COPY feed_events (workspace_id, sequence, payload, create_time, conversation_id) FROM STDIN (FORMAT binary)";

Status NumberEvents(Tx& tx, std::vector<Event>& events) {
  std::map<std::string, int64_t> next;
  for (const Event& event : events) ++next[event.conversation.workspace_id];
  std::vector<std::string> workspaces;
  std::vector<int64_t> counts;
  for (const auto& [workspace, count] : next) {
    workspaces.push_back(workspace);
    counts.push_back(count);
  }
  PARVIS_ASSIGN_OR_RETURN(const db::Rows rows, tx.Query(kTakeNumbers, {Array(workspaces), Array(counts)}));
  for (int i = 0; i < rows.size(); ++i) {
    int64_t& count = next[rows.Text(i, 0)];
    count = rows.Int(i, 1) - count + 1;   // the first of ours
  }
  for (Event& event : events) {
    event.sequence = next[event.conversation.workspace_id]++;
    event.id = EventId(event.conversation.workspace_id, event.sequence);
  }
  return absl::OkStatus();
}

}  // namespace

Status InsertConversations(Tx& tx, const std::vector<const Conversation*>& conversations) {
  if (conversations.empty()) return absl::OkStatus();
  return tx.CopyRows("COPY conversations FROM STDIN (FORMAT binary)", conversations.size(),
                     [&](size_t i, BinaryRows& out) { WriteConversation(*conversations[i], out); });
}

Status UpdateConversations(Tx& tx, const std::vector<const Conversation*>& conversations) {
  if (conversations.empty()) return absl::OkStatus();
  RowArray rows;
  for (const Conversation* c : conversations) WriteConversation(*c, rows);
  return tx.Query(kUpdateConversations, {rows.Take()}).status();
}

Status InsertMessages(Tx& tx, Way way, const std::vector<const Message*>& messages) {
  if (messages.empty()) return absl::OkStatus();
  if (way == Way::kCopy) {
    return tx.CopyRows("COPY messages FROM STDIN (FORMAT binary)", messages.size(),
                       [&](size_t i, BinaryRows& out) { WriteMessage(*messages[i], out); });
  }
  RowArray rows;
  for (const Message* m : messages) WriteMessage(*m, rows);
  return tx.Query(kInsertMessages, {rows.Take()}).status();
}

Status UpdateMessages(Tx& tx, const std::vector<const Message*>& messages) {
  if (messages.empty()) return absl::OkStatus();
  RowArray rows;
  for (const Message* m : messages) WriteMessage(*m, rows);
  return tx.Query(kUpdateMessages, {rows.Take()}).status();
}

Status DeleteMessages(Tx& tx, const std::vector<MessageKey>& keys) {
  if (keys.empty()) return absl::OkStatus();
  std::vector<std::string> workspaces, channels, remotes;
  for (const MessageKey& key : keys) {
    workspaces.push_back(key.workspace_id);
    channels.push_back(key.channel_id);
    remotes.push_back(key.remote_key);
  }
  return tx.Query(kDeleteMessages, {Array(workspaces), Array(channels), Array(remotes)}).status();
}

Status InsertReactions(Tx& tx, const std::vector<std::pair<ReactionKey, std::string>>& reactions) {
  if (reactions.empty()) return absl::OkStatus();
  constexpr char kCopy[] =
      "COPY reactions (workspace_id, channel_id, activity_id, conversation_id) FROM STDIN (FORMAT binary)";
  return tx.CopyRows(kCopy, reactions.size(), [&](size_t i, BinaryRows& out) {
    const auto& [key, conversation_id] = reactions[i];
    out.Row(4);
    out.Uuid(key.workspace_id);
    out.Uuid(key.channel_id);
    out.Text(key.activity_id);
    out.Uuid(conversation_id);
  });
}

Status WriteEvents(Tx& tx, Way way, const Encoders& encoders, std::vector<Event> events,
                   const std::vector<StreamRecord>& records) {
  if (events.empty()) return db::OutboxTable::Append(tx, records);
  PARVIS_RETURN_IF_ERROR(NumberEvents(tx, events));
  if (way == Way::kCopy) {
    PARVIS_RETURN_IF_ERROR(tx.CopyRows(kCopyFeed, events.size(), [&](size_t i, BinaryRows& out) {
      const Event& event = events[i];
      out.Row(5);
      out.Uuid(event.conversation.workspace_id);
      out.Int8(event.sequence);
      out.Text(encoders.event(event));
      out.Time(event.time);
      out.Uuid(event.conversation.id);
    }));
    return db::OutboxTable::Append(tx, records);
  }
  std::vector<std::string> workspaces, payloads, conversations;
  std::vector<int64_t> sequences;
  for (const Event& event : events) {
    workspaces.push_back(event.conversation.workspace_id);
    sequences.push_back(event.sequence);
    payloads.push_back(encoders.event(event));
    conversations.push_back(event.conversation.id);
  }
  PARVIS_RETURN_IF_ERROR(tx.Query(kInsertFeed, {Array(workspaces), Array(sequences), db::BytesArray(payloads),
                                                Array(conversations)}).status());
  return db::OutboxTable::Append(tx, records);
}

}  // namespace parvis::inbox::storage
