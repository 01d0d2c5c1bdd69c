#include "sandbox/domain/oauth.h"

#include <algorithm>

#include "platform/base/ids.h"
#include "sandbox/domain/cat.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kAppsMax = 10'000, kSecretsMax = 200'000, kRecordsMax = 10'000;
constexpr absl::Duration kNever = absl::InfiniteDuration();

constexpr absl::Duration Days(int days) { return absl::Hours(24 * days); }

const OAuthRules kRules[] = {
    {.network = Network::kX,
     .lives = {absl::Seconds(30), absl::Hours(2), Days(180)},
     .pkce = true,
     .plain = true,
     .refreshes = true,
     .used_up = true},
    {.network = Network::kMastodon, .lives = {absl::Minutes(10), kNever, kNever}},
    {.network = Network::kYoutube,
     .lives = {absl::Minutes(10), absl::Hours(1), kNever},
     .plain = true,
     .refreshes = true},
    {.network = Network::kLinkedin, .lives = {absl::Minutes(30), Days(60), Days(365)}, .refreshes = true},
    {.network = Network::kFacebook,
     .lives = {absl::Minutes(10), absl::Hours(2), kNever},
     .long_lived = Days(60),
     .personal = true},
};

}  // namespace

const OAuthRules* RulesOf(Network network) {
  const auto found = std::ranges::find(kRules, network, &OAuthRules::network);
  return found == std::end(kRules) ? nullptr : found;
}

std::string_view NameOf(OAuthEnd end) {
  switch (end) {
    case OAuthEnd::kDone:
      return "done";
    case OAuthEnd::kNoApp:
      return "no_app";
    case OAuthEnd::kWrongSecret:
      return "wrong_secret";
    case OAuthEnd::kNoCode:
      return "no_code";
    case OAuthEnd::kCodeExpired:
      return "code_expired";
    case OAuthEnd::kCodeUsed:
      return "code_used";
    case OAuthEnd::kWrongRedirect:
      return "wrong_redirect";
    case OAuthEnd::kNoVerifier:
      return "no_verifier";
    case OAuthEnd::kWrongVerifier:
      return "wrong_verifier";
    case OAuthEnd::kNoRefresh:
      return "no_refresh";
    case OAuthEnd::kRefreshUsed:
      return "refresh_used";
    case OAuthEnd::kRefreshEnded:
      return "refresh_ended";
    case OAuthEnd::kNoToken:
      return "no_token";
    case OAuthEnd::kFull:
      return "full";
  }
  return "full";
}

OAuth::OAuth(World& world, const Clock& clock, ChallengeOf challenge_of)
    : world_(world), clock_(clock), challenge_of_(std::move(challenge_of)) {
  for (const OAuthRules& rules : kRules) lives_[rules.network] = rules.lives;
}

std::string OAuth::KeyOf(Network network, std::string_view id) { return Cat(NameOf(network), "\n", id); }

Status OAuth::AddApp(Network network, const OAuthApp& app) {
  std::lock_guard lock(mutex_);
  if (apps_.size() >= kAppsMax) {
    return MakeError(Code::kResourceExhausted, "TOO_MANY_APPS", "The sandbox knows too many apps; reset it.");
  }
  apps_[KeyOf(network, app.id)] = app;
  return absl::OkStatus();
}

std::optional<OAuthApp> OAuth::FindApp(Network network, std::string_view id) const {
  std::lock_guard lock(mutex_);
  const auto it = apps_.find(KeyOf(network, id));
  return it == apps_.end() ? std::nullopt : std::optional(it->second);
}

std::vector<OAuthApp> OAuth::Apps(Network network) const {
  std::lock_guard lock(mutex_);
  std::vector<OAuthApp> out;
  for (const auto& [key, app] : apps_) {
    if (key == KeyOf(network, app.id)) out.push_back(app);
  }
  return out;
}

OAuthLives OAuth::LivesOf(Network network) const {
  std::lock_guard lock(mutex_);
  const auto it = lives_.find(network);
  return it == lives_.end() ? OAuthLives() : it->second;
}

void OAuth::SetLives(Network network, const OAuthLives& lives) {
  std::lock_guard lock(mutex_);
  lives_[network] = lives;
}

StatusOr<std::string> OAuth::Allow(Network network, const OAuthConsent& consent) {
  std::lock_guard lock(mutex_);
  if (codes_.size() >= kSecretsMax) {
    return MakeError(Code::kResourceExhausted, "TOO_MANY_CODES", "The sandbox holds too many codes; reset it.");
  }
  const std::string code = "sandbox-code-" + RandomHex(48);
  codes_[KeyOf(network, code)] = {consent, clock_.WallNow() + lives_[network].code};
  return code;
}

OAuthEnd OAuth::Check(const Given& code, const std::string& app, const std::string& redirect,
                      const std::string& verifier, absl::Time now) const {
  const OAuthConsent& consent = code.consent;
  if (consent.app != app) return OAuthEnd::kNoCode;
  if (code.used) return OAuthEnd::kCodeUsed;
  if (now >= code.until) return OAuthEnd::kCodeExpired;
  if (consent.redirect != redirect) return OAuthEnd::kWrongRedirect;
  if (consent.challenge.empty()) return OAuthEnd::kDone;
  if (verifier.empty()) return OAuthEnd::kNoVerifier;
  const std::string made = consent.method == "S256" ? challenge_of_(verifier) : verifier;
  return made == consent.challenge ? OAuthEnd::kDone : OAuthEnd::kWrongVerifier;
}

OAuthAnswer OAuth::Exchange(Network network, const std::string& app, const std::string& code,
                            const std::string& redirect, const std::string& verifier) {
  std::lock_guard lock(mutex_);
  const auto it = codes_.find(KeyOf(network, code));
  if (it == codes_.end()) return {OAuthEnd::kNoCode, {}};
  if (const OAuthEnd end = Check(it->second, app, redirect, verifier, clock_.WallNow()); end != OAuthEnd::kDone) {
    return {end, {}};
  }
  const OAuthConsent& consent = it->second.consent;
  Lasting of{.app = app, .scope = consent.scope, .accounts = consent.accounts};
  of.until = clock_.WallNow() + lives_[network].refresh;
  OAuthAnswer answer = Give(network, of, RulesOf(network)->refreshes && consent.offline);
  if (answer.end != OAuthEnd::kDone) return answer;
  it->second.used = true;
  Note(network, {"code", app, of.accounts.front(), code, verifier, answer.tokens.access, answer.tokens.refresh},
       "exchanged");
  return answer;
}

OAuthAnswer OAuth::Give(Network network, const Lasting& of, bool refresh) {
  OAuthAnswer answer;
  OAuthTokens& tokens = answer.tokens;
  tokens.now = clock_.WallNow();
  tokens.expires = tokens.now + lives_[network].access;
  tokens.refresh_expires = of.until;
  tokens.scope = of.scope;
  if (refreshes_.size() >= kSecretsMax) return {OAuthEnd::kFull, {}};
  const auto granted = world_.GrantToken(
      network, {.accounts = of.accounts, .expires = tokens.expires, .personal = RulesOf(network)->personal});
  if (!granted.ok()) return {OAuthEnd::kFull, {}};
  tokens.access = *granted;
  if (!refresh) return answer;
  tokens.refresh = "sandbox-refresh-" + RandomHex(48);
  Lasting next = of;
  next.access = tokens.access;
  refreshes_[KeyOf(network, tokens.refresh)] = std::move(next);
  return answer;
}

OAuthAnswer OAuth::Refresh(Network network, const std::string& app, const std::string& refresh) {
  std::lock_guard lock(mutex_);
  const auto it = refreshes_.find(KeyOf(network, refresh));
  if (it == refreshes_.end() || it->second.app != app) return {OAuthEnd::kNoRefresh, {}};
  Lasting& lasting = it->second;
  if (lasting.used) return {OAuthEnd::kRefreshUsed, {}};
  // Whoever takes the app's permission away ends the access token and what would bring the next one.
  const AccountPtr account = world_.FindByToken(network, lasting.access);
  if (account == nullptr || account->token_state == TokenState::kRevoked || clock_.WallNow() >= lasting.until) {
    return {OAuthEnd::kRefreshEnded, {}};
  }
  const bool used_up = RulesOf(network)->used_up;
  OAuthAnswer answer = Give(network, lasting, used_up);
  if (answer.end != OAuthEnd::kDone) return answer;
  lasting.used = used_up;
  lasting.access = answer.tokens.access;
  Note(network, {"refresh", app, lasting.accounts.front(), "", "", answer.tokens.access, answer.tokens.refresh},
       "refreshed");
  return answer;
}

OAuthAnswer OAuth::LongLived(Network network, const std::string& app, const std::string& access) {
  std::lock_guard lock(mutex_);
  const absl::Duration life = RulesOf(network)->long_lived;
  auto grant = world_.FindGrant(network, access);
  const AccountPtr account = world_.FindByToken(network, access);
  if (!grant || life == absl::ZeroDuration() || account->token_state != TokenState::kValid)
    return {OAuthEnd::kNoToken, {}};
  OAuthAnswer answer;
  answer.tokens.now = clock_.WallNow();
  answer.tokens.expires = grant->expires = answer.tokens.now + life;
  grant->lasting = true;
  grant->pages.clear();  // those live as long as the token that they were made from
  const auto granted = world_.GrantToken(network, *grant);
  if (!granted.ok()) return {OAuthEnd::kFull, {}};
  answer.tokens.access = *granted;
  Note(network, {"long_lived", app, grant->accounts.front(), "", "", *granted, ""}, "exchanged_for_long");
  return answer;
}

std::string OAuth::AccountOf(Network network, const std::string& secret) const {
  std::lock_guard lock(mutex_);
  const std::string key = KeyOf(network, secret);
  if (const auto it = codes_.find(key); it != codes_.end()) return it->second.consent.accounts.front();
  const auto it = refreshes_.find(key);
  return it == refreshes_.end() ? "" : it->second.accounts.front();
}

void OAuth::Refused(Network network, OAuthEnd end) {
  std::lock_guard lock(mutex_);
  ++counts_[network][Cat("refused_", NameOf(end))];
}

void OAuth::Note(Network network, OAuthRecord record, const char* count) {
  auto& records = records_[network];
  records.push_back(std::move(record));
  if (records.size() > kRecordsMax) records.pop_front();
  ++counts_[network][count];
}

std::vector<OAuthRecord> OAuth::Records(Network network) const {
  std::lock_guard lock(mutex_);
  const auto it = records_.find(network);
  return it == records_.end() ? std::vector<OAuthRecord>() : std::vector(it->second.begin(), it->second.end());
}

std::map<std::string, int64_t> OAuth::Counts(Network network) const {
  std::lock_guard lock(mutex_);
  const auto it = counts_.find(network);
  return it == counts_.end() ? std::map<std::string, int64_t>() : it->second;
}

void OAuth::Reset() {
  std::lock_guard lock(mutex_);
  apps_.clear();
  codes_.clear();
  refreshes_.clear();
  records_.clear();
  counts_.clear();
  for (const OAuthRules& rules : kRules) lives_[rules.network] = rules.lives;
}

}  // namespace parvis::sandbox
