// Conversations, messages, notes and cases as rows: which columns, in which order, and both directions of translation.
// The order is that of the tables (V001__inbox.sql), so that a row can be cast to its table's type.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "inbox/domain/conversation.h"
#include "platform/db/pool.h"

namespace parvis::inbox::storage {

// Column lists with a table alias: "c.workspace_id, c.id, ...".
extern const char kConversationColumns[];
inline constexpr int kConversationWidth = 37;  // how many columns that is; what a statement adds comes behind them
extern const char kMessageColumns[];
extern const char kNoteColumns[];
extern const char kCaseColumns[];

Conversation ReadConversation(const db::Rows& rows, int row);
Message ReadMessage(const db::Rows& rows, int row);
Note ReadNote(const db::Rows& rows, int row);
Case ReadCase(const db::Rows& rows, int row);

// Calls `sink` with the row's values in table order.
using RowSink = std::function<void(std::initializer_list<db::Param>)>;
void WriteConversation(const Conversation& conversation, const RowSink& sink);
void WriteMessage(const Message& message, const RowSink& sink);

// Rows as one parameter `$1::conversations[]`, for `unnest`. Used where rows are updated; new ones go by COPY.
class RowArray {
 public:
  void Add(std::initializer_list<db::Param> values);
  RowSink Sink() {
    return [this](std::initializer_list<db::Param> values) { Add(values); };
  }
  bool empty() const { return rows_.empty(); }
  db::Param Take() const { return db::Array(rows_); }

 private:
  std::vector<std::string> rows_;
};

std::optional<absl::Time> MaybeTime(const db::Rows& rows, int row, int column);
// An id that may be missing, as a uuid parameter.
inline db::Param MaybeId(const std::string& id) { return id.empty() ? db::Param(std::nullopt) : db::Param(id); }

}  // namespace parvis::inbox::storage
