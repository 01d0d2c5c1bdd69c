// Conversations, messages, notes and cases as rows: which columns, in which order, and both directions of translation.
// The order is that of the tables (V001__inbox.sql), so that a row can be cast to its table's type.
#pragma once

#include <optional>
#include <string>
#include <string_view>
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

// Rows as one parameter `$1::conversations[]`, for `unnest`. Written like db::BinaryRows. Used where rows are updated, and
// by the api role; new ones go by COPY.
class RowArray {
 public:
  void Row(int columns);
  void Null();
  void Uuid(std::string_view text) { Put(text); }
  void MaybeUuid(std::string_view text) { text.empty() ? Null() : Put(text); }
  void Text(std::string_view text) { Put(text); }
  void Int2(int64_t value) { Int8(value); }
  void Int8(int64_t value);
  void Bool(bool value) { Put(value ? "t" : "f"); }
  void Time(absl::Time time);
  void Time(const std::optional<absl::Time>& time) { time ? Time(*time) : Null(); }
  void TextArray(const std::vector<std::string_view>& values);
  bool empty() const { return rows_.empty(); }
  db::Param Take();

 private:
  void Put(std::string_view value);
  void Separate();
  std::vector<std::string> rows_;
  bool first_ = true;
};

// Writes one row, in the table's order. `Rows` is db::BinaryRows or RowArray.
template <class Rows>
void WriteConversation(const Conversation& conversation, Rows& to);
template <class Rows>
void WriteMessage(const Message& message, Rows& to);

// An id that may be missing, as a uuid parameter.
inline db::Param MaybeId(const std::string& id) { return id.empty() ? db::Param(std::nullopt) : db::Param(id); }

}  // namespace parvis::inbox::storage
