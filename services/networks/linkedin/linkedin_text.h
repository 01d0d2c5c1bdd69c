// "Little text", in which LinkedIn keeps what posts say, and URNs. Pure.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string>
#include <string_view>

#include "networks/connector.h"

namespace parvis::networks {

// Plain text as little text: what is reserved is escaped (an open bracket would cut the post off there), "#word"
// becomes a hashtag, "@[Name](urn:li:organization:1)" stays a mention.
std::string ToLittleText(std::string_view text);
// What readers see of little text.
std::string FromLittleText(std::string_view little);
// The commentary of a post, plain: text, the link where the post shows no card of it, tags.
std::string CommentaryOf(const Draft& draft);
// Whether the link becomes a card of its own.
bool ShowsLinkAsCard(const Draft& draft);

// "urn:li:comment:(urn:li:activity:1,2)" -> what it hangs below and its number. Also takes the short form that webhooks
// have, "urn:li:comment:(activity:1,2)".
struct CommentUrn {
  std::string object, id;
  std::string Text() const { return "urn:li:comment:(" + object + "," + id + ")"; }
};
std::optional<CommentUrn> ParseCommentUrn(std::string_view urn);
// The page's URN: an account may also be named by the bare number.
std::string OrganisationUrn(const std::string& remote_id);
// The first "urn:li:share:N" or "urn:li:ugcPost:N" in a text, "" = none.
std::string PostUrnIn(std::string_view text);
// LinkedIn's numbers begin with the milliseconds of their making; nullopt for what cannot be such a time.
std::optional<absl::Time> TimeInId(std::string_view id);
std::string LinkedInPermalink(const std::string& post_urn);

}  // namespace parvis::networks
