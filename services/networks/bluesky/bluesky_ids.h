// The ids of the AT Protocol: at-URIs (at://<did>/<collection>/<record key>) and record keys that are TIDs. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "networks/connector.h"

namespace parvis::networks {

inline constexpr char kBlueskyPosts[] = "app.bsky.feed.post";
inline constexpr char kBlueskyGates[] = "app.bsky.feed.threadgate";
inline constexpr char kBlueskyBlocks[] = "app.bsky.graph.block";

// "" when it is no at-URI with all three parts.
std::string DidOf(std::string_view uri);
std::string CollectionOf(std::string_view uri);
std::string RkeyOf(std::string_view uri);
std::string BlueskyUri(std::string_view did, std::string_view collection, std::string_view rkey);
bool IsBlueskyPost(std::string_view uri);
bool IsOurBlueskyPost(std::string_view uri, const Account& account);
std::string BlueskyPermalink(std::string_view uri);

// 13 characters of base32-sortable; the top bit is 0 (atproto.com/specs/tid).
std::string EncodeTid(uint64_t micros, uint32_t clock_id);
// The record key of what is written with this idempotency key: of the time in a UUIDv7, so that keys sort as their
// posts do, with twenty bits of hash below the millisecond; of a hash alone for every other key.
std::string TidOfKey(std::string_view idempotency_key);

}  // namespace parvis::networks
