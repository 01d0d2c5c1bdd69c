// From a post to a happening: the same whether it was polled or streamed. Pure.
#pragma once

#include <optional>

#include "networks/connector.h"
#include "networks/wire/json.h"

namespace parvis::networks {

// A post of somebody that concerns us. All but the author's names is from the record, which every way shows alike.
// `partner`: with whom we talk, where it is our own. nullopt when it cannot be understood.
std::optional<Happening> BlueskyHappening(const Json& post, const Account& account, const std::string& partner);
// What could not be understood, as it came; without the answers that hang below it.
Unparsed UnreadBlueskyPost(const Json& item);
// Whether somebody else's post is about us: it answers us or hangs below a post of ours, mentions us, or quotes us.
bool ConcernsUs(const Json& record, const Account& account);

}  // namespace parvis::networks
