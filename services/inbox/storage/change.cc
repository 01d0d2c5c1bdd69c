#include "inbox/storage/change.h"

#include "inbox/domain/claim.h"
#include "inbox/storage/rows.h"

namespace parvis::inbox::storage {
namespace {

using db::Rows;
using db::Tx;

const std::string kLock = std::string("SELECT ") + kConversationColumns +
    " FROM conversations c WHERE c.workspace_id = $1 AND c.id = $2 AND c.state <> 0 FOR UPDATE";
const std::string kTargetById = std::string("SELECT ") + kMessageColumns +
    " FROM messages m WHERE m.workspace_id = $1 AND m.channel_id = $2 AND m.conversation_id = $3 AND m.present "
    "AND m.id = $4";
const std::string kLatestOfPerson = std::string("SELECT ") + kMessageColumns +
    " FROM messages m WHERE m.workspace_id = $1 AND m.channel_id = $2 AND m.conversation_id = $3 AND m.present "
    "AND NOT m.by_us AND NOT m.removed ORDER BY m.occurred_at DESC, m.order_key DESC LIMIT 1";
const std::string kOldMessage = std::string("SELECT ") + kMessageColumns +
    " FROM messages m WHERE m.workspace_id = $1 AND m.id = $2 AND m.written_here";
const std::string kOldNote = std::string("SELECT ") + kNoteColumns +
    " FROM notes n WHERE n.workspace_id = $1 AND n.id = $2";
const std::string kCase = std::string("SELECT ") + kCaseColumns +
    " FROM cases k WHERE k.workspace_id = $1 AND k.id = $2";
constexpr char kInsertNote[] =
    "INSERT INTO notes (workspace_id, id, conversation_id, member_id, text, create_time) "
    "VALUES ($1, $2, $3, $4, $5, $6)";
constexpr char kUpsertCase[] =
    "INSERT INTO cases (workspace_id, id, conversation_id, title, owner, state, due_time, escalation_count, "
    "escalation_reason, escalation_request, resolution, create_time, resolve_time) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) "
    "ON CONFLICT (workspace_id, id) DO UPDATE SET owner = excluded.owner, state = excluded.state, "
    "due_time = excluded.due_time, escalation_count = excluded.escalation_count, "
    "escalation_reason = excluded.escalation_reason, escalation_request = excluded.escalation_request, "
    "resolution = excluded.resolution, resolve_time = excluded.resolve_time";

Status LoadTarget(Tx& tx, const EditScope& scope, Edit& edit) {
  if (scope.target == EditScope::Target::kNone) return absl::OkStatus();
  const Conversation& c = edit.conversation;
  std::vector<db::Param> params = {c.workspace_id, c.channel_id, c.id};
  const bool by_id = scope.target == EditScope::Target::kById;
  if (by_id) params.push_back(scope.target_id);
  PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query(by_id ? kTargetById.c_str() : kLatestOfPerson.c_str(), params));
  if (!rows.empty()) edit.target = ReadMessage(rows, 0);
  return absl::OkStatus();
}

// What the same request may have created before.
Status LoadOld(Tx& tx, const std::string& workspace_id, const std::string& created_id, Edit& edit) {
  if (created_id.empty()) return absl::OkStatus();
  PARVIS_ASSIGN_OR_RETURN(const Rows message, tx.Query(kOldMessage.c_str(), {workspace_id, created_id}));
  if (!message.empty()) edit.old_message = ReadMessage(message, 0);
  PARVIS_ASSIGN_OR_RETURN(const Rows note, tx.Query(kOldNote.c_str(), {workspace_id, created_id}));
  if (!note.empty()) edit.old_note = ReadNote(note, 0);
  PARVIS_ASSIGN_OR_RETURN(const Rows the_case, tx.Query(kCase.c_str(), {workspace_id, created_id}));
  if (!the_case.empty()) edit.old_case = ReadCase(the_case, 0);
  return absl::OkStatus();
}

Status SaveCase(Tx& tx, const Case& k) {
  return tx.Query(kUpsertCase, {k.workspace_id, k.id, k.conversation_id, k.title, k.owner,
                                static_cast<int64_t>(k.state), k.due_time, k.escalation_count, k.escalation_reason,
                                k.escalation_request, k.resolution, k.create_time, k.resolve_time}).status();
}

}  // namespace

StatusOr<Edit> LoadEdit(Tx& tx, const Call& call, const EditScope& scope) {
  const std::string& workspace = call.workspace_id;
  std::string conversation_id = scope.conversation_id;
  if (conversation_id.empty()) {
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query(kCase.c_str(), {workspace, scope.case_id}));
    if (rows.empty()) return NotFound("workspaces/" + workspace + "/cases/" + scope.case_id);
    conversation_id = ReadCase(rows, 0).conversation_id;
  }
  Edit edit;
  PARVIS_ASSIGN_OR_RETURN(const Rows locked, tx.Query(kLock.c_str(), {workspace, conversation_id}));
  if (locked.empty()) return NotFound("workspaces/" + workspace + "/conversations/" + conversation_id);
  edit.conversation = ReadConversation(locked, 0);
  // Read after the lock was obtained: a lease that ran out while waiting has run out.
  PARVIS_ASSIGN_OR_RETURN(const Rows now, tx.Query("SELECT clock_timestamp()"));
  edit.now = now.Time(0, 0);
  if (!scope.case_id.empty()) {
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query(kCase.c_str(), {workspace, scope.case_id}));
    if (rows.empty()) return NotFound("workspaces/" + workspace + "/cases/" + scope.case_id);
    edit.the_case = ReadCase(rows, 0);
  }
  PARVIS_RETURN_IF_ERROR(LoadTarget(tx, scope, edit));
  PARVIS_RETURN_IF_ERROR(LoadOld(tx, workspace, scope.created_id, edit));
  return edit;
}

Status SaveEdit(Tx& tx, const Call& call, const Encoders& encoders, Edit& edit) {
  if (edit.events.empty()) return absl::OkStatus();
  PARVIS_ASSIGN_OR_RETURN(const std::string actor, ActorOf(call));
  ++edit.conversation.version;
  PARVIS_RETURN_IF_ERROR(UpdateConversations(tx, {&edit.conversation}));
  if (edit.new_message) PARVIS_RETURN_IF_ERROR(InsertMessages(tx, Way::kInsert, {&*edit.new_message}));
  if (edit.the_case) PARVIS_RETURN_IF_ERROR(SaveCase(tx, *edit.the_case));
  if (const auto& n = edit.new_note) {
    PARVIS_RETURN_IF_ERROR(tx.Query(kInsertNote, {n->workspace_id, n->id, n->conversation_id, n->member_id, n->text,
                                                  n->create_time}).status());
  }
  std::vector<Event> events;
  for (const auto& [type, message] : edit.events) {
    Event event;
    event.type = type;
    event.time = edit.now;
    event.member_id = actor;
    event.conversation = edit.conversation;
    event.message = message;
    events.push_back(std::move(event));
  }
  std::vector<StreamRecord> records;
  if (edit.delivery) records.push_back(encoders.delivery(*edit.delivery));
  return WriteEvents(tx, Way::kInsert, encoders, std::move(events), records);
}

}  // namespace parvis::inbox::storage
