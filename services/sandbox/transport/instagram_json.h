// What Instagram answers with: objects cut down to the asked fields, and its own errors.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "sandbox/transport/graph_json.h"

namespace parvis::sandbox {

Json InstagramMedia(const Item& item, const std::set<std::string>& fields, int64_t comments);
// Media of somebody else that mention the account.
Json InstagramMention(const Item& item, const std::set<std::string>& fields);
Json InstagramComment(const Item& item, const std::set<std::string>& fields);

// The first field that such a node does not have: then the whole request is refused.
std::optional<net::HttpResponse> UnknownField(const std::set<std::string>& fields, const std::set<std::string>& known,
                                              std::string_view node);

// An error of the content publishing API, by its subcode.
net::HttpResponse PublishingError(int subcode);
std::string PublishingMessage(int subcode);

}  // namespace parvis::sandbox
