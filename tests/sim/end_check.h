// Whether everything has come to rest, and whether the inbox shows at the end what is on the networks.
#pragma once

#include <string>

#include "tests/sim/inbox_replica.h"
#include "tests/sim/sim_network.h"

namespace parvis::sim {

class EndCheck {
 public:
  // Every record of the bus has been applied by its group.
  bool Applied(const SimBus& bus, const Oracle& oracle) const;
  std::string WhatIsLeft(const SimBus& bus, const Oracle& oracle, const SimLedger& ledger) const;
  // Every comment of a person is there exactly once, with its last text, in its conversation and in order; every answer
  // of ours is one message and knows what became of it; the numbers of a conversation are those of its messages.
  void CheckInbox(Sim& sim, const SimNetwork& network, inbox::testing::MemoryStore& store,
                  const SimLedger& ledger) const;

 private:
  void CheckItem(Sim& sim, const Item& item, const SimChannel& channel, const std::vector<inbox::Message>& messages,
                 const SimLedger& ledger) const;
  void CheckConversation(Sim& sim, const inbox::Conversation& conversation, const std::vector<inbox::Message>& messages,
                         const SimLedger& ledger) const;
};

}  // namespace parvis::sim
