#include "inbox/storage/conversation_store.h"

#include <algorithm>
#include <tuple>

#include "inbox/storage/change.h"
#include "inbox/storage/rows.h"

namespace parvis::inbox::storage {
namespace {

using db::Rows;
using db::Tx;

std::string ConversationName(const Call& call, const std::string& id) {
  return "workspaces/" + call.workspace_id + "/conversations/" + id;
}

// Collects the conditions of a list. The text is put together from constants only, so there are few different ones and
// each is prepared once.
class Select {
 public:
  Select(const char* columns, const char* from, const std::string& workspace_id, char alias)
      : sql_(std::string("SELECT ") + columns + " FROM " + from + " WHERE " + alias + ".workspace_id = $1") {
    params_.push_back(workspace_id);
  }
  // A condition without parameters, or with the next one or two as "$".
  Select& And(std::string_view condition, std::initializer_list<db::Param> params = {}) {
    auto next = params.begin();
    sql_ += " AND ";
    for (const char c : condition) {
      sql_ += c;
      if (c != '$') continue;
      params_.push_back(*next++);
      sql_ += std::to_string(params_.size());
    }
    return *this;
  }
  StatusOr<Rows> Run(Tx& tx, const char* order, int limit) {
    Limit(order, limit);
    return tx.Query(sql_.c_str(), params_);
  }
  // As Run, with the number of the workspace's latest event behind the columns of `columns`: one round trip, one
  // snapshot. Without a row to carry it, the number stands beside nulls. The rows come in the order of the list, as the
  // join has one row on the other side; SQL does not promise it, so who needs the order looks.
  StatusOr<Rows> RunWithSequence(Tx& tx, const char* columns, const char* order, int limit) {
    Limit(order, limit);
    sql_ = std::string("SELECT ") + columns +
           ", f.last_sequence FROM "
           "(SELECT (SELECT last_sequence FROM feeds WHERE workspace_id = $1) AS last_sequence) f "
           "LEFT JOIN LATERAL (" +
           sql_ + ") c ON true";
    return tx.Query(sql_.c_str(), params_);
  }

 private:
  void Limit(const char* order, int limit) {
    params_.push_back(limit);
    sql_ += std::string(" ORDER BY ") + order + " LIMIT $" + std::to_string(params_.size());
  }
  std::string sql_;
  std::vector<db::Param> params_;
};

// Literals, not parameters, where a partial index depends on it.
const char* StateCondition(const std::optional<State>& state) {
  if (!state) return "c.state <> 0";
  return *state == State::kOpen ? "c.state = 1" : "c.state = 2";
}

void ApplyFilter(const ConversationFilter& f, Select& select) {
  select.And(StateCondition(f.state));
  if (f.assignee)
    f.assignee->empty() ? select.And("c.assignee = ''")
                        : select.And("c.assignee = $ AND c.assignee <> ''", {*f.assignee});
  if (!f.channel_id.empty()) select.And("c.channel_id = $", {f.channel_id});
  if (!f.language.empty()) select.And("c.language = $", {f.language});
  if (f.kind) select.And("c.kind = $", {static_cast<int64_t>(*f.kind)});
}

// The channel of a conversation, which its messages are partitioned by. NOT_FOUND.
StatusOr<std::string> ChannelOf(Tx& tx, const Call& call, const std::string& id) {
  PARVIS_ASSIGN_OR_RETURN(
      const Rows rows,
      tx.Query("SELECT channel_id FROM conversations WHERE workspace_id = $1 AND id = $2 AND state <> 0",
               {call.workspace_id, id}));
  if (rows.empty()) return NotFound(ConversationName(call, id));
  return rows.Text(0, 0);
}

}  // namespace

PgConversationStore::PgConversationStore(db::Pool& api, Encoders encoders, std::function<void()> changed)
    : api_(api), encoders_(std::move(encoders)), changed_(std::move(changed)) {}

StatusOr<Conversation> PgConversationStore::Change(const Call& call, const EditScope& scope,
                                                   const std::function<Status(Edit&)>& edit_fn) {
  Conversation result;
  bool wrote = false;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(Edit edit, LoadEdit(tx, call, scope));
    PARVIS_RETURN_IF_ERROR(edit_fn(edit));
    wrote = !edit.events.empty();
    PARVIS_RETURN_IF_ERROR(SaveEdit(tx, call, encoders_, edit));
    result = std::move(edit.conversation);
    return absl::OkStatus();
  }));
  if (wrote) changed_();
  return result;
}

StatusOr<ConversationPage> PgConversationStore::ListConversations(const Call& call, const ConversationFilter& filter,
                                                                  const std::optional<ConversationPosition>& after,
                                                                  int limit) {
  ConversationPage page;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](Tx& tx) -> Status {
    page = {};
    Select select(kConversationColumns, "conversations c", call.workspace_id, 'c');
    ApplyFilter(filter, select);
    if (after) select.And("(c.last_message_time, c.id) < ($, $)", {after->last_message_time, after->id});
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, select.RunWithSequence(tx, kConversationColumns,
                                                                    "c.last_message_time DESC, c.id DESC", limit));
    page.sequence = rows.Int(0, kConversationWidth);
    if (rows.IsNull(0, 0)) return absl::OkStatus();
    page.conversations.reserve(static_cast<size_t>(rows.size()));
    for (int i = 0; i < rows.size(); ++i) page.conversations.push_back(ReadConversation(rows, i));
    const auto later = [](const Conversation& a, const Conversation& b) {
      return std::tie(a.last_message_time, a.id) > std::tie(b.last_message_time, b.id);
    };
    if (!std::is_sorted(page.conversations.begin(), page.conversations.end(), later)) {
      std::sort(page.conversations.begin(), page.conversations.end(), later);
    }
    return absl::OkStatus();
  }));
  return page;
}

StatusOr<Conversation> PgConversationStore::GetConversation(const Call& call, const std::string& id) {
  Conversation result;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](Tx& tx) -> Status {
    Select select(kConversationColumns, "conversations c", call.workspace_id, 'c');
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, select.And("c.id = $", {id}).And("c.state <> 0").Run(tx, "c.id", 1));
    if (rows.empty()) return NotFound(ConversationName(call, id));
    result = ReadConversation(rows, 0);
    return absl::OkStatus();
  }));
  return result;
}

StatusOr<std::vector<Message>> PgConversationStore::ListMessages(const Call& call, const std::string& conversation_id,
                                                                 const std::optional<MessagePosition>& after,
                                                                 int limit) {
  std::vector<Message> messages;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](Tx& tx) -> Status {
    messages.clear();
    PARVIS_ASSIGN_OR_RETURN(const std::string channel, ChannelOf(tx, call, conversation_id));
    Select select(kMessageColumns, "messages m", call.workspace_id, 'm');
    select.And("m.channel_id = $", {channel}).And("m.conversation_id = $", {conversation_id}).And("m.present");
    if (after) select.And("(m.occurred_at, m.order_key) > ($, $)", {after->occurred_at, after->order_key});
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, select.Run(tx, "m.occurred_at, m.order_key", limit));
    for (int i = 0; i < rows.size(); ++i) messages.push_back(ReadMessage(rows, i));
    return absl::OkStatus();
  }));
  return messages;
}

StatusOr<std::vector<Note>> PgConversationStore::ListNotes(const Call& call, const std::string& conversation_id,
                                                           const std::optional<TimePosition>& after, int limit) {
  std::vector<Note> notes;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](Tx& tx) -> Status {
    notes.clear();
    PARVIS_RETURN_IF_ERROR(ChannelOf(tx, call, conversation_id).status());
    Select select(kNoteColumns, "notes n", call.workspace_id, 'n');
    select.And("n.conversation_id = $", {conversation_id});
    if (after) select.And("(n.create_time, n.id) > ($, $)", {after->time, after->id});
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, select.Run(tx, "n.create_time, n.id", limit));
    for (int i = 0; i < rows.size(); ++i) notes.push_back(ReadNote(rows, i));
    return absl::OkStatus();
  }));
  return notes;
}

StatusOr<Case> PgConversationStore::GetCase(const Call& call, const std::string& id) {
  Case result;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](Tx& tx) -> Status {
    Select select(kCaseColumns, "cases k", call.workspace_id, 'k');
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, select.And("k.id = $", {id}).Run(tx, "k.id", 1));
    if (rows.empty()) return NotFound("workspaces/" + call.workspace_id + "/cases/" + id);
    result = ReadCase(rows, 0);
    return absl::OkStatus();
  }));
  return result;
}

StatusOr<std::vector<Case>> PgConversationStore::ListCases(const Call& call, const CaseFilter& filter,
                                                           const std::optional<TimePosition>& after, int limit) {
  std::vector<Case> cases;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](Tx& tx) -> Status {
    cases.clear();
    Select select(kCaseColumns, "cases k", call.workspace_id, 'k');
    if (filter.state) select.And("k.state = $", {static_cast<int64_t>(*filter.state)});
    if (!filter.owner.empty()) select.And("k.owner = $", {filter.owner});
    if (after) select.And("(k.due_time, k.id) > ($, $)", {after->time, after->id});
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, select.Run(tx, "k.due_time, k.id", limit));
    for (int i = 0; i < rows.size(); ++i) cases.push_back(ReadCase(rows, i));
    return absl::OkStatus();
  }));
  return cases;
}

}  // namespace parvis::inbox::storage
