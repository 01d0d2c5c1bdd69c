#include "sandbox/transport/discourse_json.h"

#include <absl/strings/ascii.h>

#include "sandbox/domain/cat.h"
#include "sandbox/domain/forum.h"

namespace parvis::sandbox {
namespace {

constexpr std::string_view kAvatar = "/letter_avatar_proxy/v4/letter/p/bc79bd/{size}.png";
constexpr std::string_view kWithdrawn = "(post deleted by author)";
constexpr absl::Duration kGrace = absl::Minutes(5);  // an edit so soon makes no new version

Json Actions(const Item& item) {
  Json actions = Json::array();
  const int64_t likes = ForumValue(Extra(item, "likes"));
  Json like = {{"id", 2}, {"count", likes}};
  if (item.by_us) {
    if (likes == 0) return actions;
  } else if (Extra(item, "liked") == "true") {
    like["acted"] = true;
    like["can_undo"] = true;
  } else {
    like["can_act"] = true;
  }
  actions.push_back(like);
  if (item.by_us) return actions;
  for (const int flag : {3, 4, 8, 6, 7}) actions.push_back({{"id", flag}, {"can_act", Extra(item, "flagged").empty()}});
  return actions;
}

Json Nullable(const std::string& text) { return text.empty() ? Json() : Json(text); }

}  // namespace

Json ForumNumber(std::string_view id) {
  const bool number = !id.empty() && id.size() < 19 && id.find_first_not_of("0123456789") == std::string_view::npos;
  return number ? Json(ForumValue(id)) : Json(id);
}

int64_t ForumValue(std::string_view id) { return ReadNumber(id, 0, 0, 999'999'999'999'999'999).value_or(0); }

std::string ForumHtml(std::string_view text) {
  std::string out = "<p>";
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '\n':
        out += "<br>\n";
        break;
      default:
        out.push_back(c);
    }
  }
  return out + "</p>";
}

std::string ForumSlug(std::string_view title) {
  std::string slug;
  for (const char c : title) {
    const auto u = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(u)) {
      slug.push_back(absl::ascii_tolower(u));
    } else if (!slug.empty() && slug.back() != '-') {
      slug.push_back('-');
    }
  }
  while (!slug.empty() && slug.back() == '-') slug.pop_back();
  return slug.empty() ? "topic" : slug;
}

std::string ForumTime(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone()); }

net::HttpResponse DiscourseAnswer(const Json& json, int status) {
  net::HttpResponse response = JsonResponse(status, json, false);
  response.headers["Content-Type"] = "application/json; charset=utf-8";
  return response;
}

net::HttpResponse DiscourseError(int status, std::string_view type, std::string_view message) {
  Json json = {{"errors", {message}}};
  if (!type.empty()) json["error_type"] = type;
  return DiscourseAnswer(json, status);
}

net::HttpResponse DiscourseInvalid(const std::vector<std::string>& errors) {
  return DiscourseAnswer({{"action", "create_post"}, {"errors", errors}}, 422);
}

net::HttpResponse DiscourseMissing(std::string_view parameter) {
  return DiscourseError(400, "", Cat("param is missing or the value is empty: ", parameter));
}
net::HttpResponse DiscourseNotFound() {
  return DiscourseError(404, "not_found", "The requested URL or resource could not be found.");
}
net::HttpResponse DiscourseForbidden() {
  return DiscourseError(403, "invalid_access", "You are not permitted to view the requested resource.");
}

Json DiscoursePost(const DiscoursePostView& view) {
  const Item& item = view.item;
  // Who deletes a post of their own leaves a placeholder for a day; staff's deletion is one.
  const bool withdrawn = item.deleted && !item.by_us && Extra(item, "removed_by_staff").empty();
  const bool gone = item.deleted && !withdrawn;
  const std::string text = withdrawn ? std::string(kWithdrawn) : item.text;
  const absl::Time changed = item.deleted ? item.changed : TextTime(item);
  Json post = {{"id", ForumNumber(item.id)},
               {"name", item.author_name},
               {"username", item.author_handle},
               {"avatar_template", kAvatar},
               {"created_at", ForumTime(item.created)},
               {"cooked", ForumHtml(text)},
               {"post_number", ForumValue(Extra(item, "post_number"))},
               {"post_type", 1},
               {"updated_at", ForumTime(changed)},
               {"reply_count", view.replies},
               {"reply_to_post_number", nullptr},
               {"quote_count", 0},
               {"incoming_link_count", 0},
               {"reads", 1 + view.replies},
               {"readers_count", view.replies},
               {"score", 0.2 * static_cast<double>(1 + view.replies)},
               {"yours", item.by_us},
               {"topic_id", ForumNumber(Extra(item, "topic_id"))},
               {"display_username", item.author_name},
               {"primary_group_name", nullptr},
               {"version", item.edited && changed - item.created > kGrace ? 2 : 1},
               {"can_edit", !gone},
               {"can_delete", !gone},
               {"can_recover", gone},
               {"can_wiki", true},
               {"read", true},
               {"user_title", nullptr},
               {"bookmarked", false},
               {"actions_summary", Actions(item)},
               {"moderator", false},
               {"admin", item.by_us},
               {"staff", item.by_us},
               {"user_id", ForumNumber(item.author_id)},
               {"hidden", false},
               {"trust_level", item.by_us ? 4 : 1},
               {"deleted_at", gone ? Json(ForumTime(item.changed)) : Json()},
               {"user_deleted", withdrawn},
               {"edit_reason", Nullable(Extra(item, "edit_reason"))},
               {"can_view_edit_history", true},
               {"wiki", false}};
  if (view.raw) post["raw"] = text;
  if (view.first != nullptr) {
    post["topic_slug"] = ForumSlug(view.first->title);
    post["topic_title"] = view.first->title;
    post["category_id"] = ForumNumber(Extra(*view.first, "category_id"));
    post["post_url"] =
        Cat("/t/", ForumSlug(view.first->title), "/", Extra(item, "topic_id"), "/", Extra(item, "post_number"));
  }
  const std::string to = Extra(item, "reply_to");
  if (view.parent != nullptr && !to.empty()) {
    post["reply_to_post_number"] = ForumValue(to);
    post["reply_to_user"] = {{"id", ForumNumber(view.parent->author_id)},
                             {"username", view.parent->author_handle},
                             {"name", view.parent->author_name},
                             {"avatar_template", kAvatar}};
  }
  return post;
}

Json DiscourseUser(const Account& account) {
  return {{"id", ForumNumber(account.id)},
          {"username", account.handle},
          {"name", account.name},
          {"avatar_template", kAvatar},
          {"title", nullptr},
          {"trust_level", 4},
          {"moderator", true},
          {"admin", true}};
}

Json DiscourseReviewable(const Item& item, const Item* first, std::string_view base_url) {
  const bool pending = item.status == kQueued;
  const bool topic = item.kind == Item::Kind::kPost;
  Json payload = {{"raw", item.text}, {"via_email", false}};
  if (topic) payload["title"] = item.title;
  Json actions = Json::array();
  if (pending) actions = {"approve_post", "reject_post", "delete_user"};
  Json json = {{"id", ForumNumber(item.id)},
               {"type", "ReviewableQueuedPost"},
               {"type_source", "core"},
               {"status", pending                         ? 0
                          : item.status == kQueueAccepted ? 1
                                                          : 2},
               {"version", pending ? 0 : 1},
               {"score", 1.0},
               {"created_at", ForumTime(item.created)},
               {"created_by_id", -1},
               {"target_id", nullptr},
               {"target_type", nullptr},
               {"target_created_by_id", ForumNumber(item.author_id)},
               {"created_from_flag", false},
               {"topic_id", nullptr},
               {"category_id", 1},
               {"can_edit", pending},
               {"payload", payload},
               {"reviewable_actions", actions},
               {"reviewable_scores", Json::array()}};
  if (const std::string post = Extra(item, "created_post_id"); !post.empty()) json["target_id"] = ForumNumber(post);
  if (!topic && first != nullptr) {
    json["topic_id"] = ForumNumber(Extra(item, "topic_id"));
    json["category_id"] = ForumNumber(Extra(*first, "category_id"));
    json["topic_url"] = Cat(base_url, "/t/", ForumSlug(first->title), "/", Extra(item, "topic_id"));
  }
  return json;
}

Json DiscoursePending(const Item& item, const Item* first) {
  const bool topic = item.kind == Item::Kind::kPost;
  Json json = {{"id", ForumNumber(item.id)},
               {"avatar_template", kAvatar},
               {"category_id", first == nullptr ? Json() : ForumNumber(Extra(*first, "category_id"))},
               {"created_at", ForumTime(item.created)},
               {"created_by_id", ForumNumber(item.author_id)},
               {"name", item.author_name},
               {"raw_text", item.text},
               {"title", topic || first == nullptr ? item.title : first->title},
               {"topic_id", topic ? Json() : ForumNumber(Extra(item, "topic_id"))},
               {"topic_url", topic ? Json() : Json(Cat("/t/", Extra(item, "topic_id")))},
               {"username", item.author_handle}};
  return json;
}

}  // namespace parvis::sandbox
