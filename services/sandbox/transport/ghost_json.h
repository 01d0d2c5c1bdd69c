// Bodies of Ghost's Admin API.
#pragma once

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// {"errors": [{...}]}: `type` is the class of the error, `code` may be "" (null).
net::HttpResponse GhostError(int status, std::string_view type, std::string_view message, std::string_view context = "",
                             std::string_view code = "");
net::HttpResponse GhostNotFound(std::string_view what);  // "Post", "Comment", "Member"
net::HttpResponse GhostInvalid(std::string_view message, std::string_view context = "");

std::string GhostIso(absl::Time time);     // whole seconds: "2026-11-23T10:00:00.000Z"
std::string GhostStored(absl::Time time);  // as in the database: "2026-11-23 10:00:00"
Json GhostNullable(const std::string& text);

// What is left of a post's HTML after its way through the editor's format: comments are gone.
std::string GhostPostHtml(std::string_view html);
// What is kept of a comment: p, br, a and blockquote; links open elsewhere and are nobody's recommendation.
std::string GhostCommentHtml(std::string_view html);
// Text without its tags, for plaintext.
std::string GhostPlain(std::string_view html);

Json GhostPost(const Item& item, const Account& site, std::string_view base_url, bool html);
// Without its member, which the site knows.
Json GhostComment(const Item& item, const ItemPtr& post, const Account& site, std::string_view base_url);
// "draft", "published" or "sent" for posts; "published" or "hidden" for comments.
std::string GhostStatus(const Item& item);
// The member that we comment as.
std::string GhostOwnMember(const Account& site);

}  // namespace parvis::sandbox
