#include "publishing/domain/posts.h"
#include "publishing/domain/text_rules.h"

namespace parvis::publishing {
namespace {

std::vector<Violation> CheckCampaign(const Campaign& campaign, const PostLimits& limits) {
  std::vector<Violation> violations;
  CheckName("campaign.display_name", campaign.display_name, limits.name_max, true, violations);
  CheckName("campaign.description", campaign.description, limits.comment_max, false, violations);
  if (campaign.end_time < campaign.start_time) {
    violations.push_back({"campaign.end_time", "must not be before start_time", "END_BEFORE_START"});
  }
  return violations;
}

}  // namespace

std::string ActorOf(const Call& call) {
  const Principal& who = call.principal;
  if (!who.member_id.empty()) return who.member_id;
  return who.service.empty() ? "key/" + who.key_id : "service/" + who.service;
}

StatusOr<Campaign> CreateCampaign(const Call& call, const PostContext& context, Campaign campaign,
                                  const std::string& request_id) {
  std::vector<Violation> violations = CheckCampaign(campaign, context.limits);
  if (!violations.empty()) return InvalidFields(std::move(violations));
  campaign.workspace_id = call.workspace_id;
  campaign.id = request_id.empty() ? context.ids.New() : UuidOfName("campaign/" + call.workspace_id + "/" + request_id);
  campaign.version = 1;
  campaign.create_time = campaign.update_time = context.clock.WallNow();
  return context.campaigns.InsertCampaign(call, campaign);
}

StatusOr<Campaign> UpdateCampaign(const Call& call, const PostContext& context, const CampaignUpdate& update) {
  PARVIS_ASSIGN_OR_RETURN(Campaign campaign, context.campaigns.GetCampaign(call, update.id));
  PARVIS_RETURN_IF_ERROR(CheckVersion(campaign.version, update.version));
  if (update.display_name) campaign.display_name = *update.display_name;
  if (update.description) campaign.description = *update.description;
  if (update.start_time) campaign.start_time = *update.start_time;
  if (update.end_time) campaign.end_time = *update.end_time;
  if (update.archived) campaign.archived = *update.archived;
  std::vector<Violation> violations = CheckCampaign(campaign, context.limits);
  if (!violations.empty()) return InvalidFields(std::move(violations));
  campaign.update_time = context.clock.WallNow();
  return context.campaigns.SaveCampaign(call, campaign);
}

}  // namespace parvis::publishing
