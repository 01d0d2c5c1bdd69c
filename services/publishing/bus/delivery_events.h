// The event that tells others what became of a delivery, as a record of topic parvis.publishing.delivery.v1.
#pragma once

#include "platform/base/stream.h"
#include "publishing/domain/delivery.h"

namespace parvis::publishing {

inline constexpr char kDeliveryTopic[] = "parvis.publishing.delivery.v1";

// Key: the channel's id. The event's id depends only on (delivery, sequence): sent twice, it is the same event.
StreamRecord ToRecord(const DeliveryChanged& changed);

}  // namespace parvis::publishing
