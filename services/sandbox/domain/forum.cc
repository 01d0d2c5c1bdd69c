#include "sandbox/domain/forum.h"

namespace parvis::sandbox {

StatusOr<ItemPtr> Decide(World& world, const Item& queued, bool accept, const WriteContext& us,
                         const std::string& status) {
  const auto decided = world.Mark(queued.network, queued.id, accept ? "approve" : "delete", us,
                                  [&](Item& item) { item.status = accept ? kQueueAccepted : kQueueRejected; });
  PARVIS_RETURN_IF_ERROR(decided.status());
  if (!accept) return ItemPtr();
  return world.Create({.network = queued.network,
                       .kind = queued.kind,
                       .account = queued.account,
                       .parent = queued.parent,
                       .author_id = queued.author_id,
                       .author_name = queued.author_name,
                       .author_handle = queued.author_handle,
                       .text = queued.text,
                       .title = queued.title,
                       .status = status,
                       .extra = queued.extra,
                       .by_us = queued.by_us},
                      {.by = queued.by_us ? "us" : "audience", .digest = us.digest, .label = "from the queue"});
}

}  // namespace parvis::sandbox
