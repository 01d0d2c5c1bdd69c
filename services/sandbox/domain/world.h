// The state of the simulated networks. Every change is journalled first and then told to the listener, all under one
// lock: the order of the journal is the order in which things happened.
//
// What a network refuses (wrong token, text too long, ...) is decided by transport/, in the network's own words; the
// World refuses only what would make its state wrong.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "sandbox/domain/journal.h"
#include "sandbox/domain/model.h"

namespace parvis::sandbox {

struct WorldLimits {
  int accounts_max = 1000;
  int64_t items_max = 2'000'000;
};

// Who writes, and what the journal says about it besides the item.
struct WriteContext {
  std::string by = "us";  // "us", "audience", "control"
  std::string actor_id, actor_name;
  std::string digest, label, language;
  Answer answered = Answer::kOk;
};

// A new item. `parent` must be the id of an existing item for comments.
struct NewItem {
  Network network = Network::kFacebook;
  Item::Kind kind = Item::Kind::kPost;
  std::string account, parent;
  std::string author_id, author_name, author_handle;
  std::string text;
  std::string written;  // what was sent, when the network shows something else; "" = text
  std::string title, link, status, media;
  std::vector<std::pair<std::string, std::string>> urls;
  std::map<std::string, std::string> extra;
  bool by_us = false, published = true;
  std::string id;                             // where the writer chooses it (Bluesky); "" = the network's next
  absl::Time created = absl::InfinitePast();  // InfinitePast: now
};

// How lists are read: positions are indexes into the order of creation, so they stay valid while items are added.
struct Page {
  std::vector<ItemPtr> items;
  int64_t next = -1;             // position to go on at, or -1
  int64_t first = 0, after = 0;  // position of the first item, and the one behind the last (-1: before the oldest)
  int64_t total = 0;             // matching items, where `count_all` was asked for
};
struct ListOptions {
  bool newest_first = true;
  int64_t position = -1;  // -1: from the start
  int limit = 25;
  bool count_all = false;
  absl::Time since = absl::InfinitePast();  // nothing created before is read (nor walked over)
  std::function<bool(const Item&)> filter;  // nullptr: all
};

// Thread-safe.
class World {
 public:
  // Must be quick and must not call the World.
  using Listener = std::function<void(const Notice&)>;
  World(const WorldLimits& limits, const Clock& clock, Journal& journal);
  void Listen(Listener listener);  // before anything else happens; several may listen

  // ---- accounts ----
  struct NewAccount {
    Network network = Network::kFacebook;
    std::string name, handle;
    int utc_offset_minutes = 0;
    bool hold_comments = false;
  };
  StatusOr<AccountPtr> AddAccount(const NewAccount& account);             // RESOURCE_EXHAUSTED TOO_MANY_ACCOUNTS
  AccountPtr FindAccount(Network network, std::string_view id) const;     // nullptr if unknown
  AccountPtr FindByToken(Network network, std::string_view token) const;  // Facebook, X; old tokens too
  AccountPtr FindByUser(Network network, std::string_view handle) const;
  std::vector<AccountPtr> Accounts() const;
  // A new token for the account; the old one is then revoked.
  StatusOr<AccountPtr> RenewToken(Network network, std::string_view id);
  // All tokens that the account has by then; "valid" is only the one that it was made with.
  StatusOr<AccountPtr> SetTokenState(Network network, std::string_view id, TokenState state);

  // A further token, of a sign-in.
  struct Grant {
    std::vector<std::string> accounts;  // that it opens; calls are those of the first
    absl::Time expires = absl::InfiniteFuture();
    bool personal = false;  // as in Account
    bool lasting = false;   // what is made from a personal one does not expire
    TokenState state = TokenState::kValid;
    std::map<std::string, std::string> pages = {};  // tokens made from a personal one, by account
  };
  StatusOr<std::string> GrantToken(Network network, const Grant& grant);  // RESOURCE_EXHAUSTED TOO_MANY_TOKENS
  std::optional<Grant> FindGrant(Network network, std::string_view token) const;
  void RevokeToken(Network network, std::string_view token);
  // The accounts that a person manages, each with a token of its own; none for other tokens.
  std::vector<AccountPtr> PagesOf(Network network, std::string_view token);

  // ---- items ----
  StatusOr<ItemPtr> Create(const NewItem& item, const WriteContext& context);
  // NOT_FOUND when the item is not there (any more).
  StatusOr<ItemPtr> SetHidden(Network network, std::string_view id, bool hidden, const WriteContext& context);
  StatusOr<ItemPtr> SetStatus(Network network, std::string_view id, std::string_view status,
                              const WriteContext& context);
  StatusOr<ItemPtr> Edit(Network network, std::string_view id, const std::string& text, const WriteContext& context);
  StatusOr<ItemPtr> EditPost(Network network, std::string_view id, const std::function<void(Item&)>& change,
                             const WriteContext& context);
  StatusOr<ItemPtr> Delete(Network network, std::string_view id, const WriteContext& context);
  // Any other deed of ours on an item, journalled as `kind`: "approve", "spam", "lock", "unlock", "report", ... No webhook
  // tells of it.
  StatusOr<ItemPtr> Mark(Network network, std::string_view id, const char* kind, const WriteContext& context,
                         const std::function<void(Item&)>& change);
  // A deed on a person: "ban", "unban", "mute", "unmute", "report". Journalled with the person as remote_id; an "un" takes the
  // mark away.
  Status MarkPerson(Network network, std::string_view account, std::string_view person, const std::string& kind,
                    const WriteContext& context);
  bool IsMarked(Network network, std::string_view account, std::string_view person, const std::string& kind) const;
  // Counters and the like: changes `extra` and nothing else; no deed, so not in the journal. NOT_FOUND.
  StatusOr<ItemPtr> SetExtra(Network network, std::string_view id, const std::map<std::string, std::string>& extra);
  ItemPtr Find(Network network, std::string_view id) const;  // deleted items too; nullptr if never there

  enum class List {
    kPosts,     // of the account `id`
    kOwn,       // of the account `id`: its posts and its replies
    kComments,  // below the post (X: in the conversation) `id`, all levels
    kChildren,  // direct answers to the item `id`
    kInbox,     // all comments and mentions in the channel of the account `id`
    kMedia,     // of the account `id`
  };
  Page Read(Network network, List list, std::string_view id, const ListOptions& options) const;

  // Whether `text` was already written below `parent` by the account since `since` (the networks' duplicate rule).
  // Nothing, while duplicates are accepted: then a write that was sent twice is in the journal twice.
  ItemPtr FindDuplicate(Network network, std::string_view account, std::string_view parent, std::string_view text,
                        absl::Time since) const;

  void RefuseDuplicates(bool refuse);  // true unless told otherwise

  struct Counts {
    int64_t accounts = 0, items = 0;
  };
  Counts counts() const;
  // Forgets everything. Ids go on, so that nothing old is mistaken for something new.
  void Reset();

 private:
  using Index = std::unordered_map<std::string, std::vector<std::string>>;
  struct Written {
    absl::Time time;
    std::string id;
  };

  std::string NewId(const NewItem& item, const Item* parent, const Item* post);
  Status Place(const NewItem& item, Item& placed);
  void AddToIndexes(const Item& item);
  std::vector<std::string>& IndexOf(Network network, List list, std::string_view id);
  StatusOr<ItemPtr> Change(Network network, std::string_view id, std::optional<Notice::Kind> notice, const char* kind,
                           const WriteContext& context, const std::function<void(Item&)>& change, std::string text,
                           std::string status);
  StatusOr<std::string> AddGrant(Network network, const Grant& grant);
  AccountPtr OfGrant(Network network, std::string_view token, const Grant& grant) const;
  void Tell(Notice::Kind kind, const ItemPtr& item, const WriteContext& context, absl::Time time,
            std::string_view deed);
  static std::string KeyOf(Network network, std::string_view id);
  static std::string TextKey(Network network, std::string_view account, std::string_view parent, std::string_view text);

  const WorldLimits limits_;
  const Clock& clock_;
  Journal& journal_;
  std::vector<Listener> listeners_;

  mutable std::mutex mutex_;
  bool refuse_duplicates_ = true;
  std::map<std::string, AccountPtr> accounts_;           // by KeyOf
  std::unordered_map<std::string, std::string> tokens_;  // network and token -> account id
  std::unordered_map<std::string, Grant> grants_;        // by network and token
  std::unordered_map<std::string, ItemPtr> items_;       // by KeyOf
  Index indexes_[6];                                     // by List
  std::unordered_map<std::string, int64_t> thread_seqs_;
  std::unordered_map<std::string, Written> written_;  // by TextKey, for our own writes
  std::set<std::string> marks_;  // persons: KeyOf(account), person and kind
  int64_t last_snowflake_ = 0, last_number_ = 0, last_account_ = 0;
};

}  // namespace parvis::sandbox
