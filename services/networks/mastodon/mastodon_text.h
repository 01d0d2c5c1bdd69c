// Texts of Mastodon: what is sent for a draft, and what of it can be compared with what comes back.
#pragma once

#include <string>

#include "networks/connector.h"

namespace parvis::networks {

// "" when the option is not chosen.
std::string MastodonOption(const Draft& draft, const std::string& name);
// The text with the link and the tags that it does not have yet.
std::string MastodonDraftText(const Draft& draft);
// Whether the text mentions "user" or "user@host" as such, in whatever case.
bool MentionsAcct(const std::string& text, const std::string& acct);
// For text::ForComparison: of a mention only "@user" in lower case is left, as a page shows no hosts.
std::string MastodonComparable(const std::string& text);

}  // namespace parvis::networks
