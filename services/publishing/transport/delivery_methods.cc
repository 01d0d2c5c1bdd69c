#include "publishing/transport/delivery_methods.h"

#include <algorithm>
#include <charconv>

#include "platform/base/ids.h"
#include "publishing/domain/deliver.h"
#include "publishing/domain/settle_delivery.h"
#include "publishing/transport/campaign_methods.h"
#include "publishing/transport/convert.h"
#include "publishing/transport/paging.h"

namespace parvis::publishing {
namespace {

constexpr char kDeliveryPattern[] = "workspaces/*/deliveries/*";

// The last id of a name below the call's workspace; "" stays "".
StatusOr<std::string> Filter(const Call& call, const char* field, const std::string& name, const char* pattern) {
  if (name.empty()) return std::string();
  PARVIS_ASSIGN_OR_RETURN(const auto ids, rpc::ParseName(field, name, pattern));
  if (ids[0] != call.workspace_id) return InvalidField(field, "OTHER_WORKSPACE", "must belong to the same workspace");
  return ids[1];
}

}  // namespace

Status DeliverMethod(const Call& call, const PostContext& posts, DeliveryStore& store, const v1::DeliverRequest& request,
                     v1::Delivery& response) {
  PARVIS_RETURN_IF_ERROR(rpc::ParseName("parent", request.parent(), "workspaces/*").status());
  PARVIS_RETURN_IF_ERROR(rpc::CheckRequestId(request.request_id()));
  if (!IsUuid(request.channel_id())) return InvalidField("channel_id", "CHANNEL_ID", "must be the id of a channel");
  DeliverRequest asked;
  asked.kind = static_cast<DeliveryKind>(request.kind());   // the numbers are the same
  if (std::ranges::find(kDeliveryKinds, asked.kind) == std::end(kDeliveryKinds)) {
    return InvalidField("kind", "REQUIRED", "must be a kind of delivery that this version knows");
  }
  asked.channel_id = request.channel_id();
  asked.target_remote_id = request.target_remote_id();
  asked.target_author_id = request.target_author_id();
  asked.post_remote_id = request.post_remote_id();
  asked.thread = request.thread();
  asked.text = request.text();
  asked.request_id = request.request_id();
  PARVIS_ASSIGN_OR_RETURN(const Delivery delivery, Deliver(call, posts, store, asked));
  response = ToProto(delivery);
  return absl::OkStatus();
}

Status GetDeliveryMethod(const Call& call, DeliveryStore& store, const v1::GetDeliveryRequest& request,
                         v1::Delivery& response) {
  PARVIS_ASSIGN_OR_RETURN(const auto ids, rpc::ParseName("name", request.name(), kDeliveryPattern));
  PARVIS_ASSIGN_OR_RETURN(const Delivery delivery, store.GetDelivery(call, ids[1]));
  response = ToProto(delivery);
  return absl::OkStatus();
}

Status ListDeliveriesMethod(const Call& call, DeliveryStore& store, const v1::ListDeliveriesRequest& request,
                            v1::ListDeliveriesResponse& response) {
  PARVIS_RETURN_IF_ERROR(rpc::ParseName("parent", request.parent(), "workspaces/*").status());
  PARVIS_ASSIGN_OR_RETURN(const Page page, PageOf(request, kPageDefault, kPageMax));
  DeliveryFilter filter;
  if (request.state() != v1::DELIVERY_STATE_UNSPECIFIED) filter.state = static_cast<DeliveryState>(request.state());
  if (request.kind() != v1::DELIVERY_KIND_UNSPECIFIED) filter.kind = static_cast<DeliveryKind>(request.kind());
  PARVIS_ASSIGN_OR_RETURN(filter.campaign_id, Filter(call, "campaign", request.campaign(), "workspaces/*/campaigns/*"));
  PARVIS_ASSIGN_OR_RETURN(filter.post_id, Filter(call, "post", request.post(), "workspaces/*/posts/*"));
  if (!request.channel_id().empty() && !IsUuid(request.channel_id())) {
    return InvalidField("channel_id", "CHANNEL_ID", "must be the id of a channel");
  }
  filter.channel_id = request.channel_id();
  filter.needs_human = request.needs_human();
  PARVIS_ASSIGN_OR_RETURN(std::vector<Delivery> list, store.ListDeliveries(call, filter, page));
  if (static_cast<int>(list.size()) == page.size) {
    list.pop_back();
    response.set_next_page_token(NextToken(request, list.back().due_time, list.back().id));
  }
  for (const Delivery& delivery : list) *response.add_deliveries() = ToProto(delivery);
  return absl::OkStatus();
}

Status ListDeliveryTransitionsMethod(const Call& call, DeliveryStore& store,
                                     const v1::ListDeliveryTransitionsRequest& request,
                                     v1::ListDeliveryTransitionsResponse& response) {
  PARVIS_ASSIGN_OR_RETURN(const auto ids, rpc::ParseName("parent", request.parent(), kDeliveryPattern));
  PARVIS_ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size(), kPageDefault, kPageMax));
  int64_t after = 0;
  if (!request.page_token().empty()) {
    PARVIS_ASSIGN_OR_RETURN(const auto keys, rpc::DecodePageToken(request.page_token(), rpc::QueryDigest(request)));
    const std::string key = keys.size() == 1 ? keys[0] : "";
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), after);
    if (error != std::errc() || end != key.data() + key.size()) {
      return InvalidField("page_token", "PAGE_TOKEN_INVALID", "is not one of ours");
    }
  }
  PARVIS_ASSIGN_OR_RETURN(std::vector<Transition> list, store.ListTransitions(call, ids[1], after, size + 1));
  if (static_cast<int>(list.size()) > size) {
    list.pop_back();
    response.set_next_page_token(
        rpc::EncodePageToken(rpc::QueryDigest(request), {std::to_string(list.back().number)}));
  }
  for (const Transition& transition : list) *response.add_transitions() = ToProto(transition);
  return absl::OkStatus();
}

Status SettleDeliveryMethod(const Call& call, DeliveryStore& store, const PostContext& posts,
                            const v1::SettleDeliveryRequest& request, v1::Delivery& response) {
  PARVIS_ASSIGN_OR_RETURN(const auto ids, rpc::ParseName("name", request.name(), kDeliveryPattern));
  PARVIS_RETURN_IF_ERROR(rpc::CheckRequestId(request.request_id()));
  SettleRequest settle;
  settle.id = ids[1];
  switch (request.settlement()) {
    case v1::SETTLEMENT_DELIVERED: settle.settlement = Settlement::kDelivered; break;
    case v1::SETTLEMENT_FAILED: settle.settlement = Settlement::kFailed; break;
    case v1::SETTLEMENT_RETRY: settle.settlement = Settlement::kRetry; break;
    default: return InvalidField("settlement", "REQUIRED", "must be DELIVERED, FAILED or RETRY");
  }
  settle.remote_id = request.remote_id();
  settle.permalink = request.permalink();
  settle.comment = request.comment();
  settle.request_id = request.request_id();
  PARVIS_ASSIGN_OR_RETURN(const Delivery settled,
                          SettleDelivery(call, store, posts.clock, settle, posts.limits.late_max));
  response = ToProto(settled);
  return absl::OkStatus();
}

}  // namespace parvis::publishing
