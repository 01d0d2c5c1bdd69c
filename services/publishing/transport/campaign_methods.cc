#include "publishing/transport/campaign_methods.h"

#include "platform/base/ids.h"
#include "publishing/transport/convert.h"
#include "publishing/transport/paging.h"

namespace parvis::publishing {
namespace {

constexpr char kCampaignPattern[] = "workspaces/*/campaigns/*";

// AIP-134: no mask means every field that is set.
bool Wants(const google::protobuf::FieldMask& mask, const char* field, bool is_set) {
  if (mask.paths().empty()) return is_set;
  for (const std::string& path : mask.paths()) {
    if (path == field || path == "*") return true;
  }
  return false;
}

Status CheckMask(const google::protobuf::FieldMask& mask) {
  for (const std::string& path : mask.paths()) {
    if (path != "*" && path != "display_name" && path != "description" && path != "start_time" && path != "end_time" &&
        path != "archived") {
      return InvalidField("update_mask", "FIELD_MASK", "\"" + path + "\" is not a field that can be changed");
    }
  }
  return absl::OkStatus();
}

}  // namespace

Status CreateCampaignMethod(const Call& call, const PostContext& posts, const v1::CreateCampaignRequest& request,
                            v1::Campaign& response) {
  PARVIS_RETURN_IF_ERROR(rpc::ParseName("parent", request.parent(), "workspaces/*").status());
  PARVIS_RETURN_IF_ERROR(rpc::CheckRequestId(request.request_id()));
  Campaign campaign;
  campaign.display_name = request.campaign().display_name();
  campaign.description = request.campaign().description();
  campaign.archived = request.campaign().archived();
  if (request.campaign().has_start_time()) {
    PARVIS_ASSIGN_OR_RETURN(campaign.start_time, FromProto("campaign.start_time", request.campaign().start_time()));
  }
  if (request.campaign().has_end_time()) {
    PARVIS_ASSIGN_OR_RETURN(campaign.end_time, FromProto("campaign.end_time", request.campaign().end_time()));
  }
  PARVIS_ASSIGN_OR_RETURN(const Campaign created, CreateCampaign(call, posts, campaign, request.request_id()));
  response = ToProto(created);
  return absl::OkStatus();
}

Status GetCampaignMethod(const Call& call, const PostContext& posts, const v1::GetCampaignRequest& request,
                         v1::Campaign& response) {
  PARVIS_ASSIGN_OR_RETURN(const auto ids, rpc::ParseName("name", request.name(), kCampaignPattern));
  PARVIS_ASSIGN_OR_RETURN(const Campaign campaign, posts.campaigns.GetCampaign(call, ids[1]));
  response = ToProto(campaign);
  return absl::OkStatus();
}

Status ListCampaignsMethod(const Call& call, const PostContext& posts, const v1::ListCampaignsRequest& request,
                           v1::ListCampaignsResponse& response) {
  PARVIS_RETURN_IF_ERROR(rpc::ParseName("parent", request.parent(), "workspaces/*").status());
  PARVIS_ASSIGN_OR_RETURN(const Page page, PageOf(request, kPageDefault, kPageMax));
  PARVIS_ASSIGN_OR_RETURN(std::vector<Campaign> list, posts.campaigns.ListCampaigns(call, page));
  if (static_cast<int>(list.size()) == page.size) {
    list.pop_back();
    response.set_next_page_token(NextToken(request, list.back().create_time, list.back().id));
  }
  for (const Campaign& campaign : list) *response.add_campaigns() = ToProto(campaign);
  return absl::OkStatus();
}

Status UpdateCampaignMethod(const Call& call, const PostContext& posts, const v1::UpdateCampaignRequest& request,
                            v1::Campaign& response) {
  const v1::Campaign& given = request.campaign();
  const auto& mask = request.update_mask();
  PARVIS_ASSIGN_OR_RETURN(const auto ids, rpc::ParseName("campaign.name", given.name(), kCampaignPattern));
  PARVIS_RETURN_IF_ERROR(CheckMask(mask));
  CampaignUpdate update;
  update.id = ids[1];
  PARVIS_ASSIGN_OR_RETURN(update.version, VersionOf(given.etag()));
  if (Wants(mask, "display_name", !given.display_name().empty())) update.display_name = given.display_name();
  if (Wants(mask, "description", !given.description().empty())) update.description = given.description();
  if (Wants(mask, "archived", given.archived())) update.archived = given.archived();
  if (Wants(mask, "start_time", given.has_start_time())) {
    update.start_time = absl::InfinitePast();
    if (given.has_start_time()) {
      PARVIS_ASSIGN_OR_RETURN(update.start_time, FromProto("campaign.start_time", given.start_time()));
    }
  }
  if (Wants(mask, "end_time", given.has_end_time())) {
    update.end_time = absl::InfiniteFuture();
    if (given.has_end_time()) {
      PARVIS_ASSIGN_OR_RETURN(update.end_time, FromProto("campaign.end_time", given.end_time()));
    }
  }
  PARVIS_ASSIGN_OR_RETURN(const Campaign updated, UpdateCampaign(call, posts, update));
  response = ToProto(updated);
  return absl::OkStatus();
}

}  // namespace parvis::publishing
