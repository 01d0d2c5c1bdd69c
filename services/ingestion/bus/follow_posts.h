// The consumer group ingestion.follow: posts that were delivered are measured from then on, deleted ones no more.
#pragma once

#include <functional>
#include <optional>

#include "ingestion/domain/measure.h"
#include "platform/bus/consumer.h"

namespace parvis::ingestion {

inline constexpr char kDeliveryTopic[] = "parvis.publishing.delivery.v1", kFollowGroup[] = "ingestion.follow";

// What a delivery's event means for measuring; nothing for most. INVALID_ARGUMENT RECORD_UNREADABLE, or
// RECORD_INCOMPLETE when an id is missing: the consumer puts such a record to the dead letters.
StatusOr<std::optional<PostChange>> ToPostChange(const StreamRecord& record);

bus::Consumer::Options FollowOptions();
// Everything given outlives the handler.
bus::Consumer::Handler MakeFollowHandler(MeasureStore& store,
                                         std::function<bool(const std::string& network)> counts_posts,
                                         const MeasureOptions& options, const Clock& clock,
                                         std::function<double()> uniform);

}  // namespace parvis::ingestion
