#include "networks/x/x_rules.h"

#include <algorithm>

namespace parvis::networks {
namespace {

constexpr char kRules[] = "/2/tweets/search/stream/rules";
constexpr char kTag[] = "parvis:";      // with the account's id behind it
constexpr size_t kLookupMax = 100;      // users of one question
constexpr size_t kRulesAtOnce = 100;

std::string Joined(const std::vector<std::string>& ids, size_t from, size_t count) {
  std::string out;
  for (size_t i = from; i < std::min(ids.size(), from + count); ++i) out += (out.empty() ? "" : ",") + ids[i];
  return out;
}

// The plan has fewer rules than are wanted.
bool IsFull(const Answer& answer) {
  if (!answer.answered() || answer.ok()) return false;
  const Json& errors = Member(answer.json, "errors");
  const std::string type = Text(errors.is_array() && !errors.empty() ? errors[0] : answer.json, "type");
  return type.ends_with("/rule-cap");
}

Status Refused(const std::string& why) { return MakeError(Code::kFailedPrecondition, "STREAM_REFUSED", why); }

}  // namespace

std::string XConnector::StreamRules::AccountOf(const std::string& rule_id) const {
  const auto it = accounts_.find(rule_id);
  return it == accounts_.end() ? "" : it->second;
}

std::set<std::string> XConnector::StreamRules::ChannelsOf(const std::string& account) const {
  const auto it = channels_.find(account);
  return it == channels_.end() ? std::set<std::string>() : it->second;
}

StatusOr<std::map<std::string, std::string>> XConnector::StreamRules::HandlesOf(const Call& call,
                                                                                const std::vector<std::string>& accounts) {
  std::map<std::string, std::string> handles;
  for (size_t i = 0; i < accounts.size(); i += kLookupMax) {
    const Answer answer = x_.AskApp(call, "GET", "/2/users?ids=" + Joined(accounts, i, kLookupMax));
    // Those that are gone stand in `errors`; when all are, there is nothing else.
    if (!answer.ok() && answer.refusal.error != ErrorClass::kNotFound) return x_.FailedApp(answer);
    const Json& data = Member(answer.json, "data");
    for (size_t u = 0; data.is_array() && u < data.size() && u < kLookupMax; ++u) {
      const std::string id = Text(data[u], "id"), handle = Text(data[u], "username");
      if (!id.empty() && !handle.empty()) handles[id] = handle;
    }
  }
  return handles;
}

StatusOr<std::map<std::string, Status>> XConnector::StreamRules::Add(const Call& call, const std::vector<Listener>& listeners,
                                                                     bool anew) {
  std::map<std::string, std::set<std::string>> channels;   // by account
  for (const Listener& one : listeners) channels[one.remote_id].insert(one.channel_id);
  std::vector<std::string> accounts;
  std::map<std::string, Status> failed;   // by account
  for (const auto& [account, its] : channels) {
    if (channels_.contains(account)) continue;
    if (IsNumber(account)) {
      accounts.push_back(account);
    } else {
      failed[account] = Refused("X has no such account");
    }
  }
  PARVIS_ASSIGN_OR_RETURN(const auto handles, HandlesOf(call, accounts));
  std::vector<Wanted> wanted;
  for (const std::string& account : accounts) {
    if (const auto it = handles.find(account); it != handles.end()) {
      wanted.push_back({account, "@" + it->second + " -is:retweet"});
    } else {
      failed[account] = Refused("X does not show the account to the app");
    }
  }
  if (anew) PARVIS_RETURN_IF_ERROR(Find(call, &wanted));
  PARVIS_ASSIGN_OR_RETURN(const auto unmade, Make(call, std::move(wanted)));
  failed.insert(unmade.begin(), unmade.end());
  std::map<std::string, Status> refused;   // by channel
  for (const auto& [account, its] : channels) {
    if (const auto it = failed.find(account); it != failed.end()) {
      for (const std::string& channel : its) refused[channel] = it->second;
    } else {
      channels_[account].insert(its.begin(), its.end());
    }
  }
  return refused;
}

Status XConnector::StreamRules::Find(const Call& call, std::vector<Wanted>* wanted) {
  const Answer list = x_.AskApp(call, "GET", kRules);
  if (!list.ok()) return x_.FailedApp(list);
  const Json& rules = Member(list.json, "data");   // absent when there are none
  for (size_t i = 0; rules.is_array() && i < rules.size() && i < kPageItemsMax; ++i) {
    const std::string id = Text(rules[i], "id"), value = Text(rules[i], "value");
    const auto same = std::ranges::find(*wanted, value, &Wanted::value);
    if (same != wanted->end()) {
      accounts_[id] = same->account;   // whoever made it
      wanted->erase(same);
    } else if (Text(rules[i], "tag").starts_with(kTag)) {
      left_over_.push_back(id);   // a channel that has gone, or an account that had another name
    }
  }
  return absl::OkStatus();
}

StatusOr<std::map<std::string, Status>> XConnector::StreamRules::Make(const Call& call, std::vector<Wanted> wanted) {
  std::map<std::string, Status> refused;
  size_t at_once = kRulesAtOnce;
  while (!wanted.empty()) {
    const std::vector<Wanted> asked(wanted.begin(), wanted.begin() + static_cast<ptrdiff_t>(std::min(at_once, wanted.size())));
    Json add = Json::array();
    for (const Wanted& one : asked) add.push_back({{"value", one.value}, {"tag", kTag + one.account}});
    const Json body = {{"add", std::move(add)}};
    const Answer answer = x_.AskApp(call, "POST", kRules, &body);
    if (IsFull(answer)) {
      // None of them was made: how many there is room for is found by asking for fewer.
      if (asked.size() > 1) {
        at_once = (asked.size() + 1) / 2;
        continue;
      }
      for (const Wanted& one : wanted) refused[one.account] = Refused("X lets the app have no more rules");
      return refused;
    }
    // Where no rule was made at all, single refusals are all there is.
    const bool told = answer.answered() && Member(answer.json, "errors").is_array() &&
                      (answer.refusal.error == ErrorClass::kInvalid || answer.refusal.error == ErrorClass::kNotFound);
    if (!answer.ok() && !told) return x_.FailedApp(answer);
    TakeMade(answer.json, asked, &refused);
    wanted.erase(wanted.begin(), wanted.begin() + static_cast<ptrdiff_t>(asked.size()));
  }
  return refused;
}

void XConnector::StreamRules::TakeMade(const Json& answer, const std::vector<Wanted>& asked, std::map<std::string, Status>* refused) {
  const Json &data = Member(answer, "data"), &errors = Member(answer, "errors");
  std::map<std::string, std::string> ids;   // by value; DuplicateRule: somebody made the same one meanwhile
  for (size_t i = 0; errors.is_array() && i < errors.size() && i < kPageItemsMax; ++i) {
    if (Text(errors[i], "title") == "DuplicateRule") ids[Text(errors[i], "value")] = Text(errors[i], "id");
  }
  for (size_t i = 0; data.is_array() && i < data.size() && i < kPageItemsMax; ++i) ids[Text(data[i], "value")] = Text(data[i], "id");
  for (const Wanted& one : asked) {
    if (const std::string& id = ids[one.value]; !id.empty()) {
      accounts_[id] = one.account;
    } else {
      (*refused)[one.account] = Refused("X takes no rule for the account");
    }
  }
}

void XConnector::StreamRules::Remove(const Call& call, const std::vector<std::string>& channel_ids) {
  std::vector<std::string> gone;
  for (auto it = channels_.begin(); it != channels_.end();) {
    for (const std::string& channel : channel_ids) it->second.erase(channel);
    if (!it->second.empty()) {
      ++it;
      continue;
    }
    for (const auto& [rule, account] : accounts_) {
      if (account == it->first) gone.push_back(rule);
    }
    it = channels_.erase(it);
  }
  for (const std::string& rule : gone) accounts_.erase(rule);
  Delete(call, gone);
}

void XConnector::StreamRules::Tidy(const Call& call) { Delete(call, std::exchange(left_over_, {})); }

void XConnector::StreamRules::Delete(const Call& call, const std::vector<std::string>& rule_ids) {
  if (rule_ids.empty()) return;
  const Json body = {{"delete", {{"ids", rule_ids}}}};
  (void)x_.AskApp(call, "POST", kRules, &body);   // what stays is found when the stream is opened next
}

}  // namespace parvis::networks
