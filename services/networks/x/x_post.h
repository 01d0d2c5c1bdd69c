// From a post in the form of API v2 to a happening: the same whether it was polled or streamed. Pure.
#pragma once

#include <optional>

#include "networks/connector.h"
#include "networks/wire/json.h"

namespace parvis::networks {

// What is asked of a post, and of users.
inline constexpr char kXTweetFields[] = "created_at,conversation_id,in_reply_to_user_id,referenced_tweets,entities,author_id";
inline constexpr char kXUserFields[] = "name,username";

// `users`: includes.users. nullopt when it cannot be understood.
std::optional<Happening> XHappening(const Json& tweet, const Json& users, const std::string& us);

}  // namespace parvis::networks
