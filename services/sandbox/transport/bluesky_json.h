// What Bluesky's answers are made of, and what it demands of records.
#pragma once

#include <string>
#include <string_view>

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

inline constexpr std::string_view kBskyPost = "app.bsky.feed.post";
inline constexpr std::string_view kBskyGate = "app.bsky.feed.threadgate";
inline constexpr std::string_view kBskyBlock = "app.bsky.graph.block";

net::HttpResponse XrpcError(int status, std::string_view name, std::string_view message);
net::HttpResponse XrpcInvalid(std::string_view message);  // 400 InvalidRequest
// 429; `state` is that of the budget that is used up, or of none (then a short wait is told).
net::HttpResponse BskyTooMany(const LimitState& state, int seconds, absl::Time now);

std::string BskyTime(absl::Time time);
std::string BskyHandle(std::string_view handle);  // "maison" -> "maison.bsky.social"; a domain stays
// A CIDv1: of a record ("bafyrei...") or of a blob ("bafkrei..."). The digest is of the JSON text here, not of its
// CBOR.
std::string BskyCid(std::string_view content, bool blob);
std::string CidOf(const Item& item);
// The record of a post: as it was written, or made of what the audience wrote. `first`: what the AppView shows.
Json BskyRecord(const World& world, const Item& item, bool first);
Json StrongRef(const World& world, const std::string& uri);
bool IsTid(std::string_view text);
bool IsDid(std::string_view text);
bool IsAtUri(std::string_view text);

// "" or what a record violates of its lexicon.
std::string CheckPostRecord(const Json& record);
std::string CheckGateRecord(const Json& record);
std::string CheckBlockRecord(const Json& record);

}  // namespace parvis::sandbox
