// Which call is what; the edges themselves are in facebook_edges.cc, facebook_people.cc and facebook_video.cc.
#include "sandbox/transport/facebook.h"

namespace parvis::sandbox {
namespace {

// What is left of them in 2026 (facts 1.3): impressions and reach are gone.
const std::vector<std::string_view> kInsights = {
    "post_media_view", "post_total_media_view_unique", "post_clicks",  "post_reactions_by_type_total",
    "page_media_view", "page_total_media_view_unique", "page_follows", "page_post_engagements",
    "page_views_total"};

}  // namespace

Reply Facebook::Route(const Asked& asked) {
  if (asked.edge.empty()) return RouteObject(asked);
  const bool get = asked.method == "GET", post = asked.method == "POST";
  const std::string& edge = asked.edge;
  if (get && edge == "insights") {
    return Guarded(asked, "read", [&](Answer) { return Insights(asked, kInsights, Target(asked), false); });
  }
  if (edge == "feed" && post) return Guarded(asked, "post", [&](Answer a) { return Publish(asked, a); });
  if (edge == "photos" && post) {   // published, it is a post of its own
    const bool published = GraphTrue(asked.Param("published"), true);
    return Guarded(asked, published ? "post" : "media", [&](Answer a) { return Photo(asked, a); });
  }
  if (get && (edge == "feed" || edge == "posts" || edge == "published_posts" || edge == "scheduled_posts")) {
    return Guarded(asked, "list", [&](Answer a) { return Feed(asked, a); });
  }
  if (edge == "comments" && get) return Guarded(asked, "list", [&](Answer a) { return Comments(asked, a); });
  if (edge == "comments" && post) return Guarded(asked, "reply", [&](Answer a) { return Comment(asked, a); });
  if (edge == "thumbnails" && post) return Guarded(asked, "media", [&](Answer) { return Thumbnail(asked); });
  return asked.own() ? RoutePage(asked) : Unsupported(asked);
}

Reply Facebook::RouteObject(const Asked& asked) {
  const bool get = asked.method == "GET";
  if (get && asked.own()) return Guarded(asked, "identity", [&](Answer) { return Identity(asked); });
  if (get) return Guarded(asked, "read", [&](Answer) { return ReadObject(asked); });
  if (asked.own()) return Unsupported(asked);
  if (asked.method == "DELETE") return Guarded(asked, "delete", [&](Answer a) { return Remove(asked, a); });
  const std::string hidden = asked.Param("is_hidden");
  const char* operation = hidden.empty() ? "edit" : GraphTrue(hidden, false) ? "hide" : "unhide";
  return Guarded(asked, operation, [&](Answer a) { return Update(asked, a); });
}

Reply Facebook::RoutePage(const Asked& asked) {
  const bool get = asked.method == "GET", post = asked.method == "POST";
  const std::string& edge = asked.edge;
  if (get && edge == "accounts") return Guarded(asked, "identity", [&](Answer) { return MyAccounts(asked); });
  if (edge == "subscribed_apps") {
    return Guarded(asked, "identity", [&](Answer) {
      if (!get) return JsonResponse(200, {{"success", true}});
      return JsonResponse(200, {{"data", {{{"id", "1"}, {"name", "sandbox"}, {"subscribed_fields", {"feed"}}}}}});
    });
  }
  if (edge == "messages" && post) return Guarded(asked, "private_reply", [&](Answer a) { return Message(asked, a); });
  if (edge == "conversations" && get) return Guarded(asked, "list", [&](Answer) { return Conversations(asked); });
  if (edge == "blocked" && get) return Guarded(asked, "list", [&](Answer) { return Blocked(asked); });
  if (edge == "blocked") {
    return Guarded(asked, post ? "ban" : "unban", [&, post](Answer a) { return Block(asked, post, a); });
  }
  return RouteVideo(asked);
}

// A step before the effect is a `media` for the faults, the effect itself a `post`.
Reply Facebook::RouteVideo(const Asked& asked) {
  const bool get = asked.method == "GET", post = asked.method == "POST";
  const std::string &edge = asked.edge, phase = asked.Param("upload_phase");
  if (get && edge == "video_reels") return Guarded(asked, "list", [&](Answer a) { return Reels(asked, a); });
  if (get && edge == "stories") return Guarded(asked, "list", [&](Answer a) { return Stories(asked, a); });
  if (!post) return Unsupported(asked);
  if (edge == "photo_stories") return Guarded(asked, "post", [&](Answer a) { return PhotoStory(asked, a); });
  if (edge == "videos") {
    if (phase.empty()) return Guarded(asked, "post", [&](Answer a) { return SimpleVideo(asked, a); });
    if (phase == "start") return Guarded(asked, "media", [&](Answer a) { return StartVideo(asked, a, "video"); });
    if (phase == "transfer") return Guarded(asked, "media", [&](Answer) { return TransferVideo(asked); });
    if (phase == "finish") return Guarded(asked, "post", [&](Answer a) { return FinishVideo(asked, a); });
  } else if (edge == "video_reels" || edge == "video_stories") {
    const char* kind = edge == "video_reels" ? "reel" : "story";
    if (phase == "START") return Guarded(asked, "media", [&, kind](Answer a) { return StartVideo(asked, a, kind); });
    if (phase == "FINISH") return Guarded(asked, "post", [&](Answer a) { return FinishReel(asked, a); });
  } else {
    return Unsupported(asked);
  }
  return {GraphInvalid("Param upload_phase must be one of {start, transfer, finish, cancel}")};
}

}  // namespace parvis::sandbox
