#include "ingestion/bus/follow_posts.h"

#include "parvis/publishing/v1/events.pb.h"
#include "platform/base/ids.h"

namespace parvis::ingestion {

namespace pb = ::parvis::publishing::v1;

StatusOr<std::optional<PostChange>> ToPostChange(const StreamRecord& record) {
  pb::DeliveryEvent event;
  if (record.payload.empty() || !event.ParseFromString(record.payload)) {
    return MakeError(Code::kInvalidArgument, "RECORD_UNREADABLE", "the payload is no DeliveryEvent");
  }
  const pb::Delivery& delivery = event.delivery();
  if (delivery.state() != pb::DELIVERY_STATE_DELIVERED) return std::nullopt;
  const bool post = delivery.kind() == pb::DELIVERY_KIND_POST;
  if (!post && delivery.kind() != pb::DELIVERY_KIND_DELETE) return std::nullopt;
  if (!IsUuid(event.workspace_id()) || !IsUuid(delivery.channel_id())) {
    return MakeError(Code::kInvalidArgument, "RECORD_INCOMPLETE", "workspace_id or channel_id is no UUID");
  }
  PostChange change{.binding = {event.workspace_id(), delivery.channel_id()},
                    .network = delivery.network(),
                    .post_remote_id = post ? delivery.remote_id() : delivery.target_remote_id(),
                    .published = absl::FromUnixSeconds(delivery.delivered_time().seconds()),
                    .deleted = !post,
                    .first_in = {}};
  if (change.post_remote_id.empty()) return std::nullopt;  // the network did not say
  return change;
}

bus::Consumer::Options FollowOptions() {
  bus::Consumer::Options options;
  options.group = kFollowGroup;
  options.topics = {kDeliveryTopic};
  return options;
}

bus::Consumer::Handler MakeFollowHandler(MeasureStore& store,
                                         std::function<bool(const std::string& network)> counts_posts,
                                         const MeasureOptions& options, const Clock& clock,
                                         std::function<double()> uniform) {
  return [&store, counts_posts = std::move(counts_posts), options, &clock, uniform = std::move(uniform)](
             const StreamPositions& positions, const std::vector<bus::Received>& batch) -> Status {
    std::vector<PostChange> changes;
    for (const bus::Received& received : batch) {
      PARVIS_ASSIGN_OR_RETURN(std::optional<PostChange> change, ToPostChange(received.record));
      if (change) changes.push_back(*std::move(change));
    }
    return FollowPosts(positions, std::move(changes), counts_posts, options, clock, uniform, store);
  };
}

}  // namespace parvis::ingestion
