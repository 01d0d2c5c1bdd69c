#include "sandbox/domain/nature.h"

#include <array>

#include "platform/base/ids.h"
#include "sandbox/domain/cat.h"
#include "sandbox/domain/linkedin_urns.h"
#include "sandbox/domain/forum.h"
#include "sandbox/domain/random.h"

namespace parvis::sandbox {
namespace {

constexpr std::string_view kUrlSafe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";      // did:plc
constexpr std::string_view kSortable = "234567abcdefghijklmnopqrstuvwxyz";    // TIDs (facts 6.2)

// `length` characters of `alphabet` that depend on `number` alone.
std::string Spelled(uint64_t number, std::string_view alphabet, int length) {
  Rng rng(number);
  std::string out;
  for (int i = 0; i < length; ++i) out.push_back(alphabet[rng.Below(alphabet.size())]);
  return out;
}

uint64_t Hash(std::string_view text) {   // FNV-1a
  uint64_t hash = 14695981039346656037ull;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return hash;
}

// The last part of an id: "14_7" -> "7".
std::string_view Behind(std::string_view id, char mark) {
  const size_t at = id.rfind(mark);
  return at == std::string_view::npos ? id : id.substr(at + 1);
}

std::string Same(std::string_view id) { return std::string(id); }
std::string Number(const IdSeed& seed) { return std::to_string(seed.number); }

// A post of Facebook is "{page}_{number}", a comment "{number of the post}_{number}".
std::string FacebookId(const IdSeed& seed) {
  const std::string number = std::to_string(122'000'000'000'000 + seed.number);
  if (seed.kind == Item::Kind::kMedia) return number;
  if (seed.kind == Item::Kind::kPost || seed.post.empty()) return Cat(seed.account, "_", number);
  return Cat(Behind(seed.post, '_'), "_", number);
}

// X ids are snowflakes: milliseconds since 2010-11-04T01:42:54.657Z shifted by 22 bits, far above 2^53. The seed's are made unique
// in 16 bits of shift; six more keep that.
std::string XId(const IdSeed& seed) { return std::to_string((seed.snowflake - (1288834974657 << 16)) << 6); }
// Mastodon: milliseconds since 1970 shifted by 16 bits.
std::string MastodonId(const IdSeed& seed) { return std::to_string(seed.snowflake); }
std::string InstagramId(const IdSeed& seed) {
  return std::to_string((seed.kind == Item::Kind::kComment ? 17'850'000'000'000'000 : 18'000'000'000'000'000) + seed.number);
}

// Videos have 11 characters, comments 26, answers the comment's id and 22 more (facts 4).
std::string YoutubeId(const IdSeed& seed) {
  const uint64_t number = static_cast<uint64_t>(seed.number);
  if (seed.kind != Item::Kind::kComment) return Spelled(number, kUrlSafe, 11);
  if (seed.parent.empty() || seed.parent == seed.post) return Cat("Ugx", Spelled(number, kUrlSafe, 16), "4AaABAg");
  return Cat(seed.parent.substr(0, seed.parent.find('.')), ".", Spelled(number, kUrlSafe, 22));
}

// People are channels.
std::string YoutubePerson(std::string_view id) {
  return id.size() == 24 && id.starts_with("UC") ? std::string(id) : Cat("UC", Spelled(Hash(id), kUrlSafe, 22));
}

// urn:li:share:N (with something attached urn:li:ugcPost:N), urn:li:comment:(urn:li:activity:A,M); numbers beyond 2^53
// (facts 5).
std::string LinkedinId(const IdSeed& seed) {
  const std::string number = std::to_string(7'130'000'000'000'000'000 + seed.number);
  if (seed.kind == Item::Kind::kMedia) {
    return Cat("urn:li:", seed.media.substr(0, seed.media.find('/')), ":D4E",
               Spelled(static_cast<uint64_t>(seed.number), kUrlSafe, 19));
  }
  if (seed.kind != Item::Kind::kComment) return Cat(seed.media.empty() ? "urn:li:share:" : "urn:li:ugcPost:", number);
  if (!seed.post.empty()) return LinkedinCommentUrn(seed.post, number);
  // Below somebody else's post, which mentions us.
  if (!seed.parent.starts_with(kLinkedinComment)) return LinkedinCommentUrn(seed.parent, number);
  return Cat(seed.parent.substr(0, seed.parent.rfind(',') + 1), number, ")");
}

// People are urn:li:person:X, X being ten characters that differ from app to app.
std::string LinkedinPerson(std::string_view id) {
  return id.starts_with("urn:li:") ? std::string(id) : Cat("urn:li:person:", Spelled(Hash(id), kUrlSafe, 10));
}

// at://did/collection/rkey, the rkey a TID: microseconds and ten bits (facts 6.2).
std::string BlueskyId(const IdSeed& seed) {
  uint64_t bits = static_cast<uint64_t>(absl::ToUnixMicros(seed.now)) << 10 | (static_cast<uint64_t>(seed.number) & 1023);
  std::string tid(13, '2');
  for (size_t i = tid.size(); i-- > 0; bits >>= 5) tid[i] = kSortable[bits & 31];
  return Cat("at://", seed.author.empty() ? seed.account : seed.author, "/app.bsky.feed.post/", tid);
}
std::string BlueskyPerson(std::string_view id) {
  return id.starts_with("did:") ? std::string(id) : Cat("did:plc:", Spelled(Hash(id), kBase32, 24));
}

// Ghost: 24 hexadecimal digits, the first eight of them seconds.
std::string GhostId(const IdSeed& seed) {
  char text[32];
  std::snprintf(text, sizeof text, "%08llx%016llx", static_cast<unsigned long long>(absl::ToUnixSeconds(seed.now)),
                static_cast<unsigned long long>(seed.number));
  return text;
}

std::string FeedId(const IdSeed& seed) { return Cat("tag:", seed.account, ",2026:", seed.number); }

// Members have ids like everything else there.
std::string GhostPerson(std::string_view id) {
  const bool one = id.size() == 24 && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return one ? std::string(id) : Spelled(Hash(id), "0123456789abcdef", 24);
}

Fields AccessToken(const Account& account) { return {{"access_token", account.token}}; }
// A session's token, and the app password (four groups of four) that gets one.
Fields BlueskySession(const Account& account) {
  std::string password = Spelled(Hash(Cat("app password of ", account.id)), kBase32, 16);
  for (const size_t at : {12, 8, 4}) password.insert(at, "-");
  return {{"access_token", account.token}, {"app_password", password}};
}
Fields ApplicationPassword(const Account& account) {
  return {{"username", account.handle}, {"application_password", account.token}};
}
// The key of an integration, and the member that comments are written by.
Fields AdminKey(const Account& account) {
  return {{"admin_key", account.token}, {"member_id", GhostPerson(Cat("member of ", account.id))}};
}
Fields ApiKey(const Account& account) { return {{"api_key", account.token}, {"api_username", account.handle}}; }
Fields Nothing(const Account&) { return {}; }

std::string MetaToken() { return "EAAsandbox" + RandomHex(48); }
std::string XToken() { return "sandbox-x-" + RandomHex(48); }
std::string HexToken() { return "sandbox-" + RandomHex(48); }
std::string ForumKey() { return RandomHex(64); }
std::string GhostKey() { return RandomHex(24) + ":" + RandomHex(64); }
// WordPress shows application passwords in groups of four.
std::string BlogPassword() {
  const std::string hex = RandomHex(24);
  std::string out;
  for (size_t i = 0; i < hex.size(); i += 4) out += (i == 0 ? "" : " ") + hex.substr(i, 4);
  return out;
}

std::string PageAccount(int64_t number, std::string_view) { return std::to_string(100'000'000'000'000 + number); }
std::string XAccount(int64_t number, std::string_view) { return std::to_string(1'700'000'000'000'000'000 + number); }
std::string SlugAccount(int64_t number, std::string_view slug) { return Cat(slug, "-", number % 1'000'000'000); }
std::string InstagramAccount(int64_t number, std::string_view) { return std::to_string(17'841'400'000'000'000 + number); }
std::string YoutubeAccount(int64_t number, std::string_view) {
  return Cat("UC", Spelled(static_cast<uint64_t>(number), kUrlSafe, 22));
}
std::string LinkedinAccount(int64_t number, std::string_view) { return Cat("urn:li:organization:", 10'000'000 + number % 80'000'000); }
std::string BlueskyAccount(int64_t number, std::string_view slug) { return BlueskyPerson(Cat(slug, number)); }
std::string MastodonAccount(int64_t number, std::string_view) { return std::to_string(109'000'000'000'000'000 + number); }
std::string NumberAccount(int64_t number, std::string_view) { return std::to_string(number); }
// The users of forums have numbers.
std::string ForumPerson(std::string_view id) {
  const bool number = !id.empty() && id.find_first_not_of("0123456789") == std::string_view::npos;
  return number ? std::string(id) : std::to_string(1'000'000 + Hash(id) % 1'000'000'000);
}
// Topics and posts are numbered apart; a post has its place in the topic besides (facts 9, 10).
void DiscourseNumbers(Item& placed, const Item* parent) {
  if (placed.kind == Item::Kind::kMedia) return;
  placed.extra["topic_id"] = TopicOfFirstPost(placed.post);
  placed.extra["post_number"] = std::to_string(placed.thread_seq + 1);
  // An answer to the first post is one to the topic, unless its number was named.
  if (parent == nullptr || (parent->kind == Item::Kind::kPost && !placed.extra.contains("to_first"))) return;
  placed.extra["reply_to"] = Extra(*parent, "post_number");
}
void NodebbNumbers(Item& placed, const Item* parent) {
  if (placed.kind == Item::Kind::kMedia) return;
  placed.extra["tid"] = TopicOfFirstPost(placed.post);
  placed.extra["index"] = std::to_string(placed.thread_seq);
  if (parent == nullptr || (parent->kind == Item::Kind::kPost && !placed.extra.contains("to_first"))) return;
  placed.extra["toPid"] = parent->id;
}

const std::array<Nature, 12>& Natures() {
  static const auto* const natures = new std::array<Nature, 12>{{
      {.network = Network::kFacebook, .name = "facebook", .base_path = "/facebook/v23.0", .account_id = PageAccount,
       .item_id = FacebookId, .person_id = Same, .credentials = AccessToken, .new_token = MetaToken, .two_levels = true,
       .whole_seconds = true, .edits = true, .removals = true, .localised = true},
      {.network = Network::kX, .name = "x", .base_path = "/x", .account_id = XAccount, .item_id = XId, .person_id = Same,
       .credentials = AccessToken, .new_token = XToken, .conversations = true, .short_links = true, .mentions = true,
       .names_in_answers = true, .removals = true},
      {.network = Network::kBlog, .name = "wordpress", .base_path = "/blog/{id}", .account_id = SlugAccount, .item_id = Number,
       .person_id = Same, .credentials = ApplicationPassword, .new_token = BlogPassword, .holds = true, .localised = true},
      {.network = Network::kInstagram, .name = "instagram", .base_path = "/instagram/v23.0", .account_id = InstagramAccount,
       .item_id = InstagramId, .person_id = Same, .credentials = AccessToken, .new_token = MetaToken, .two_levels = true,
       .whole_seconds = true, .mentions = true, .removals = true, .localised = true},
      {.network = Network::kYoutube, .name = "youtube", .base_path = "/youtube", .account_id = YoutubeAccount,
       .item_id = YoutubeId, .person_id = YoutubePerson, .credentials = AccessToken, .new_token = HexToken,
       .two_levels = true, .whole_seconds = true, .holds = true, .edits = true, .removals = true},
      {.network = Network::kLinkedin, .name = "linkedin", .base_path = "/linkedin", .account_id = LinkedinAccount,
       .item_id = LinkedinId, .person_id = LinkedinPerson, .credentials = AccessToken, .new_token = HexToken,
       .two_levels = true, .mentions = true, .edits = true, .removals = true},
      {.network = Network::kBluesky, .name = "bluesky", .base_path = "/bluesky", .account_id = BlueskyAccount,
       .item_id = BlueskyId, .person_id = BlueskyPerson, .credentials = BlueskySession, .new_token = HexToken,
       .conversations = true, .mentions = true, .removals = true},
      {.network = Network::kMastodon, .name = "mastodon", .base_path = "/mastodon", .account_id = MastodonAccount,
       .item_id = MastodonId, .person_id = Same, .credentials = AccessToken, .new_token = HexToken, .conversations = true,
       .mentions = true, .names_in_answers = true, .edits = true, .removals = true, .localised = true},
      {.network = Network::kGhost, .name = "ghost", .base_path = "/ghost/{id}", .account_id = SlugAccount, .item_id = GhostId,
       .person_id = GhostPerson, .credentials = AdminKey, .new_token = GhostKey, .two_levels = true, .whole_seconds = true,
       .edits = true, .removals = true},
      {.network = Network::kDiscourse, .name = "discourse", .base_path = "/discourse/{id}", .account_id = NumberAccount,
       .item_id = Number, .person_id = ForumPerson, .credentials = ApiKey, .new_token = ForumKey, .number = DiscourseNumbers,
       .conversations = true, .holds = true, .edits = true, .removals = true, .localised = true},
      {.network = Network::kNodebb, .name = "nodebb", .base_path = "/nodebb/{id}", .account_id = NumberAccount,
       .item_id = Number, .person_id = ForumPerson, .credentials = AccessToken, .new_token = HexToken, .number = NodebbNumbers,
       .conversations = true, .holds = true, .edits = true, .removals = true, .localised = true},
      {.network = Network::kFeed, .name = "feed", .base_path = "/feed/{id}", .account_id = SlugAccount, .item_id = FeedId,
       .person_id = Same, .credentials = Nothing, .new_token = HexToken, .comments = false, .mentions = true, .edits = true},
  }};
  return *natures;
}

}  // namespace

const Nature& NatureOf(Network network) { return Natures()[static_cast<size_t>(network)]; }

std::string_view NameOf(Network network) { return NatureOf(network).name; }

std::optional<Network> NetworkOf(std::string_view name) {
  if (name == "blog") return Network::kBlog;
  for (const Nature& nature : Natures()) {
    if (name == nature.name) return nature.network;
  }
  return std::nullopt;
}

std::string NetworkNames() {
  std::string out;
  for (const Nature& nature : Natures()) out += (out.empty() ? "" : ", ") + std::string(nature.name);
  return out;
}

}  // namespace parvis::sandbox
