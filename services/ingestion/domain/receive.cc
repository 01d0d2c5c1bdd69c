#include "ingestion/domain/receive.h"

#include <algorithm>

namespace parvis::ingestion {

namespace {

bool PlausibleAccount(const std::string& account) {
  return !account.empty() && account.size() <= 500 && account.find('\0') == std::string::npos;
}

}  // namespace

struct Receiver::Work {
  Trace trace;
  std::string network;
  std::vector<Happening> happenings;
  std::vector<RawPart> unparsed;
  std::function<void(const ReceiveOutcome&)> done;
  absl::Time received_at;
  ReceiveOutcome outcome;
};

void Receiver::Receive(const Trace& trace, const std::string& network, std::vector<Happening> happenings,
                       std::vector<RawPart> unparsed, std::function<void(const ReceiveOutcome&)> done) {
  auto work = std::make_shared<Work>();
  work->trace = trace;
  work->network = network;
  work->received_at = clock_.WallNow();
  work->done = std::move(done);
  auto limit = options_.replay_max.find(network);
  const absl::Time oldest =
      work->received_at - (limit == options_.replay_max.end() ? options_.replay_max_default : limit->second);
  work->outcome.replayed = static_cast<int>(std::erase_if(happenings, [&](const Happening& happening) {
    return happening.kind != Kind::kRemoval && TimeOf(happening) < oldest;
  }));
  work->outcome.unparsed = static_cast<int>(unparsed.size());
  if (happenings.empty() && unparsed.empty()) {
    if (work->outcome.replayed > 0) {
      work->outcome.status = MakeError(Code::kPermissionDenied, "WEBHOOK_REPLAYED",
                                       "all of this happened longer ago than the network would keep trying to tell it");
    }
    work->done(work->outcome);
    return;
  }
  work->happenings = std::move(happenings);
  work->unparsed = std::move(unparsed);
  std::vector<std::string> accounts;
  for (const Happening& happening : work->happenings) {
    if (!PlausibleAccount(happening.account)) continue;  // nobody's: not worth a question
    if (accounts.empty() || accounts.back() != happening.account) accounts.push_back(happening.account);
  }
  if (accounts.empty()) return Send(std::move(work), {});
  bindings_.Lookup(network, std::move(accounts), [this, work](StatusOr<BindingCache::Answer> answer) {
    if (answer.ok()) return Send(work, *answer);
    work->outcome.status = answer.status();
    work->done(work->outcome);
  });
}

std::string Receiver::WhoseAre(const std::string& network, const std::vector<Happening>& happenings) const {
  std::map<std::string_view, int> count;
  std::string_view most;
  int best = 0;
  for (const Happening& happening : happenings) {
    const int n = ++count[happening.account];
    if (n > best) {
      best = n;
      most = happening.account;
    }
  }
  const std::string account(most);
  if (!PlausibleAccount(account)) return network;
  std::string workspace = bindings_.WorkspaceOf(network, account);
  return workspace.empty() ? network + "/" + account : workspace;
}

void Receiver::Send(std::shared_ptr<Work> work, const BindingCache::Answer& answer) {
  std::vector<Activity> activities;
  activities.reserve(work->happenings.size());
  std::map<std::string, std::pair<Binding, absl::Time>> heard;  // by channel
  for (Happening& happening : work->happenings) {
    auto bound = answer.find(happening.account);
    if (bound == answer.end() || bound->second->empty()) {
      ++work->outcome.unknown;
      continue;
    }
    const std::vector<Binding>& bindings = *bound->second;
    const absl::Time at = TimeOf(happening);
    for (size_t i = 0; i < bindings.size(); ++i) {
      auto& last = heard.try_emplace(bindings[i].channel_id, bindings[i], at).first->second;
      last.second = std::max(last.second, at);
      const bool is_last = i + 1 == bindings.size();
      activities.push_back(MakeActivity(is_last ? std::move(happening) : happening, bindings[i], work->network,
                                        Origin::kWebhook, work->received_at));
    }
  }
  work->happenings.clear();
  work->outcome.activities = static_cast<int>(activities.size());
  if (activities.empty() && work->unparsed.empty()) return work->done(work->outcome);
  std::vector<RawPart> unparsed = std::move(work->unparsed);
  const Trace trace = work->trace;
  const std::string network = work->network;
  sink_.Send(trace, std::move(activities), std::move(unparsed), network,
             [this, work = std::move(work), heard = std::move(heard)](Status status) {
               work->outcome.status = std::move(status);
               if (work->outcome.status.ok()) {
                 for (const auto& [channel, last] : heard) {
                   heard_.ByWebhook(last.first, work->received_at, last.second);
                 }
               }
               work->done(work->outcome);
             });
}

}  // namespace parvis::ingestion
