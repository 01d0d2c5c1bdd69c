// The rules of the app's filtered stream (facts 3.4): for each account one, for what mentions it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "networks/x/x.h"

namespace parvis::networks {

// One thread at a time. X keeps rules beyond the connection: what is left over from before is tidied up at the opening.
class XConnector::StreamRules {
 public:
  explicit StreamRules(XConnector& x) : x_(x) {}
  // Has rules for the accounts of `listeners`. Channels whose account can have none, and why; an error when X could not be
  // asked. With `anew`, what rules there are is asked first, and those that are nobody's are remembered for Tidy.
  StatusOr<std::map<std::string, Status>> Add(const Call& call, const std::vector<Listener>& listeners, bool anew);
  // The rules of accounts that no channel is left of go, as far as X lets them.
  void Remove(const Call& call, const std::vector<std::string>& channel_ids);
  // Deletes what is left over. Only whoever has the connection may: until then it may be what somebody else hears by.
  void Tidy(const Call& call);

  bool empty() const { return channels_.empty(); }
  // The account that a rule is for; "" = nobody's.
  std::string AccountOf(const std::string& rule_id) const;
  std::set<std::string> ChannelsOf(const std::string& account) const;

 private:
  struct Wanted {
    std::string account, value;
  };
  // Handles by account; an account that X does not show is left out.
  StatusOr<std::map<std::string, std::string>> HandlesOf(const Call& call, const std::vector<std::string>& accounts);
  // What there is: of `wanted` those are left that have no rule.
  Status Find(const Call& call, std::vector<Wanted>* wanted);
  // Makes rules for `wanted`; accounts that can have none, and why.
  StatusOr<std::map<std::string, Status>> Make(const Call& call, std::vector<Wanted> wanted);
  void TakeMade(const Json& answer, const std::vector<Wanted>& asked, std::map<std::string, Status>* refused);
  void Delete(const Call& call, const std::vector<std::string>& rule_ids);

  XConnector& x_;
  std::map<std::string, std::string> accounts_;            // by rule
  std::map<std::string, std::set<std::string>> channels_;  // by account
  std::vector<std::string> left_over_;
};

}  // namespace parvis::networks
