// What exists in the sandbox: accounts on simulated networks, and the items (posts, comments, media) below them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/time/time.h>

namespace parvis::sandbox {

// What each is like: nature.h.
enum class Network {
  kFacebook, kX, kBlog, kInstagram, kYoutube, kLinkedin, kBluesky, kMastodon, kGhost, kDiscourse, kNodebb, kFeed
};

// "facebook", "x", "wordpress", ...
std::string_view NameOf(Network network);
// The inverse; "blog" is accepted for "wordpress".
std::optional<Network> NetworkOf(std::string_view name);
std::string NetworkNames();   // "facebook, x, ..."

enum class TokenState { kValid, kExpired, kRevoked };

// A Page, a user, a channel, an organisation, or a site (with the one user that Parvis signs in as).
struct Account {
  Network network = Network::kFacebook;
  std::string id;      // page id, user id, slug of the blog
  std::string name;    // "Maison Lumen"
  std::string handle;  // X: user name without '@'; blog: user name; Facebook: vanity name
  std::string token;   // Facebook, X: access token; blog: application password (with its spaces)
  TokenState token_state = TokenState::kValid;
  int utc_offset_minutes = 0;  // blog: site time minus UTC
  bool hold_comments = false;  // visitors' comments wait for approval
  bool personal = false;       // `token` is a person's, who manages this account (Facebook), and not the account's own
};
using AccountPtr = std::shared_ptr<const Account>;

// One post, comment, mention or medium. Immutable once shared: a change makes a new Item under the same id.
struct Item {
  enum class Kind { kPost, kComment, kMention, kMedia };
  Network network = Network::kFacebook;
  Kind kind = Kind::kPost;
  std::string account;           // id of the account in whose channel it is
  std::string id, parent, post;  // parent: what it answers ("" for a post); post: our post it hangs below, or ""
  std::string thread;            // Facebook, blog: the top-level comment; X: the conversation id
  std::string author_id, author_name, author_handle;
  bool by_us = false;
  std::string text;                 // as the network shows it (on X with t.co links)
  std::string title, link, status;  // status: blog: approved, hold, spam, trash; publish, draft, future, ...
  std::vector<std::pair<std::string, std::string>> urls;  // X: (t.co link, what was written)
  std::map<std::string, std::string> extra;  // what only this network knows: "topic_id", "likes", "privacy", ...
  std::string media;            // media: content type; posts: ids of attached media, comma-separated
  absl::Time created, changed;  // changed: of the last edit, hiding or removal; else equal to created
  bool hidden = false, deleted = false, edited = false, published = true;
  int64_t thread_seq = 0;  // 1, 2, 3 ... within the thread, in order of acceptance; 0 for posts
};
using ItemPtr = std::shared_ptr<const Item>;

inline std::string Extra(const Item& item, const std::string& name, const std::string& otherwise = "") {
  const auto it = item.extra.find(name);
  return it == item.extra.end() ? otherwise : it->second;
}

// What happened, for the networks' webhooks.
struct Notice {
  enum class Kind { kAdd, kEdit, kRemove, kHide, kUnhide };
  Kind kind = Kind::kAdd;
  ItemPtr item;                      // as it is after the change
  AccountPtr account;                // in whose channel it happened
  std::string actor_id, actor_name;  // who did it
  absl::Time time;
  std::string deed;                  // as the journal calls it
};

}  // namespace parvis::sandbox
