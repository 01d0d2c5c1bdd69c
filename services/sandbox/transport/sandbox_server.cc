#include "sandbox/transport/sandbox_server.h"

#include <algorithm>

#include "sandbox/network/signature.h"

namespace parvis::sandbox {
namespace {

constexpr int kDelayedMax = 10'000;
constexpr int kStreamsMax = 200;
constexpr size_t kNoticesMax = 200'000;

bool Under(const std::string& path, std::string_view prefix) {
  return path.compare(0, prefix.size(), prefix) == 0 && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace

SandboxServer::SandboxServer(const net::HttpServerConfig& config, obs::Metrics& metrics, Context context,
                             Journal& journal, Webhooks& webhooks, AudienceRuns& audiences,
                             net::HttpClient& client)
    : context_(context),
      oauth_(context_.world, context_.clock, Sha256Base64Url),
      faces_(MakeFaces(context_, oauth_, webhooks)),
      control_(context_, journal, webhooks, audiences, oauth_),
      metrics_(metrics),
      later_(context_.clock, kDelayedMax),
      streams_(context_.faults, context_.clock, kStreamsMax, kNoticesMax),
      fetcher_(client),
      server_(config, "sandbox", metrics, [this](net::HttpRequest request, net::Responder responder) {
        Handle(std::move(request), std::move(responder));
      }) {
  context_.world.Listen([this](const Notice& notice) { streams_.Notify(notice); });
}

Status SandboxServer::Start() { return server_.Start(); }

void SandboxServer::Stop(absl::Duration limit) {
  fetcher_.Stop();
  later_.Stop();
  streams_.Stop();
  server_.Stop(limit);
}

// Everything is in memory and quick, so it is done on the I/O thread. Only the control API's reset waits (for the
// audiences' threads, which look at their stop flag every few milliseconds). What a network fetches itself is fetched before.
void SandboxServer::Handle(net::HttpRequest request, net::Responder responder) {
  Reply reply;
  std::string network = "none";
  const auto served = std::ranges::find_if(faces_, [&](const Served& one) { return Under(request.path, one.prefix); });
  if (served != faces_.end()) {
    network = NameOf(served->network);
    if (std::vector<std::string> urls = served->face->Fetches(request); !urls.empty()) {
      const auto shared = std::make_shared<const net::HttpRequest>(std::move(request));
      fetcher_.Fetch(std::move(urls), [this, network, &face = *served->face, shared, responder](const Fetched& fetched) {
        Answer(network, face.HandleFetched(*shared, fetched), responder);
      });
      return;
    }
    reply = served->face->Handle(request);
  } else if (Under(request.path, "/control")) {
    network = "control";
    reply.response = control_.Handle(request);
  } else {
    reply.response.status = 404;
    reply.response.body = "The sandbox serves /control";
    for (const Served& one : faces_) reply.response.body += " " + one.prefix;
    reply.response.body += "\n";
  }
  Answer(network, reply, responder);
}

void SandboxServer::Answer(const std::string& network, const Reply& reply, const net::Responder& responder) {
  metrics_
      .counter("parvis_sandbox_requests_total", "Requests to the simulated networks.",
               {{"network", network},
                {"outcome", reply.abort                   ? "aborted"
                            : reply.response.status < 400 ? "ok"
                                                          : "refused"}})
      .Add();
  auto answer = [this, responder, reply]() {
    if (reply.abort)
      responder.Abort();
    else if (reply.stream != nullptr)
      streams_.Open(reply.stream, responder);
    else
      responder.Send(reply.response);
  };
  if (reply.delay > absl::ZeroDuration())
    later_.Run(reply.delay, std::move(answer));
  else
    answer();
}

}  // namespace parvis::sandbox
