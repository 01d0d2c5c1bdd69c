#include "sandbox/domain/faults.h"

#include <array>

namespace parvis::sandbox {
namespace {

constexpr std::array<std::pair<FaultKind, std::string_view>, 11> kNames = {{
    {FaultKind::kAcceptThenReset, "accept_then_reset"},
    {FaultKind::kAcceptThen504, "accept_then_504"},
    {FaultKind::kGarbage, "garbage"},
    {FaultKind::kResetBeforeAccept, "reset_before_accept"},
    {FaultKind::kLimit, "limit"},
    {FaultKind::kForbid, "forbid"},
    {FaultKind::kServerError, "server_error"},
    {FaultKind::kEmptyPage, "empty_page"},
    {FaultKind::kOdd, "odd"},
    {FaultKind::kLocalise, "localise"},
    {FaultKind::kDelay, "delay"},
}};

// Whether it only adds to what else happens.
bool Adds(FaultKind kind) { return kind == FaultKind::kDelay || kind == FaultKind::kOdd || kind == FaultKind::kLocalise; }

bool Matches(const FaultRule& rule, Network network, std::string_view account, std::string_view operation) {
  if (rule.network && *rule.network != network) return false;
  if (rule.kind == FaultKind::kEmptyPage && operation != "list") return false;
  if (!rule.account.empty() && rule.account != account) return false;
  if (rule.operation.empty() || rule.operation == "*") return true;
  if (rule.operation == "write") return IsWrite(operation);
  if (rule.operation == "read") return !IsWrite(operation);
  return rule.operation == operation;
}

}  // namespace

std::string_view NameOf(FaultKind kind) {
  for (const auto& [k, name] : kNames) {
    if (k == kind) return name;
  }
  return "unknown";
}

std::optional<FaultKind> FaultKindOf(std::string_view name) {
  for (const auto& [kind, n] : kNames) {
    if (n == name) return kind;
  }
  return std::nullopt;
}

std::string FaultKindNames() {
  std::string out;
  for (const auto& [kind, name] : kNames) out += (out.empty() ? "" : ", ") + std::string(name);
  return out;
}

bool IsWrite(std::string_view operation) {
  for (std::string_view write : {"post", "reply", "private_reply", "hide", "unhide", "approve", "spam", "delete", "ban", "unban",
                                 "mute", "unmute", "report", "lock", "unlock", "edit", "media"}) {
    if (operation == write) return true;
  }
  return false;
}

StatusOr<int64_t> Faults::Add(FaultRule rule) {
  if (!(rule.probability >= 0 && rule.probability <= 1)) {
    return InvalidField("probability", "OUT_OF_RANGE", "must lie between 0 and 1");
  }
  if (rule.delay < absl::ZeroDuration() || rule.delay > absl::Minutes(10)) {
    return InvalidField("delay_ms", "OUT_OF_RANGE", "must lie between 0 and 600000");
  }
  if (rule.http_status < 500 || rule.http_status > 599) {
    return InvalidField("http_status", "OUT_OF_RANGE", "must lie between 500 and 599");
  }
  std::lock_guard lock(mutex_);
  if (static_cast<int>(rules_.size()) >= rules_max_) {
    return MakeError(Code::kResourceExhausted, "TOO_MANY_FAULTS", "Remove some faults first.");
  }
  rule.id = next_id_++;
  const uint64_t seed = rule.seed;
  const int64_t id = rule.id;
  rules_.push_back({std::move(rule), Rng(seed)});
  return id;
}

bool Faults::Remove(int64_t id) {
  std::lock_guard lock(mutex_);
  return std::erase_if(rules_, [&](const Armed& armed) { return armed.rule.id == id; }) > 0;
}

void Faults::Clear() {
  std::lock_guard lock(mutex_);
  rules_.clear();
}

std::vector<FaultRule> Faults::List() const {
  std::lock_guard lock(mutex_);
  std::vector<FaultRule> out;
  for (const Armed& armed : rules_) out.push_back(armed.rule);
  return out;
}

FaultPlan Faults::Decide(Network network, std::string_view account, std::string_view operation) {
  std::lock_guard lock(mutex_);
  FaultPlan plan;
  bool decided = false;
  for (Armed& armed : rules_) {
    FaultRule& rule = armed.rule;
    if (rule.count == 0 || !Matches(rule, network, account, operation)) continue;
    if (decided && !Adds(rule.kind)) continue;
    if (rule.skip > 0) {
      --rule.skip;
      continue;
    }
    if (!armed.rng.Chance(rule.probability)) continue;
    if (rule.count > 0) --rule.count;
    ++rule.struck;
    switch (rule.kind) {
      case FaultKind::kDelay:
        plan.delay += rule.delay;
        continue;
      case FaultKind::kOdd:
        plan.odd = true;
        continue;
      case FaultKind::kLocalise:
        plan.localise = true;
        continue;
      case FaultKind::kAcceptThenReset:
        plan.answer = Answer::kReset;
        break;
      case FaultKind::kAcceptThen504:
        plan.answer = Answer::kGatewayTimeout;
        break;
      case FaultKind::kGarbage:
        plan.answer = Answer::kGarbage;
        break;
      case FaultKind::kEmptyPage:
        plan.answer = Answer::kEmptyPage;
        break;
      default:
        plan.before = rule.kind;
        plan.http_status = rule.http_status;
    }
    decided = true;
  }
  return plan;
}

}  // namespace parvis::sandbox
