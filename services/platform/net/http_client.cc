#include "platform/net/http_client.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <set>
#include <unordered_map>

#include "platform/net/client_transfer.h"
#include "platform/obs/log.h"

namespace parvis::net {
namespace {

Status QueueFull() {
  return MakeError(Code::kResourceExhausted, "HTTP_QUEUE_FULL", "too many requests wait for the HTTP client");
}
Status Cancelled() { return MakeError(Code::kUnavailable, "CALL_CANCELLED", "the request was given up: who asked for it stops"); }
Status TimedOut() { return MakeError(Code::kDeadlineExceeded, "HTTP_TIMEOUT", "no answer in time"); }

// Between two looks at what was cancelled: who cancels a call does not know which requests are made for it.
constexpr absl::Duration kLookForCancelled = absl::Milliseconds(250);

}  // namespace

void HttpClientConfig::Declare(app::Options& o, std::string_view prefix) {
  const auto name = [&](const char* suffix) { return std::string(prefix) + suffix; };
  o.Int(name("connections_max"), &connections_max, "Connections, and requests in flight, to all hosts.", {1, 10000});
  o.Int(name("connections_per_host_max"), &connections_per_host_max, "Connections, and requests in flight, to one host.",
        {1, 10000});
  o.Int(name("queue_max"), &queue_max, "Requests waiting for a connection; more are refused.", {0, 1000000});
  o.Duration(name("request_max"), &request_max, "Longest time a request may take.", absl::Milliseconds(1), absl::Hours(1));
  o.Duration(name("connect_max"), &connect_max, "Longest time to connect, name lookup and TLS included.",
             absl::Milliseconds(1), absl::Hours(1));
  o.Int(name("response_max_bytes"), &response_max_bytes, "Largest body of an answer.", {1, int64_t{1} << 32});
  o.List(name("allowed_networks"), &allowed_networks,
         "Networks (CIDR) that are private or local and may be called all the same.");
  o.String(name("user_agent"), &user_agent, "User-Agent header.");
}

// The I/O thread owns everything but `inbox_`.
struct HttpClient::Impl {
  struct Host {
    int active = 0;
    std::deque<Transfer*> waiting;
  };

  Impl(const HttpClientConfig& c, const Clock& k, obs::Metrics& m) : config(c), clock(k), guard(c.allowed_networks), metrics(m) {
    InitializeCurlOnce();
    for (const std::string& text : guard.rejected()) obs::Err("allowed_networks names no network; left out", {{"value", text}});
    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(config.connections_max));
    // Requests wait in our queues, so curl has no need of more; these hold whatever it would do by itself.
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(config.connections_max));
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, static_cast<long>(config.connections_per_host_max));
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    thread = std::thread([this] { Run(); });
  }

  ~Impl() {
    {
      std::lock_guard lock(mutex);
      stopping = true;
    }
    curl_multi_wakeup(multi);
    thread.join();
    curl_multi_cleanup(multi);
  }

  void Submit(std::unique_ptr<Transfer> transfer) {
    bool refused = false;
    Status why;
    {
      std::lock_guard lock(mutex);
      if (stopping) {
        refused = true;
        why = MakeError(Code::kUnavailable, "CONNECT_FAILED", "the HTTP client stops");
      } else if (pending >= config.queue_max + config.connections_max) {
        refused = true;
        why = QueueFull();
      } else {
        ++pending;
        inbox.push_back(std::move(transfer));
      }
    }
    if (refused) return transfer->Fail(why);
    curl_multi_wakeup(multi);
  }

  void Count(const Status& status) {
    const std::string outcome = status.ok() ? "answered" : ReasonOf(status);
    metrics.counter("parvis_http_client_requests_total", "Requests sent to networks, by how they ended.", {{"outcome", outcome}}).Add();
  }

  void Run() {
    for (;;) {
      if (!TakeInbox()) break;
      ExpireWaiting();
      EndCancelled();
      StartWaiting();
      int running = 0;
      curl_multi_perform(multi, &running);
      if (Collect()) continue;  // what ended may have made room for what waits
      // Wakes for a submitted request; otherwise when curl has something to do or the first waiting request expires.
      curl_multi_poll(multi, nullptr, 0, WaitMilliseconds(), nullptr);
    }
    const Status stopped = MakeError(Code::kUnavailable, "CONNECTION_LOST", "the HTTP client stopped");
    for (auto& [transfer, owned] : transfers) {
      const bool started = transfer->easy() != nullptr;
      if (started) curl_multi_remove_handle(multi, transfer->easy());
      transfer->Fail(stopped);
    }
    transfers.clear();
  }

  // False when the client stops.
  bool TakeInbox() {
    std::deque<std::unique_ptr<Transfer>> taken;
    bool stop;
    {
      std::lock_guard lock(mutex);
      taken.swap(inbox);
      stop = stopping;
    }
    for (auto& transfer : taken) {
      Transfer* raw = transfer.get();
      transfers.emplace(raw, std::move(transfer));
      Host& host = hosts[raw->origin];
      if (host.waiting.empty()) ready.push_back(raw->origin);
      host.waiting.push_back(raw);
      deadlines.emplace(raw->deadline().nanos, raw);
      cancellable += raw->cancellable();
    }
    return !stop;
  }

  void ExpireWaiting() {
    const Instant now = clock.Now();
    while (!deadlines.empty() && deadlines.begin()->first <= now.nanos) {
      Transfer* transfer = deadlines.begin()->second;
      StopWaiting(transfer);
      Drop(transfer, TimedOut());
    }
  }

  void StopWaiting(Transfer* transfer) {
    deadlines.erase({transfer->deadline().nanos, transfer});
    auto& waiting = hosts[transfer->origin].waiting;
    waiting.erase(std::find(waiting.begin(), waiting.end(), transfer));
  }

  void EndCancelled() {
    const Instant now = clock.Now();
    if (cancellable == 0 || now < next_look) return;
    next_look = now + kLookForCancelled;
    std::vector<Transfer*> cancelled;
    for (const auto& [transfer, owned] : transfers) {
      if (transfer->cancelled()) cancelled.push_back(transfer);
    }
    for (Transfer* transfer : cancelled) {
      if (transfer->easy() == nullptr) {
        StopWaiting(transfer);
      } else {
        LeaveCurl(transfer);
      }
      Drop(transfer, Cancelled());
    }
  }

  void StartWaiting() {
    // Hosts take turns: a slow one with a long queue holds up only itself.
    for (size_t turns = ready.size(); turns > 0 && in_flight < config.connections_max; --turns) {
      const std::string origin = std::move(ready.front());
      ready.pop_front();
      Host& host = hosts[origin];
      while (!host.waiting.empty() && host.active < config.connections_per_host_max && in_flight < config.connections_max) {
        Transfer* transfer = host.waiting.front();
        host.waiting.pop_front();
        deadlines.erase({transfer->deadline().nanos, transfer});
        Start(transfer, host);
      }
      if (!host.waiting.empty()) {
        ready.push_back(origin);
      } else if (host.active == 0) {
        hosts.erase(origin);
      }
    }
  }

  void Start(Transfer* transfer, Host& host) {
    transfer->started = clock.Now();
    const Status prepared = transfer->Prepare(config, guard, transfer->deadline() - transfer->started);
    if (!prepared.ok()) return Drop(transfer, prepared);
    if (curl_multi_add_handle(multi, transfer->easy()) != CURLM_OK) {
      return Drop(transfer, MakeError(Code::kUnavailable, "CONNECT_FAILED", "the HTTP client could not start the transfer"));
    }
    ++host.active;
    ++in_flight;
  }

  // True when something ended.
  bool Collect() {
    bool any = false;
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      CURL* easy = message->easy_handle;
      Transfer* transfer = nullptr;
      curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
      any = true;
      LeaveCurl(transfer);
      auto owned = Release(transfer);
      owned->Finish(code);
    }
    return any;
  }

  // It was started: takes it from curl and frees its place.
  void LeaveCurl(Transfer* transfer) {
    curl_multi_remove_handle(multi, transfer->easy());
    --in_flight;
    auto host = hosts.find(transfer->origin);
    if (host != hosts.end() && --host->second.active == 0 && host->second.waiting.empty()) hosts.erase(host);
    duration.Observe(absl::ToDoubleSeconds(clock.Now() - transfer->started));
  }

  std::unique_ptr<Transfer> Release(Transfer* transfer) {
    cancellable -= transfer->cancellable();
    auto node = transfers.extract(transfer);
    std::lock_guard lock(mutex);
    --pending;
    return std::move(node.mapped());
  }

  void Drop(Transfer* transfer, const Status& why) {
    auto owned = Release(transfer);
    owned->Fail(why);
  }

  int WaitMilliseconds() const {
    const int64_t most = cancellable == 0 ? 1000 : absl::ToInt64Milliseconds(kLookForCancelled);
    if (deadlines.empty()) return static_cast<int>(most);
    const absl::Duration left = Instant{deadlines.begin()->first} - clock.Now();
    return static_cast<int>(std::clamp<int64_t>(absl::ToInt64Milliseconds(left) + 1, 0, most));
  }

  const HttpClientConfig config;
  const Clock& clock;
  const AddressGuard guard;
  obs::Metrics& metrics;
  obs::Histogram& duration = metrics.histogram("parvis_http_client_duration_seconds", "Time from the start of a request to its end.");
  CURLM* multi = nullptr;

  std::mutex mutex;
  std::deque<std::unique_ptr<Transfer>> inbox;
  int pending = 0;       // submitted and not ended
  bool stopping = false;

  std::unordered_map<Transfer*, std::unique_ptr<Transfer>> transfers;
  std::unordered_map<std::string, Host> hosts;
  std::deque<std::string> ready;   // hosts with waiting requests, in turn
  std::set<std::pair<int64_t, Transfer*>> deadlines;  // of those that wait
  int in_flight = 0;
  int cancellable = 0;   // of `transfers`
  Instant next_look{0};
  std::thread thread;
};

HttpClient::HttpClient(const HttpClientConfig& config, const Clock& clock, obs::Metrics& metrics)
    : impl_(std::make_unique<Impl>(config, clock, metrics)) {}
HttpClient::~HttpClient() = default;

void HttpClient::SendAsync(const Call& call, ClientRequest request, std::function<void(ClientResult)> done) {
  auto counted = [impl = impl_.get(), done = std::move(done)](ClientResult result) {
    impl->Count(result.status);
    done(std::move(result));
  };
  const auto fail = [&](Status status) {
    ClientResult result;
    result.status = std::move(status);
    counted(std::move(result));
  };
  auto origin = OriginOf(request.url);
  if (!origin.ok()) return fail(origin.status());
  if (Status ok = CheckRequest(request); !ok.ok()) return fail(ok);
  const Instant now = impl_->clock.Now();
  const Instant deadline = std::min(call.deadline, now + impl_->config.request_max);
  if (deadline <= now) return fail(TimedOut());
  if (call.Cancelled()) return fail(Cancelled());
  auto transfer = std::make_unique<Transfer>(std::move(request), deadline, std::move(counted), call.cancellation);
  transfer->origin = *std::move(origin);
  impl_->Submit(std::move(transfer));
}

ClientResult HttpClient::Send(const Call& call, ClientRequest request) {
  struct Waiter {
    std::mutex mutex;
    std::condition_variable ready;
    std::optional<ClientResult> result;
  };
  auto waiter = std::make_shared<Waiter>();
  SendAsync(call, std::move(request), [waiter](ClientResult result) {
    std::lock_guard lock(waiter->mutex);
    waiter->result = std::move(result);
    waiter->ready.notify_one();
  });
  // Ends always: curl's own timeout is the deadline.
  std::unique_lock lock(waiter->mutex);
  waiter->ready.wait(lock, [&] { return waiter->result.has_value(); });
  return *std::move(waiter->result);
}

}  // namespace parvis::net
