// What folding an activity and folding a delivery have in common: bringing a conversation up to date with one message.
#pragma once

#include "inbox/domain/workset.h"

namespace parvis::inbox {

// The message of this natural key; a new row that is not present yet when there is none.
Message& GetOrAddMessage(const MessageKey& key, Workset& work);
// Hidden or shown, whichever has the highest revision; hidden at a tie.
void TakeHidden(bool hidden, int64_t revision, Message& message);
// After `message` was changed from `before`: forgets a removed text, marks it for writing, brings its conversation's
// numbers up to date and adds the events. Does nothing when nothing changed.
void Settle(const Message& before, Message& message, Workset& work);
// Takes a message's share out of its conversation's numbers (or, with sign 1, puts it in).
void Count(const Message& message, int sign, Conversation& conversation);

}  // namespace parvis::inbox
