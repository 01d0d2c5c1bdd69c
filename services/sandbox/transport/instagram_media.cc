// What is read of media: ours, those in which others mention us, and what is counted (facts 2.3).
#include "sandbox/domain/cat.h"
#include "sandbox/transport/instagram.h"
#include "sandbox/transport/instagram_json.h"

namespace parvis::sandbox {
namespace {

const std::set<std::string> kMediaFields = {
    "caption",           "timestamp",     "permalink", "shortcode",  "media_type",     "media_product_type",
    "media_url",         "username",      "owner",     "like_count", "comments_count", "is_comment_enabled",
    "is_shared_to_feed", "thumbnail_url", "children",  "comments",   "alt_text"};
const std::set<std::string> kMentionFields = {"caption",  "timestamp", "permalink",  "media_type",    "media_url",
                                              "username", "owner",     "like_count", "comments_count"};
// `impressions`, `plays` and `video_views` are gone.
const std::vector<std::string_view> kStoryInsights = {
    "views",   "reach",          "replies",          "shares",    "total_interactions",
    "follows", "profile_visits", "profile_activity", "navigation"};
const std::vector<std::string_view> kFeedInsights = {
    "views",   "reach",          "likes",           "comments", "saved", "shares", "total_interactions",
    "follows", "profile_visits", "profile_activity"};
const std::vector<std::string_view> kReelInsights = {"views",
                                                     "reach",
                                                     "likes",
                                                     "comments",
                                                     "saved",
                                                     "shares",
                                                     "total_interactions",
                                                     "ig_reels_avg_watch_time",
                                                     "ig_reels_video_view_total_time"};

}  // namespace

int64_t Instagram::CountOfComments(const Item& item) const {
  return context_.world.Read(Network::kInstagram, World::List::kComments, item.id, {.limit = 0, .count_all = true})
      .total;
}

// Newest first; stories only for a day, and only there.
net::HttpResponse Instagram::Media(const Asked& asked, Answer answer) {
  auto options = Listing(asked, answer);
  if (!options) return GraphInvalid("Invalid limit or after");
  const auto fields = GraphFields(asked.Param("fields"));
  if (auto unknown = UnknownField(fields, kMediaFields, "ShadowIGMedia")) return *std::move(unknown);
  const bool stories = asked.edge == "stories";
  const absl::Time oldest = stories ? context_.clock.WallNow() - absl::Hours(24) : absl::InfinitePast();
  options->filter = [&](const Item& item) {
    return (Extra(item, "product") == "STORY") == stories && item.created >= oldest;
  };
  return Paged(asked, context_.world.Read(Network::kInstagram, World::List::kPosts, asked.account->id, *options),
               [&](const Item& item) {
                 return InstagramMedia(item, fields, fields.contains("comments_count") ? CountOfComments(item) : 0);
               });
}

net::HttpResponse Instagram::Tags(const Asked& asked, Answer answer) {
  auto options = Listing(asked, answer);
  if (!options) return GraphInvalid("Invalid limit or after");
  const auto fields = GraphFields(asked.Param("fields"));
  if (auto unknown = UnknownField(fields, kMentionFields, "ShadowIGMedia")) return *std::move(unknown);
  options->filter = [](const Item& item) { return item.kind == Item::Kind::kMention; };
  return Paged(asked, context_.world.Read(Network::kInstagram, World::List::kInbox, asked.account->id, *options),
               [&](const Item& item) { return InstagramMention(item, fields); });
}

net::HttpResponse Instagram::ReadObject(const Asked& asked) {
  const ItemPtr target = Target(asked);
  // What others published, and what was written below it, is not read by its id (facts 2.3: mentioned_media).
  if (target == nullptr || target->kind == Item::Kind::kMention ||
      (target->kind == Item::Kind::kComment && target->post.empty())) {
    return GraphGone(asked.object);
  }
  if (target->kind == Item::Kind::kMedia) return ReadContainer(asked, *target);
  if (target->kind == Item::Kind::kComment) return JsonResponse(200, Rendered(asked, *target, asked.Param("fields")));
  const auto fields = GraphFields(asked.Param("fields"));
  if (auto unknown = UnknownField(fields, kMediaFields, "ShadowIGMedia")) return *std::move(unknown);
  return JsonResponse(
      200, InstagramMedia(*target, fields, fields.contains("comments_count") ? CountOfComments(*target) : 0));
}

net::HttpResponse Instagram::MediaInsights(const Asked& asked) {
  const ItemPtr target = Target(asked);
  if (target == nullptr || target->kind != Item::Kind::kPost) return GraphGone(asked.object);
  const std::string product = Extra(*target, "product");
  const auto counted = context_.world.SetExtra(Network::kInstagram, target->id,
                                               {{"comments", std::to_string(CountOfComments(*target))}});
  if (!counted.ok()) return GraphFailed(counted.status());
  return Insights(asked,
                  product == "STORY"   ? kStoryInsights
                  : product == "REELS" ? kReelInsights
                                       : kFeedInsights,
                  *counted, false);
}

}  // namespace parvis::sandbox
