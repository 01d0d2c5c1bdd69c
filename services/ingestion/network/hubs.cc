#include "ingestion/network/hubs.h"

#include <algorithm>
#include <charconv>

#include "networks/wire/websub.h"
#include "platform/obs/log.h"

namespace parvis::ingestion {
namespace {

constexpr absl::Duration kLeaseLeast = absl::Minutes(1), kLeaseMost = absl::Hours(24 * 90);
constexpr absl::Duration kLeaseUnsaid = absl::Hours(24);  // a hub must say how long, and some do not

net::HttpResponse Plain(int status, std::string body = "") {
  net::HttpResponse response;
  response.status = status;
  response.headers["content-type"] = "text/plain";
  if (status == 503) response.headers["retry-after"] = "5";
  response.body = std::move(body);
  return response;
}

absl::Duration LeaseOf(const std::string& seconds) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(seconds.data(), seconds.data() + seconds.size(), value);
  if (error != std::errc() || end != seconds.data() + seconds.size()) return kLeaseUnsaid;
  return std::clamp(absl::Seconds(value), kLeaseLeast, kLeaseMost);
}

}  // namespace

std::vector<std::string> HubCaller::Networks() const {
  std::vector<std::string> networks;
  for (const auto& [network, connector] : connectors_) {
    if (keys_.usable() && connector->capabilities().websub) networks.push_back(network);
  }
  return networks;
}

StatusOr<HubChoice> HubCaller::Find(const Call& call, const Source& source) {
  PARVIS_ASSIGN_OR_RETURN(networks::Connector * connector, ConnectorOf(connectors_, source.network));
  PARVIS_ASSIGN_OR_RETURN(const networks::Account account, OpenAccount(desk_, call, source.binding));
  PARVIS_ASSIGN_OR_RETURN(networks::Hub hub, connector->FindHub(call, account));
  return HubChoice{.url = std::move(hub.url), .topic = std::move(hub.topic), .tells_all = hub.tells_all};
}

Status HubCaller::Ask(const Call& call, const Source& source, const HubChoice& hub, bool subscribe,
                      absl::Duration lease) {
  net::ClientRequest request;
  request.method = "POST";
  request.url = hub.url;
  request.headers["Content-Type"] = "application/x-www-form-urlencoded";
  std::vector<std::pair<std::string, std::string>> form = {
      {"hub.callback", keys_.Address(source.network, source.binding)},
      {"hub.mode", subscribe ? "subscribe" : "unsubscribe"},
      {"hub.topic", hub.topic},
      {"hub.verify", "async"}};  // older than WebSub, and asked for by hubs of that age
  if (subscribe) {
    form.emplace_back("hub.lease_seconds", std::to_string(absl::ToInt64Seconds(lease)));
    request.secret_parameter = "hub.secret";
    request.secret_value = keys_.SecretOf(source.network, source.binding);
  }
  request.body = net::FormEncode(form);
  const net::ClientResult result = http_.Send(call, std::move(request));
  if (!result.status.ok()) {
    return MakeError(Code::kUnavailable, "HUB_UNAVAILABLE", ToError(result.status).message);
  }
  if (result.http_status >= 200 && result.http_status < 300) return absl::OkStatus();
  Error error{.code = Code::kFailedPrecondition,
              .reason = "HUB_REFUSED",
              .message = "the hub answers HTTP " + std::to_string(result.http_status)};
  if (result.http_status == 429) {
    error.code = Code::kResourceExhausted;
    error.reason = "RATE_LIMITED";
  } else if (result.http_status >= 500) {
    error.code = Code::kUnavailable;
    error.reason = "HUB_UNAVAILABLE";
  }
  return ToStatus(error);
}

HubCallbacks::HubCallbacks(const Connectors& connectors, const HubKeys& keys, HubStore& hubs, SourceStore& sources,
                           Receiver& receiver, Executor& executor, obs::Metrics& metrics,
                           std::function<double()> uniform)
    : connectors_(connectors),
      keys_(keys),
      hubs_(hubs),
      sources_(sources),
      receiver_(receiver),
      executor_(executor),
      uniform_(std::move(uniform)) {
  for (const auto& [network, connector] : connectors) {
    if (!connector->capabilities().websub) continue;
    Series& series = series_[network];
    for (const char* outcome : {"subscribe", "unsubscribe", "none", "failed"}) {
      series.requests[outcome] = &metrics.counter("parvis_ingestion_hub_requests_total",
                                                  "Subscriptions that hubs were asked for, by how that ended.",
                                                  {{"network", network}, {"outcome", outcome}});
    }
    for (const char* outcome : {"confirmed", "refused", "denied", "unavailable"}) {
      series.questions[outcome] = &metrics.counter("parvis_ingestion_hub_questions_total",
                                                   "Questions of hubs whether a subscription is wanted, and their refusals.",
                                                   {{"network", network}, {"outcome", outcome}});
    }
    for (const char* outcome : {"accepted", "unsigned", "unavailable"}) {
      series.deliveries[outcome] =
          &metrics.counter("parvis_ingestion_hub_deliveries_total", "What hubs delivered, by what became of it.",
                           {{"network", network}, {"outcome", outcome}});
    }
  }
  if (!keys.usable()) {
    obs::Info(
        "no public_url is set: nothing is subscribed to at WebSub hubs; feeds are polled, and YouTube's videos not "
        "told");
  }
}

void HubCallbacks::Handle(net::HttpRequest request, net::Responder responder) {
  const std::optional<HubKeys::Callback> callback = keys_.Parse(request.path);
  const auto series = callback ? series_.find(callback->network) : series_.end();
  if (series == series_.end()) return responder.Send(Plain(404));
  const networks::WebhookCall call{std::move(request.method), std::move(request.query), std::move(request.body),
                                   std::move(request.headers)};
  if (call.method == "GET") return Question(series->second, *callback, call, responder);
  if (call.method == "POST") return Delivery(series->second, *callback, call, responder);
  net::HttpResponse refusal = Plain(405);
  refusal.headers["allow"] = "GET, POST";
  responder.Send(std::move(refusal));
}

// The answer is in the database: not on the server's threads.
void HubCallbacks::Question(const Series& series, const HubKeys::Callback& callback, const networks::WebhookCall& call,
                            const net::Responder& responder) {
  StatusOr<networks::HubQuestion> question = networks::ParseHubQuestion(call);
  if (!question.ok()) {
    series.questions.at("refused")->Add();
    return responder.Send(Plain(404));
  }
  HubConfirmation confirmation{.subscribe = question->mode == "subscribe", .topic = question->topic};
  confirmation.lease = LeaseOf(question->lease_seconds);
  confirmation.renew_in = RenewIn(confirmation.lease, uniform_());
  const bool taken = executor_.TrySubmit([this, &series, callback, question = *std::move(question), confirmation,
                                          responder] {
    Status status = Answer(callback, question.mode, confirmation, question.reason);
    const bool denied = question.mode == "denied";
    const bool unknown = status.code() == Code::kNotFound;
    series.questions.at(status.ok() ? (denied ? "denied" : "confirmed") : unknown ? "refused" : "unavailable")->Add();
    responder.Send(status.ok() ? Plain(200, question.challenge) : Plain(unknown ? 404 : 503));
  });
  if (taken) return;
  series.questions.at("unavailable")->Add();
  responder.Send(Plain(503));
}

Status HubCallbacks::Answer(const HubKeys::Callback& callback, const std::string& mode,
                            const HubConfirmation& confirmation, const std::string& why) {
  if (mode != "denied") return hubs_.Confirm(callback.binding, confirmation);
  Status denied =
      hubs_.Deny(callback.binding, confirmation.topic, why.substr(0, 500), RenewIn(kLeaseUnsaid, uniform_()));
  if (denied.ok()) {
    obs::Log(obs::Level::kWarning, BackgroundCall("ingestion", callback.binding.workspace_id),
             "a hub denies a subscription",
             {{"network", callback.network}, {"channel", callback.binding.channel_id}, {"why", why.substr(0, 500)}});
  }
  return denied;
}

void HubCallbacks::Delivery(const Series& series, const HubKeys::Callback& callback, const networks::WebhookCall& call,
                            const net::Responder& responder) {
  if (!networks::CheckHubSignature(net::HeaderOf(call.headers, "X-Hub-Signature"), call.body, callback.secrets).ok()) {
    series.deliveries.at("unsigned")->Add();
    return responder.Send(Plain(202));
  }
  networks::WebhookContent content = connectors_.at(callback.network)->ParseCall(call);
  const auto answer = [&series, responder](bool safe) {
    series.deliveries.at(safe ? "accepted" : "unavailable")->Add();
    responder.Send(Plain(safe ? 200 : 503));
  };
  if (!content.happenings.empty() || !content.unparsed.empty()) {
    return receiver_.Receive(Trace::New(), callback.network, FromNetwork(std::move(content.happenings)),
                             FromNetwork(std::move(content.unparsed)), [answer](const ReceiveOutcome& outcome) {
                               // Played back, as far as it is refused for its age: nothing would be gained by sending
                               // it again.
                               answer(outcome.status.ok() || outcome.status.code() == Code::kPermissionDenied);
                             });
  }
  if (!content.read_back) return answer(true);
  const bool taken =
      executor_.TrySubmit([this, binding = callback.binding, answer] { answer(sources_.PollNow({binding}).ok()); });
  if (!taken) answer(false);
}

HubKeeper::Watchers HubCallbacks::Watchers() {
  return {.asked =
              [this](const Source& source, bool subscribe, const Status& status) {
                auto it = series_.find(source.network);
                if (it == series_.end()) return;
                const bool none = ReasonOf(status) == "HUB_NONE";
                it->second.requests
                    .at(status.ok() ? (subscribe ? "subscribe" : "unsubscribe")
                        : none      ? "none"
                                    : "failed")
                    ->Add();
                if (status.ok() || none) return;
                obs::Log(obs::Level::kWarning, BackgroundCall("ingestion", source.binding.workspace_id),
                         "a hub could not be asked",
                         {{"network", source.network}, {"channel", source.binding.channel_id}, {"error", status}});
              },
          .store_failed =
              [](const Status& status) {
                obs::Warn("the database could not be reached for the hubs", {{"error", status}});
              }};
}

HubListener::HubListener(const Connectors& connectors, ChannelDesk& desk, const HubKeys& keys, net::HttpClient& http,
                         HubStore& store, SourceStore& sources, Receiver& receiver, const Clock& clock,
                         const HubKeeper::Options& options, obs::Metrics& metrics, std::function<double()> uniform)
    : executor_({.name = "hubs", .threads = 2, .queue_max = 256}),
      caller_(connectors, desk, keys, http),
      callbacks_(connectors, keys, store, sources, receiver, executor_, metrics, uniform),
      keeper_(store, caller_, clock, options, caller_.Networks(), uniform, callbacks_.Watchers()) {}

void HubListener::Stop() {
  keeper_.Stop();
  executor_.Stop();
}

}  // namespace parvis::ingestion
