#include "sandbox/transport/bluesky_json.h"

#include <openssl/sha.h>

#include "sandbox/domain/cat.h"

namespace parvis::sandbox {
namespace {

// RFC 4648 base32, lower case, no padding: multibase "b".
std::string Base32(std::string_view bytes) {
  constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
  std::string out;
  uint32_t held = 0;
  int bits = 0;
  for (const char c : bytes) {
    held = held << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 5; bits -= 5) out.push_back(kAlphabet[held >> (bits - 5) & 31]);
    held &= (1u << bits) - 1;
  }
  if (bits > 0) out.push_back(kAlphabet[held << (5 - bits) & 31]);
  return out;
}

// Who is mentioned: the account, where its handle stands in the text.
Json MentionsIn(const World& world, const Item& item) {
  Json facets = Json::array();
  const AccountPtr account = world.FindAccount(item.network, item.account);
  if (account == nullptr || item.by_us) return facets;
  const std::string at = Cat("@", account->handle);
  const size_t start = item.text.find(at);
  if (start == std::string::npos) return facets;
  facets.push_back({{"index", {{"byteStart", start}, {"byteEnd", start + at.size()}}},
                    {"features", {{{"$type", "app.bsky.richtext.facet#mention"}, {"did", account->id}}}}});
  return facets;
}

}  // namespace

net::HttpResponse XrpcError(int status, std::string_view name, std::string_view message) {
  return JsonResponse(status, {{"error", name}, {"message", message}}, false);
}
net::HttpResponse XrpcInvalid(std::string_view message) { return XrpcError(400, "InvalidRequest", message); }

std::string BskyTime(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone()); }

std::string BskyHandle(std::string_view handle) {
  return handle.find('.') == std::string_view::npos ? Cat(handle, ".bsky.social") : std::string(handle);
}

std::string BskyCid(std::string_view content, bool blob) {
  std::string bytes = {'\x01', blob ? '\x55' : '\x71', '\x12', '\x20'};
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(content.data()), content.size(), digest);
  bytes.append(reinterpret_cast<const char*>(digest), sizeof digest);
  return Cat("b", Base32(bytes));
}

std::string CidOf(const Item& item) {
  const auto it = item.extra.find("cid");
  return it == item.extra.end() ? BskyCid(item.id, false) : it->second;
}

Json StrongRef(const World& world, const std::string& uri) {
  const ItemPtr item = world.Find(Network::kBluesky, uri);
  return {{"uri", uri}, {"cid", item == nullptr ? BskyCid(uri, false) : CidOf(*item)}};
}

Json BskyRecord(const World& world, const Item& item, bool first) {
  auto written = first ? item.extra.find("first") : item.extra.end();
  if (written == item.extra.end()) written = item.extra.find("record");
  if (written != item.extra.end()) return Json::parse(written->second, nullptr, false);
  Json record = {{"$type", kBskyPost}, {"text", item.text}, {"createdAt", BskyTime(item.created)}, {"langs", {"fr"}}};
  if (!item.parent.empty()) {
    record["reply"] = {{"root", StrongRef(world, item.thread)}, {"parent", StrongRef(world, item.parent)}};
  }
  if (Json facets = MentionsIn(world, item); !facets.empty()) record["facets"] = std::move(facets);
  return record;
}

bool IsTid(std::string_view text) {
  return text.size() == 13 && text.find_first_not_of("234567abcdefghijklmnopqrstuvwxyz") == std::string_view::npos &&
         std::string_view("234567abcdefghij").find(text[0]) != std::string_view::npos;
}

bool IsDid(std::string_view text) {
  if (!text.starts_with("did:") || text.size() > 2048) return false;
  const size_t colon = text.find(':', 4);
  return colon != std::string_view::npos && colon > 4 && colon + 1 < text.size();
}

bool IsAtUri(std::string_view text) {
  return text.starts_with("at://") && IsDid(text.substr(5, text.find('/', 5) - 5)) && SplitPath(text).size() == 4;
}

}  // namespace parvis::sandbox
