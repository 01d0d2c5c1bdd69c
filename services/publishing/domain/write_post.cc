#include <set>

#include "publishing/domain/media.h"
#include "publishing/domain/posts.h"
#include "publishing/domain/text_rules.h"

namespace parvis::publishing {
namespace {

std::string At(const std::string& list, size_t index, const std::string& field) {
  return list + "[" + std::to_string(index) + "]." + field;
}

// What is wrong whatever the network: nothing of it would be stored.
std::vector<Violation> CheckShape(const Post& post, const PostLimits& limits) {
  std::vector<Violation> violations;
  CheckName("post.display_name", post.display_name, limits.name_max, false, violations);
  if (static_cast<int>(post.variants.size()) > limits.variants_max) {
    violations.push_back({"post.variants", "at most " + std::to_string(limits.variants_max) + " are allowed", "TOO_MANY"});
    return violations;
  }
  std::set<std::string> channels;
  for (size_t i = 0; i < post.variants.size(); ++i) {
    const Variant& variant = post.variants[i];
    if (!IsUuid(variant.channel_id)) {
      violations.push_back({At("post.variants", i, "channel_id"), "must be the id of a channel", "CHANNEL_ID"});
    } else if (!channels.insert(variant.channel_id).second) {
      violations.push_back({At("post.variants", i, "channel_id"), "is the channel of an earlier variant",
                            "CHANNEL_REPEATED"});
    }
    CheckContent("post.variants[" + std::to_string(i) + "]", variant.content, {limits.text_max_bytes, limits.media_max}, violations);
  }
  return violations;
}

// What the network would refuse of it, field paths relative to the variant.
std::vector<Violation> CheckByNetwork(const NetworkRules& rules, const std::string& network, const Content& content) {
  std::vector<Violation> violations = rules.Check(network, DeliveryKind::kPost, content);
  if (content.thread.empty()) return violations;
  if (std::string why = rules.WhyNoThread(network); !why.empty()) {
    violations.push_back({"thread", std::move(why), "NOT_POSSIBLE"});
    return violations;
  }
  for (size_t i = 0; i < content.thread.size(); ++i) {
    // By the rules of an answer, which it is: without a title, and as long as answers may be.
    for (Violation& violation : rules.Check(network, DeliveryKind::kReply, PartOf(content, i))) {
      violation.field = At("thread", i, violation.field);
      violations.push_back(std::move(violation));
    }
  }
  return violations;
}

// That all media it names are there: a post may name one that is still uploading.
Status CheckNamed(const Call& call, const PostContext& context, const Post& post) {
  std::vector<Violation> violations;
  for (size_t i = 0; i < post.variants.size(); ++i) {
    Content content = post.variants[i].content;
    PARVIS_RETURN_IF_ERROR(ResolveMedia(call, context.media, "post.variants[" + std::to_string(i) + "]", content, violations));
  }
  std::erase_if(violations, [](const Violation& v) { return v.reason != "NOT_FOUND" && v.reason != "OTHER_WORKSPACE"; });
  return violations.empty() ? absl::OkStatus() : InvalidFields(std::move(violations));
}

}  // namespace

StatusOr<Post> CreatePost(const Call& call, const PostContext& context, Post post, const std::string& request_id) {
  std::vector<Violation> violations = CheckShape(post, context.limits);
  if (!violations.empty()) return InvalidFields(std::move(violations));
  PARVIS_RETURN_IF_ERROR(CheckNamed(call, context, post));
  PARVIS_ASSIGN_OR_RETURN(const Campaign campaign, context.campaigns.GetCampaign(call, post.campaign_id));
  if (campaign.archived) {
    return MakeError(Code::kFailedPrecondition, "CAMPAIGN_ARCHIVED", "the campaign is archived and takes no new posts");
  }
  Post fresh;
  fresh.workspace_id = call.workspace_id;
  fresh.id = request_id.empty() ? context.ids.New() : UuidOfName("post/" + call.workspace_id + "/" + request_id);
  fresh.campaign_id = post.campaign_id;
  fresh.display_name = std::move(post.display_name);
  fresh.variants = std::move(post.variants);
  fresh.author = ActorOf(call);
  fresh.create_time = fresh.update_time = context.clock.WallNow();
  return context.posts.InsertPost(call, fresh);
}

StatusOr<Post> UpdatePost(const Call& call, const PostContext& context, const PostUpdate& update) {
  PARVIS_ASSIGN_OR_RETURN(Post post, context.posts.GetPost(call, update.id));
  PARVIS_RETURN_IF_ERROR(CheckVersion(post.version, update.version));
  const bool content_changes = update.variants && *update.variants != post.variants;
  if (update.display_name) post.display_name = *update.display_name;
  DeliveryEdit edit;
  if (content_changes) {
    if (post.state == PostState::kPublished || post.state == PostState::kPartlyPublished) {
      return MakeError(Code::kFailedPrecondition, "ALREADY_SENT", "the post is published; what was sent cannot be changed");
    }
    post.variants = *update.variants;
    if (post.state == PostState::kScheduled) edit.kind = DeliveryEdit::Kind::kWithdraw;
    post.state = PostState::kDraft;
    post.submitted_by.clear();
    post.reviewed_by.clear();
    post.review_comment.clear();
    post.review_time = post.due_time = absl::InfinitePast();
    post.schedule_request_id.clear();
  }
  std::vector<Violation> violations = CheckShape(post, context.limits);
  if (!violations.empty()) return InvalidFields(std::move(violations));
  if (content_changes) PARVIS_RETURN_IF_ERROR(CheckNamed(call, context, post));
  edit.actor = ActorOf(call);
  post.update_time = context.clock.WallNow();
  return context.posts.SavePost(call, post, edit);
}

Status DeletePost(const Call& call, const PostContext& context, const std::string& id, std::optional<int64_t> version) {
  PARVIS_ASSIGN_OR_RETURN(const Post post, context.posts.GetPost(call, id));
  PARVIS_RETURN_IF_ERROR(CheckVersion(post.version, version));
  return context.posts.DeletePost(call, post, ActorOf(call));
}

StatusOr<PostCheck> CheckPost(const Call& call, const PostContext& context, const Post& post) {
  PostCheck check;
  check.violations = CheckShape(post, context.limits);
  if (post.variants.empty()) {
    check.violations.push_back({"post.variants", "needs at least one", "REQUIRED"});
  }
  const size_t count = std::min<size_t>(post.variants.size(), context.limits.variants_max);
  for (size_t i = 0; i < count; ++i) {
    const Variant& variant = post.variants[i];
    check.lengths.emplace_back();
    check.channels.emplace_back();
    Content& content = check.contents.emplace_back(variant.content);
    const size_t before = check.violations.size();
    PARVIS_RETURN_IF_ERROR(ResolveMedia(call, context.media, "post.variants[" + std::to_string(i) + "]", content, check.violations));
    const bool resolved = check.violations.size() == before;
    if (!IsUuid(variant.channel_id)) continue;   // said already
    const StatusOr<Channel> channel = context.channels.GetChannel(call, call.workspace_id, variant.channel_id);
    if (channel.status().code() == Code::kNotFound) {
      check.violations.push_back({At("post.variants", i, "channel_id"), "the workspace has no such channel",
                                  "CHANNEL_UNKNOWN"});
      continue;
    }
    if (!channel.ok()) return channel.status();
    check.channels.back() = *channel;
    if (!context.rules.Knows(channel->network)) {
      check.violations.push_back({At("post.variants", i, "channel_id"), "Parvis cannot publish on " + channel->network,
                                  "NETWORK_UNKNOWN"});
      continue;
    }
    check.lengths.back() = context.rules.TextLength(channel->network, variant.content.text);
    if (!resolved) continue;   // nobody can tell yet what the network says
    for (Violation& violation : CheckByNetwork(context.rules, channel->network, content)) {
      violation.field = At("post.variants", i, violation.field);
      check.violations.push_back(std::move(violation));
    }
  }
  return check;
}

}  // namespace parvis::publishing
