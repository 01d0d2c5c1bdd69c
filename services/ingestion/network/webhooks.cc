#include "ingestion/network/webhooks.h"

#include "platform/obs/log.h"

namespace parvis::ingestion {
namespace {

constexpr std::string_view kPrefix = "/webhooks/";
constexpr const char* kCallOutcomes[] = {"accepted",   "unsigned",    "replayed",  "overloaded",
                                         "over_share", "unavailable", "handshake", "handshake_refused"};
constexpr const char* kHappeningOutcomes[] = {"accepted", "unknown_account", "replayed", "unparsed", "ignored"};

net::HttpResponse Refusal(int status, std::string_view reason, std::string_view message) {
  net::HttpResponse response;
  response.status = status;
  response.headers["content-type"] = "application/json";
  response.body = "{\"reason\":";
  obs::AppendJsonString(reason, response.body);
  response.body += ",\"message\":";
  obs::AppendJsonString(message, response.body);
  response.body += "}\n";
  return response;
}

net::HttpResponse Refusal(int status, const Status& why) {
  const Error error = ToError(why);
  return Refusal(status, error.reason, error.message);
}

}  // namespace

Webhooks::Webhooks(const Connectors& connectors, std::map<std::string, Secrets> secrets, Receiver& receiver,
                   const Clock& clock, obs::Metrics& metrics, const Options& options)
    : receiver_(receiver),
      clock_(clock),
      options_(options),
      unknown_network_(metrics.counter("parvis_ingestion_unknown_network_total",
                                       "Webhook calls for a network that is not configured.")),
      inflight_gauge_(metrics.gauge("parvis_ingestion_webhook_inflight_bytes",
                                    "Bytes of webhook calls that wait for their acknowledgement.")),
      degraded_(metrics.degraded()),
      inflight_(options.inflight_max_bytes) {
  degraded_.Declare(obs::Mode::kWebhooksShed);
  for (const auto& [network, connector] : connectors) {
    auto configured = secrets.find(network);
    if (configured == secrets.end() || !connector->capabilities().Can(networks::Feature::kWebhooks)) continue;
    Endpoint endpoint{connector.get(), configured->second, {}, {}, nullptr};
    for (const char* outcome : kCallOutcomes) {
      endpoint.calls[outcome] = &metrics.counter("parvis_ingestion_webhooks_total", "Webhook calls by how they ended.",
                                                 {{"network", network}, {"outcome", outcome}});
    }
    for (const char* outcome : kHappeningOutcomes) {
      endpoint.happenings[outcome] =
          &metrics.counter("parvis_ingestion_happenings_total", "Things that webhooks told of, by what became of them.",
                           {{"network", network}, {"outcome", outcome}});
    }
    endpoint.duration = &metrics.histogram("parvis_ingestion_webhook_duration_seconds",
                                           "From a webhook call to its answer.", {{"network", network}});
    endpoints_.emplace(network, std::move(endpoint));
  }
}

void Webhooks::Handle(net::HttpRequest request, net::Responder responder) {
  const std::string_view path = request.path;
  if (path.substr(0, kPrefix.size()) != kPrefix)
    return responder.Send(Refusal(404, "NOT_FOUND", "there is nothing here"));
  const std::string network(path.substr(kPrefix.size()));
  auto found = endpoints_.find(network);
  if (found == endpoints_.end()) {
    unknown_network_.Add();
    return responder.Send(Refusal(404, "NETWORK_UNKNOWN", "no webhook of this network is configured"));
  }
  Endpoint& endpoint = found->second;
  Trace trace = Trace::FromTraceparent(net::HeaderOf(request.headers, "traceparent"));
  trace = trace.trace_id.empty() ? Trace::New() : trace.Child();
  networks::WebhookCall call{std::move(request.method), std::move(request.query), std::move(request.body),
                             std::move(request.headers)};
  if (call.method == "GET") return Handshake(endpoint, call, responder);
  if (call.method == "POST") return Accept(endpoint, network, std::move(call), trace, responder);
  net::HttpResponse refusal = Refusal(405, "METHOD_NOT_ALLOWED", "only GET and POST");
  refusal.headers["allow"] = "GET, POST";
  responder.Send(std::move(refusal));
}

void Webhooks::Handshake(Endpoint& endpoint, const networks::WebhookCall& call, const net::Responder& responder) {
  StatusOr<networks::HandshakeAnswer> answer =
      endpoint.connector->Handshake(call, endpoint.secrets.app_secrets, endpoint.secrets.verify_token);
  if (!answer.ok()) {
    endpoint.calls.at("handshake_refused")->Add();
    return responder.Send(Refusal(answer.status().code() == Code::kInvalidArgument ? 400 : 403, answer.status()));
  }
  endpoint.calls.at("handshake")->Add();
  net::HttpResponse response;
  response.status = answer->status;
  response.headers["content-type"] = answer->content_type;
  response.body = std::move(answer->body);
  responder.Send(std::move(response));
}

void Webhooks::Accept(Endpoint& endpoint, const std::string& network, networks::WebhookCall call, const Trace& trace,
                      const net::Responder& responder) {
  const Instant began = clock_.Now();
  const int64_t bytes = static_cast<int64_t>(call.body.size());
  // Before it costs anything, the signature included.
  if (!inflight_.Fits(bytes)) return Refuse(endpoint, FairShare::Taken::kFull, responder);
  if (Status signature = endpoint.connector->VerifySignature(call, endpoint.secrets.app_secrets); !signature.ok()) {
    endpoint.calls.at("unsigned")->Add();
    return responder.Send(Refusal(401, signature));
  }
  networks::WebhookContent content = endpoint.connector->ParseCall(call);
  std::vector<Happening> happenings = FromNetwork(std::move(content.happenings));
  std::string whose = receiver_.WhoseAre(network, happenings);
  if (const FairShare::Taken taken = inflight_.Take(whose, bytes); taken != FairShare::Taken::kYes) {
    return Refuse(endpoint, taken, responder);
  }
  inflight_gauge_.Add(static_cast<double>(bytes));
  endpoint.happenings.at("ignored")->Add(content.ignored);
  receiver_.Receive(
      trace, network, std::move(happenings), FromNetwork(std::move(content.unparsed)),
      [this, &endpoint, responder, bytes, began, whose = std::move(whose)](const ReceiveOutcome& outcome) {
        inflight_.Give(whose, bytes);
        inflight_gauge_.Add(-static_cast<double>(bytes));
        endpoint.duration->Observe(absl::ToDoubleSeconds(clock_.Now() - began));
        Answer(endpoint, outcome, responder);
      });
}

void Webhooks::Refuse(Endpoint& endpoint, FairShare::Taken taken, const net::Responder& responder) {
  const bool over_share = taken == FairShare::Taken::kOverShare;
  degraded_.Note(obs::Mode::kWebhooksShed, over_share ? "WORKSPACE_OVER_SHARE" : "TOO_MUCH_IN_FLIGHT");
  endpoint.calls.at(over_share ? "over_share" : "overloaded")->Add();
  net::HttpResponse refusal =
      over_share ? Refusal(429, "WORKSPACE_OVER_SHARE", "too many calls of this workspace wait; come again")
                 : Refusal(503, "TOO_MUCH_IN_FLIGHT", "too many calls wait; come again");
  SendLater(std::move(refusal), responder);
}

void Webhooks::SendLater(net::HttpResponse refusal, const net::Responder& responder) const {
  refusal.headers["retry-after"] = std::to_string(absl::ToInt64Seconds(options_.retry_after));
  refusal.hold = options_.refusal_hold;
  responder.Send(std::move(refusal));
}

void Webhooks::Answer(Endpoint& endpoint, const ReceiveOutcome& outcome, const net::Responder& responder) {
  endpoint.happenings.at("replayed")->Add(outcome.replayed);
  if (outcome.status.ok()) {
    endpoint.calls.at("accepted")->Add();
    endpoint.happenings.at("accepted")->Add(outcome.activities);
    endpoint.happenings.at("unknown_account")->Add(outcome.unknown);
    endpoint.happenings.at("unparsed")->Add(outcome.unparsed);
    net::HttpResponse response;
    response.headers["content-type"] = "text/plain";
    response.body = "ok\n";
    return responder.Send(std::move(response));
  }
  if (outcome.status.code() == Code::kPermissionDenied) {
    endpoint.calls.at("replayed")->Add();
    return responder.Send(Refusal(403, outcome.status));
  }
  endpoint.calls.at(outcome.status.code() == Code::kResourceExhausted ? "overloaded" : "unavailable")->Add();
  degraded_.Note(obs::Mode::kWebhooksShed, ReasonOf(outcome.status));
  net::HttpResponse refusal = Refusal(503, outcome.status);
  SendLater(std::move(refusal), responder);
}

}  // namespace parvis::ingestion
