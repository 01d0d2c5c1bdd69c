// World: the tokens of sign-ins.
#include "platform/base/ids.h"
#include "sandbox/domain/nature.h"
#include "sandbox/domain/world.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kGrantsMax = 200'000;

}  // namespace

AccountPtr World::OfGrant(Network network, std::string_view token, const Grant& grant) const {
  const auto it = accounts_.find(KeyOf(network, grant.accounts.front()));
  if (it == accounts_.end()) return nullptr;
  auto account = std::make_shared<Account>(*it->second);
  account->token = token;
  account->personal = grant.personal;
  account->token_state = grant.state;
  if (grant.state == TokenState::kValid && clock_.WallNow() >= grant.expires)
    account->token_state = TokenState::kExpired;
  return account;
}

StatusOr<std::string> World::AddGrant(Network network, const Grant& grant) {
  if (grants_.size() >= kGrantsMax) {
    return MakeError(Code::kResourceExhausted, "TOO_MANY_TOKENS", "The sandbox holds too many tokens; reset it.");
  }
  if (grant.accounts.empty()) return InvalidField("accounts", "REQUIRED", "a token opens an account");
  for (const std::string& id : grant.accounts) {
    if (!accounts_.contains(KeyOf(network, id))) return NotFound(id);
  }
  const std::string token = NatureOf(network).new_token();
  grants_[KeyOf(network, token)] = grant;
  return token;
}

StatusOr<std::string> World::GrantToken(Network network, const Grant& grant) {
  std::lock_guard lock(mutex_);
  return AddGrant(network, grant);
}

std::optional<World::Grant> World::FindGrant(Network network, std::string_view token) const {
  std::lock_guard lock(mutex_);
  const auto it = grants_.find(KeyOf(network, token));
  return it == grants_.end() ? std::nullopt : std::optional(it->second);
}

void World::RevokeToken(Network network, std::string_view token) {
  std::lock_guard lock(mutex_);
  const auto it = grants_.find(KeyOf(network, token));
  if (it != grants_.end()) it->second.state = TokenState::kRevoked;
}

std::vector<AccountPtr> World::PagesOf(Network network, std::string_view token) {
  std::lock_guard lock(mutex_);
  const auto it = grants_.find(KeyOf(network, token));
  std::vector<AccountPtr> out;
  if (it == grants_.end() || !it->second.personal) return out;
  const Grant person = it->second;
  std::map<std::string, std::string> pages = person.pages;
  for (const std::string& id : person.accounts) {
    if (!pages.contains(id)) {
      const absl::Time expires = person.lasting ? absl::InfiniteFuture() : person.expires;
      const StatusOr<std::string> made = AddGrant(network, {.accounts = {id}, .expires = expires});
      if (!made.ok()) break;
      pages[id] = *made;
    }
    if (AccountPtr account = OfGrant(network, pages[id], grants_[KeyOf(network, pages[id])]))
      out.push_back(std::move(account));
  }
  grants_[KeyOf(network, token)].pages = std::move(pages);
  return out;
}

}  // namespace parvis::sandbox
