// World: accounts, and reading what is there.
#include <algorithm>

#include <absl/strings/ascii.h>

#include "platform/base/ids.h"
#include "sandbox/domain/cat.h"
#include "sandbox/domain/nature.h"
#include "sandbox/domain/world.h"

namespace parvis::sandbox {
namespace {

// "Maison Lumen" -> "maisonlumen", at most 8 characters: with the number, X's limit of 15 holds.
std::string HandleOf(std::string_view name) {
  std::string out;
  for (char c : name) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) && out.size() < 8) {
      out.push_back(absl::ascii_tolower(static_cast<unsigned char>(c)));
    }
  }
  return out.empty() ? "brand" : out;
}

}  // namespace

StatusOr<AccountPtr> World::AddAccount(const NewAccount& account) {
  if (account.name.empty() || account.name.size() > 200) {
    return InvalidField("name", "OUT_OF_RANGE", "must have 1 to 200 bytes");
  }
  if (account.utc_offset_minutes < -14 * 60 || account.utc_offset_minutes > 14 * 60) {
    return InvalidField("utc_offset_minutes", "OUT_OF_RANGE", "must lie between -840 and 840");
  }
  std::lock_guard lock(mutex_);
  if (static_cast<int>(accounts_.size()) >= limits_.accounts_max) {
    return MakeError(Code::kResourceExhausted, "TOO_MANY_ACCOUNTS", "The sandbox holds too many accounts; reset it.");
  }
  auto made = std::make_shared<Account>();
  made->network = account.network;
  made->name = account.name;
  made->utc_offset_minutes = account.utc_offset_minutes;
  made->hold_comments = account.hold_comments;
  const int64_t number = ++last_account_;
  made->handle = account.handle.empty() ? Cat(HandleOf(account.name), number % 1'000'000) : account.handle;
  const Nature& nature = NatureOf(account.network);
  made->id = nature.account_id(number, HandleOf(account.name));
  made->token = nature.new_token();
  tokens_[KeyOf(account.network, made->token)] = made->id;
  AccountPtr shared = made;
  accounts_[KeyOf(account.network, shared->id)] = shared;
  return shared;
}

AccountPtr World::FindAccount(Network network, std::string_view id) const {
  std::lock_guard lock(mutex_);
  auto it = accounts_.find(KeyOf(network, id));
  return it == accounts_.end() ? nullptr : it->second;
}

AccountPtr World::FindByToken(Network network, std::string_view token) const {
  std::lock_guard lock(mutex_);
  auto it = tokens_.find(KeyOf(network, token));
  if (it == tokens_.end()) {
    auto granted = grants_.find(KeyOf(network, token));
    return granted == grants_.end() ? nullptr : OfGrant(network, token, granted->second);
  }
  auto account = accounts_.find(KeyOf(network, it->second));
  if (account == accounts_.end()) return nullptr;
  if (account->second->token == token) return account->second;
  auto old = std::make_shared<Account>(*account->second);  // a token that was replaced
  old->token_state = TokenState::kRevoked;
  return old;
}

AccountPtr World::FindByUser(Network network, std::string_view handle) const {
  std::lock_guard lock(mutex_);
  for (const auto& [key, account] : accounts_) {
    if (account->network == network && account->handle == handle) return account;
  }
  return nullptr;
}

std::vector<AccountPtr> World::Accounts() const {
  std::lock_guard lock(mutex_);
  std::vector<AccountPtr> out;
  for (const auto& [key, account] : accounts_) out.push_back(account);
  return out;
}

StatusOr<AccountPtr> World::RenewToken(Network network, std::string_view id) {
  std::lock_guard lock(mutex_);
  auto it = accounts_.find(KeyOf(network, id));
  if (it == accounts_.end()) return NotFound(id);
  auto renewed = std::make_shared<Account>(*it->second);
  renewed->token = NatureOf(network).new_token();
  renewed->token_state = TokenState::kValid;
  tokens_[KeyOf(network, renewed->token)] = renewed->id;
  it->second = renewed;
  return it->second;
}

StatusOr<AccountPtr> World::SetTokenState(Network network, std::string_view id, TokenState state) {
  std::lock_guard lock(mutex_);
  auto it = accounts_.find(KeyOf(network, id));
  if (it == accounts_.end()) return NotFound(id);
  auto changed = std::make_shared<Account>(*it->second);
  changed->token_state = state;
  it->second = changed;
  for (auto& [key, grant] : grants_) {
    if (state == TokenState::kValid || key[0] != KeyOf(network, "")[0]) continue;
    if (std::ranges::find(grant.accounts, id) != grant.accounts.end()) grant.state = state;
  }
  return it->second;
}

ItemPtr World::Find(Network network, std::string_view id) const {
  std::lock_guard lock(mutex_);
  auto it = items_.find(KeyOf(network, id));
  return it == items_.end() ? nullptr : it->second;
}

Page World::Read(Network network, List list, std::string_view id, const ListOptions& options) const {
  std::lock_guard lock(mutex_);
  Page page;
  const Index& index = indexes_[static_cast<int>(list)];
  auto found = index.find(KeyOf(network, id));
  if (found == index.end()) return page;
  const std::vector<std::string>& ids = found->second;
  const int64_t size = static_cast<int64_t>(ids.size());
  const int64_t step = options.newest_first ? -1 : 1;
  int64_t at = options.position >= 0 ? options.position : options.newest_first ? size - 1 : 0;
  auto item_at = [&](int64_t i) -> const ItemPtr& { return items_.at(KeyOf(network, ids[i])); };
  if (!options.newest_first && options.since > absl::InfinitePast()) {
    int64_t low = at, high = size;  // the first that is not older; lists are in order of creation
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      if (item_at(middle)->created < options.since)
        low = middle + 1;
      else
        high = middle;
    }
    at = low;
  }
  for (; at >= 0 && at < size; at += step) {
    const ItemPtr& item = item_at(at);
    if (item->created < options.since) break;
    if (item->deleted || (options.filter && !options.filter(*item))) continue;
    ++page.total;
    if (static_cast<int>(page.items.size()) < options.limit) {
      if (page.items.empty()) page.first = at;
      page.items.push_back(item);
      page.after = at + step;
    } else {
      if (page.next < 0) page.next = at;
      if (!options.count_all) break;
    }
  }
  return page;
}

World::Counts World::counts() const {
  std::lock_guard lock(mutex_);
  return {static_cast<int64_t>(accounts_.size()), static_cast<int64_t>(items_.size())};
}

void World::Reset() {
  std::lock_guard lock(mutex_);
  accounts_.clear();
  tokens_.clear();
  grants_.clear();
  items_.clear();
  for (Index& index : indexes_) index.clear();
  thread_seqs_.clear();
  written_.clear();
  marks_.clear();
  refuse_duplicates_ = true;
}

}  // namespace parvis::sandbox
