#include "networks/mastodon/mastodon_roots.h"

#include <set>

#include "networks/mastodon/mastodon.h"

namespace parvis::networks {
namespace {

constexpr int kLevelsMax = 6;     // requests that look at parents, for all statuses of a page together
constexpr int kContextsMax = 10;  // requests for a whole conversation, where it is deeper
constexpr int kDepthMax = 5000;   // of a conversation; the server shows 4096 above one

}  // namespace

void MastodonRoots::Add(const Json& status) {
  const std::string id = Text(status, "id");
  if (id.empty()) return;
  known_[id] = {Text(status, "in_reply_to_id"), Text(Member(status, "account"), "id"), false};
}

std::string MastodonRoots::RootOf(const std::string& id) const {
  std::string at = id;
  for (int depth = 0; depth < kDepthMax; ++depth) {
    const auto it = known_.find(at);
    if (it == known_.end() || it->second.parent.empty()) break;
    at = it->second.parent;
  }
  return at;
}

std::string MastodonRoots::AuthorOf(const std::string& id) const {
  const auto it = known_.find(id);
  return it == known_.end() ? "" : it->second.author;
}

std::vector<std::string> MastodonRoots::Missing(const std::vector<Json>& statuses) const {
  std::set<std::string> out;
  for (const Json& status : statuses) {
    const std::string top = RootOf(Text(status, "id"));
    if (!top.empty() && !known_.contains(top)) out.insert(top);
  }
  return {out.begin(), out.end()};
}

Status MastodonConnector::FindRoots(const Call& call, const Account& account, const std::vector<Json>& statuses,
                                    MastodonRoots* roots, PollPage* page) {
  for (const Json& status : statuses) roots->Add(status);
  std::vector<std::string> missing = roots->Missing(statuses);
  for (int level = 0; level < kLevelsMax && !missing.empty(); ++level) {
    PARVIS_ASSIGN_OR_RETURN(const std::vector<Json> parents, Statuses(call, account, missing, &page->rate));
    for (const std::string& id : missing) roots->AddGone(id);  // those that came take its place
    for (const Json& parent : parents) roots->Add(parent);
    missing = roots->Missing(statuses);
  }
  for (int contexts = 0; contexts < kContextsMax && !missing.empty(); ++contexts) {
    const std::string id = missing.front();
    const Answer self = Ask(call, account, "GET", "/api/v1/statuses/" + net::UrlEncode(id));
    const bool gone = self.answered() && self.refusal.error == ErrorClass::kNotFound;
    if (!self.ok() && !gone) return FailedRead(self, account);
    roots->AddGone(id);
    if (!gone) {
      const Answer answer = Ask(call, account, "GET", "/api/v1/statuses/" + net::UrlEncode(id) + "/context");
      page->rate = answer.rate;
      if (!answer.ok()) return FailedRead(answer, account);
      const Json& ancestors = Member(answer.json, "ancestors");
      if (!ancestors.is_array()) return UnintelligibleRead();
      roots->Add(self.json);
      for (const Json& above : ancestors) roots->Add(above);
      // What the first of them answers is not shown to us.
      if (!ancestors.empty()) roots->AddGone(Text(ancestors[0], "in_reply_to_id"));
    }
    missing = roots->Missing(statuses);
  }
  return absl::OkStatus();
}

}  // namespace parvis::networks
