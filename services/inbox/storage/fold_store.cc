#include "inbox/storage/fold_store.h"

#include "inbox/storage/rows.h"
#include "platform/db/stream_tables.h"

namespace parvis::inbox::storage {
namespace {

using db::Array;
using db::Rows;
using db::Tx;

// A sub-select with FOR UPDATE is not flattened: one index look-up per key, in the order of the keys, which is the
// order of locking.
const std::string kLockConversations =
    std::string("SELECT ") + kConversationColumns + " FROM unnest($1::uuid[], $2::uuid[]) k(w, i) CROSS JOIN LATERAL "
    "(SELECT * FROM conversations WHERE workspace_id = k.w AND id = k.i FOR UPDATE) c";
const std::string kLockMessages =
    std::string("SELECT ") + kMessageColumns + " FROM unnest($1::uuid[], $2::uuid[], $3::text[]) k(w, ch, r) "
    "CROSS JOIN LATERAL (SELECT * FROM messages WHERE workspace_id = k.w AND channel_id = k.ch AND remote_key = k.r "
    "FOR UPDATE) m";
// Without locks: which messages are known and which conversations they concern (kind 1), which conversations there are
// (2), and the database's time (0). Most news is new, so the row locks are asked for the known only; what another
// transaction adds meanwhile makes this one fail by its primary key. A row a key, compared with =: that is always a
// descent of the index. `= ANY` of a channel's keys may instead be tried on all that the channel has, which is what a
// planner chooses who knows of no rows yet: a new cluster took a fifth of the comments until its first ANALYZE.
constexpr char kKnown[] =
    "SELECT 1, k.n, m.conversation_id, NULL::timestamptz "
    "FROM unnest($1::uuid[], $2::uuid[], $3::text[]) WITH ORDINALITY k(w, ch, r, n) "
    "CROSS JOIN LATERAL (SELECT conversation_id FROM messages WHERE workspace_id = k.w AND channel_id = k.ch "
    "AND remote_key = k.r LIMIT 1) m "
    "UNION ALL SELECT 2, k.n, NULL, NULL FROM unnest($4::uuid[], $5::uuid[]) WITH ORDINALITY k(w, i, n) "
    "CROSS JOIN LATERAL (SELECT FROM conversations WHERE workspace_id = k.w AND id = k.i LIMIT 1) c "
    "UNION ALL SELECT 0, 0, NULL, clock_timestamp()";
constexpr char kKnownReactions[] =
    "SELECT r.workspace_id, r.channel_id, r.activity_id FROM unnest($1::uuid[], $2::uuid[], $3::text[]) k(w, ch, a) "
    "CROSS JOIN LATERAL (SELECT * FROM reactions WHERE workspace_id = k.w AND channel_id = k.ch AND activity_id = k.a "
    "LIMIT 1) r";
constexpr char kSummaries[] =
    "SELECT k.w, k.c, l.occurred_at, l.order_key, l.text, f.occurred_at, f.order_key, f.author_remote_id, "
    "f.author_name, f.author_handle, o.occurred_at, a.occurred_at, p.occurred_at "
    "FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) k(w, c, ch) "
    "LEFT JOIN LATERAL (SELECT * FROM messages WHERE workspace_id = k.w AND channel_id = k.ch AND "
    "  conversation_id = k.c AND present ORDER BY occurred_at DESC, order_key DESC LIMIT 1) l ON true "
    "LEFT JOIN LATERAL (SELECT * FROM messages WHERE workspace_id = k.w AND channel_id = k.ch AND "
    "  conversation_id = k.c AND present AND NOT by_us ORDER BY occurred_at, order_key LIMIT 1) f ON true "
    "LEFT JOIN LATERAL (SELECT occurred_at FROM messages WHERE workspace_id = k.w AND channel_id = k.ch AND "
    "  conversation_id = k.c AND present AND by_us AND delivery_state IN (0, 2) "
    "  ORDER BY occurred_at DESC LIMIT 1) o ON true "
    "LEFT JOIN LATERAL (SELECT occurred_at FROM messages WHERE workspace_id = k.w AND channel_id = k.ch AND "
    "  conversation_id = k.c AND present AND by_us AND delivery_state IN (0, 2) AND occurred_at >= f.occurred_at "
    "  ORDER BY occurred_at LIMIT 1) a ON true "
    "LEFT JOIN LATERAL (SELECT occurred_at FROM messages WHERE workspace_id = k.w AND channel_id = k.ch AND "
    "  conversation_id = k.c AND present AND NOT by_us AND occurred_at > coalesce(o.occurred_at, '-infinity') "
    "  ORDER BY occurred_at LIMIT 1) p ON true";

struct Columns3 {
  std::vector<std::string> a, b, c;
};

Columns3 ColumnsOf(const std::set<MessageKey>& keys) {
  Columns3 out;
  for (const MessageKey& key : keys) {
    out.a.push_back(key.workspace_id);
    out.b.push_back(key.channel_id);
    out.c.push_back(key.remote_key);
  }
  return out;
}

Status LockConversations(Tx& tx, const std::set<ConversationKey>& keys, Workset& work) {
  if (keys.empty()) return absl::OkStatus();
  std::vector<std::string> workspaces, ids;
  for (const ConversationKey& key : keys) {
    workspaces.push_back(key.workspace_id);
    ids.push_back(key.id);
  }
  PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query(kLockConversations.c_str(), {Array(workspaces), Array(ids)}));
  for (int i = 0; i < rows.size(); ++i) work.Load(ReadConversation(rows, i));
  return absl::OkStatus();
}

struct Known {
  std::set<MessageKey> messages;
  std::set<ConversationKey> conversations;   // of deliveries, they are learnt from their messages
  absl::Time now;
};

StatusOr<Known> LookUp(Tx& tx, const FoldKeys& keys) {
  const Columns3 messages = ColumnsOf(keys.messages);
  std::vector<std::string> workspaces, ids;
  for (const ConversationKey& key : keys.conversations) {
    workspaces.push_back(key.workspace_id);
    ids.push_back(key.id);
  }
  PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query(kKnown, {Array(messages.a), Array(messages.b), Array(messages.c),
                                                             Array(workspaces), Array(ids)}));
  Known out;
  for (int i = 0; i < rows.size(); ++i) {
    const int64_t kind = rows.Int(i, 0), n = rows.Int(i, 1) - 1;
    if (kind == 0) out.now = rows.Time(i, 3);
    if (kind == 1) out.messages.insert({messages.a[n], messages.b[n], messages.c[n]});
    if (kind == 1 && !rows.IsNull(i, 2)) out.conversations.insert({messages.a[n], rows.Text(i, 2)});
    if (kind == 2) out.conversations.insert({workspaces[n], ids[n]});
  }
  return out;
}

Status ApplySummaries(Tx& tx, Workset& work) {
  std::vector<std::string> workspaces, ids, channels;
  for (const ConversationKey& key : work.rechecks()) {
    workspaces.push_back(key.workspace_id);
    ids.push_back(key.id);
    channels.push_back(work.conversations().at(key).value.channel_id);
  }
  if (ids.empty()) return absl::OkStatus();
  PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query(kSummaries, {Array(workspaces), Array(ids), Array(channels)}));
  for (int i = 0; i < rows.size(); ++i) {
    Summary s;
    s.any = !rows.IsNull(i, 2);
    s.last_message_time = rows.MaybeTime(i, 2);
    s.last_key = rows.Text(i, 3);
    s.last_text = rows.Text(i, 4);
    s.first_message_time = rows.MaybeTime(i, 5);
    s.first_key = rows.Text(i, 6);
    s.person = {rows.Text(i, 7), rows.Text(i, 8), rows.Text(i, 9)};
    s.last_ours_time = rows.MaybeTime(i, 10);
    s.first_response_time = rows.MaybeTime(i, 11);
    s.waiting_since_time = rows.MaybeTime(i, 12);
    ApplySummary(s, work.conversations().at({rows.Text(i, 0), rows.Text(i, 1)}).value);
  }
  return absl::OkStatus();
}

}  // namespace

PgFoldStore::PgFoldStore(db::Pool& stream, Encoders encoders, std::function<void()> changed)
    : stream_(stream), encoders_(std::move(encoders)), changed_(std::move(changed)) {}

Status PgFoldStore::Apply(const StreamPositions& positions, const FoldKeys& keys,
                          const std::function<void(Workset&)>& fold) {
  bool wrote = false;
  const Status status = stream_.Run(BackgroundCall("inbox"), [&](Tx& tx) -> Status {
    wrote = false;
    // First, so that a zombie stops here and a newer owner waits for our end.
    PARVIS_RETURN_IF_ERROR(db::OffsetTable::Advance(tx, positions));
    if (keys.messages.empty() && keys.conversations.empty() && keys.reactions.empty()) return absl::OkStatus();
    Workset work;
    PARVIS_RETURN_IF_ERROR(Load(tx, keys, work));
    fold(work);
    PARVIS_ASSIGN_OR_RETURN(wrote, Save(tx, work));
    return absl::OkStatus();
  });
  if (status.ok() && wrote) changed_();
  // Another partition stored a row of the same natural key meanwhile: the next try finds it.
  if (ReasonOf(status) == "UNIQUE_VIOLATION") return MakeError(Code::kAborted, "DB_CONFLICT", "two batches met");
  return status;
}

Status PgFoldStore::Load(Tx& tx, const FoldKeys& keys, Workset& work) {
  PARVIS_ASSIGN_OR_RETURN(const Known known, LookUp(tx, keys));
  work.set_now(known.now);
  PARVIS_RETURN_IF_ERROR(LockConversations(tx, known.conversations, work));
  if (const Columns3 k = ColumnsOf(known.messages); !k.a.empty()) {
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query(kLockMessages.c_str(), {Array(k.a), Array(k.b), Array(k.c)}));
    for (int i = 0; i < rows.size(); ++i) {
      Message m = ReadMessage(rows, i);
      if (!m.conversation_id.empty() && !known.conversations.contains({m.workspace_id, m.conversation_id})) {
        return MakeError(Code::kAborted, "DB_CONFLICT", "a message moved while its conversation was being locked");
      }
      work.Load(std::move(m));
    }
  }
  if (!keys.reactions.empty()) {
    Columns3 reactions;
    for (const ReactionKey& key : keys.reactions) {
      reactions.a.push_back(key.workspace_id);
      reactions.b.push_back(key.channel_id);
      reactions.c.push_back(key.activity_id);
    }
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query(kKnownReactions, {Array(reactions.a), Array(reactions.b),
                                                                        Array(reactions.c)}));
    for (int i = 0; i < rows.size(); ++i) work.LoadReaction({rows.Text(i, 0), rows.Text(i, 1), rows.Text(i, 2)});
  }
  return absl::OkStatus();
}

StatusOr<bool> PgFoldStore::Save(Tx& tx, Workset& work) {
  std::vector<const Message*> inserted, updated;
  for (const auto& [key, entry] : work.messages()) {
    if (entry.dirty) (entry.stored ? updated : inserted).push_back(&entry.value);
  }
  PARVIS_RETURN_IF_ERROR(DeleteMessages(tx, work.erased()));
  PARVIS_RETURN_IF_ERROR(InsertMessages(tx, Way::kCopy, inserted));
  PARVIS_RETURN_IF_ERROR(UpdateMessages(tx, updated));
  PARVIS_RETURN_IF_ERROR(InsertReactions(tx, work.new_reactions()));
  PARVIS_RETURN_IF_ERROR(ApplySummaries(tx, work));
  std::vector<const Conversation*> begun, changed;
  for (auto& [key, entry] : work.conversations()) {
    if (!entry.dirty) continue;
    ++entry.value.version;
    (entry.stored ? changed : begun).push_back(&entry.value);
  }
  PARVIS_RETURN_IF_ERROR(InsertConversations(tx, begun));
  PARVIS_RETURN_IF_ERROR(UpdateConversations(tx, changed));
  std::vector<Event> events = work.TakeEvents();
  const bool any = !events.empty();
  PARVIS_RETURN_IF_ERROR(WriteEvents(tx, Way::kCopy, encoders_, std::move(events), {}));
  return any;
}

}  // namespace parvis::inbox::storage
