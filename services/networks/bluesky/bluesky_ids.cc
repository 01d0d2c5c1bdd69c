#include "networks/bluesky/bluesky_ids.h"

#include "platform/base/ids.h"

namespace parvis::networks {
namespace {

constexpr std::string_view kScheme = "at://";

// The `wanted`th of the three parts.
std::string PartOf(std::string_view uri, int wanted) {
  if (uri.substr(0, kScheme.size()) != kScheme) return "";
  uri.remove_prefix(kScheme.size());
  std::string out;
  for (int part = 0; part < 3; ++part) {
    const size_t end = part == 2 ? uri.size() : uri.find('/');
    if (end == std::string_view::npos || end == 0) return "";
    const std::string_view text = uri.substr(0, end);
    if (text.find_first_of("/?# ") != std::string_view::npos) return "";
    if (part == wanted) out = std::string(text);
    uri.remove_prefix(part == 2 ? end : end + 1);
  }
  return out;
}

}  // namespace

std::string DidOf(std::string_view uri) { return PartOf(uri, 0); }
std::string CollectionOf(std::string_view uri) { return PartOf(uri, 1); }
std::string RkeyOf(std::string_view uri) { return PartOf(uri, 2); }

std::string BlueskyUri(std::string_view did, std::string_view collection, std::string_view rkey) {
  return std::string(kScheme) + std::string(did) + "/" + std::string(collection) + "/" + std::string(rkey);
}

bool IsBlueskyPost(std::string_view uri) { return CollectionOf(uri) == kBlueskyPosts; }

bool IsOurBlueskyPost(std::string_view uri, const Account& account) {
  return IsBlueskyPost(uri) && DidOf(uri) == account.remote_id;
}

std::string BlueskyPermalink(std::string_view uri) {
  return "https://bsky.app/profile/" + DidOf(uri) + "/post/" + RkeyOf(uri);
}

std::string EncodeTid(uint64_t micros, uint32_t clock_id) {
  uint64_t value = ((micros & ((1ULL << 53) - 1)) << 10) | (clock_id & 0x3FF);
  std::string out(13, '2');
  for (int i = 12; i >= 0; --i, value >>= 5) {
    out[static_cast<size_t>(i)] = "234567abcdefghijklmnopqrstuvwxyz"[value & 31];
  }
  return out;
}

std::string TidOfKey(std::string_view key) {
  uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a with splitmix64's last mix
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ULL;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebULL;
  hash ^= hash >> 31;
  const uint32_t low = static_cast<uint32_t>(hash & 0x3FF);
  if (IsUuid(key) && key[14] == '7') {
    return EncodeTid(static_cast<uint64_t>(absl::ToUnixMicros(TimeOfUuid7(key))) + (hash >> 11) % 1000, low);
  }
  return EncodeTid(hash >> 11, low);
}

}  // namespace parvis::networks
