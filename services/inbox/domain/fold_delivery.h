// Folding what became of our deliveries into the messages they are about.
#pragma once

#include "inbox/domain/activity.h"
#include "inbox/domain/workset.h"

namespace parvis::inbox {

// An answer: its state, and, once delivered, its network's id. The same message may have been seen on the network
// already: then both become one, under the answer's id. A hide, unhide or delete that was delivered: the message's state.
void FoldDelivery(const DeliveryUpdate& update, Workset& work);

}  // namespace parvis::inbox
