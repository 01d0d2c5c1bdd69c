// The JSON that Discourse speaks (facts 9).
#pragma once

#include <string>
#include <string_view>

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// Ids are numbers there; what is none stays a text.
Json ForumNumber(std::string_view id);
int64_t ForumValue(std::string_view id);  // 0 when it is no number
std::string ForumHtml(std::string_view text);
std::string ForumSlug(std::string_view title);
std::string ForumTime(absl::Time time);  // milliseconds, Z

// {"errors": [...], "error_type"?: ...}
net::HttpResponse DiscourseError(int status, std::string_view type, std::string_view message);
// What is wrong with a post: {"action": "create_post", "errors": [...]} with 422.
net::HttpResponse DiscourseInvalid(const std::vector<std::string>& errors);
net::HttpResponse DiscourseAnswer(const Json& json, int status = 200);
net::HttpResponse DiscourseMissing(std::string_view parameter);  // 400
net::HttpResponse DiscourseNotFound();
net::HttpResponse DiscourseForbidden();

struct DiscoursePostView {
  const Item& item;
  const Item* first = nullptr;   // of its topic
  const Item* parent = nullptr;  // what it answers
  const Account& account;
  int64_t replies = 0;
  bool raw = true;
};
Json DiscoursePost(const DiscoursePostView& view);
Json DiscourseUser(const Account& account);
// What waits for approval, or did.
Json DiscourseReviewable(const Item& item, const Item* first, std::string_view base_url);
Json DiscoursePending(const Item& item, const Item* first);

}  // namespace parvis::sandbox
