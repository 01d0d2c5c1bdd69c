#include "platform/net/stream_client.h"

#include <algorithm>
#include <optional>

#include "platform/net/client_transfer.h"
#include "platform/net/stream_impl.h"
#include "platform/obs/log.h"

namespace parvis::net {
namespace {

HttpClientConfig TransferConfig(const StreamClientConfig& config) {
  HttpClientConfig out;
  out.connect_max = config.connect_max;
  out.response_max_bytes = config.message_max_bytes;
  out.user_agent = config.user_agent;
  return out;
}

// One transfer with a multi handle of its own, moved by whoever reads.
class CurlStream final : public ByteStream {
 public:
  CurlStream(std::unique_ptr<StreamPlace> place, ClientRequest request, Instant deadline)
      : place_(std::move(place)),
        client_(place_->client()),
        transfer_(std::move(request), deadline, [this](ClientResult result) { ended_ = std::move(result); }) {}

  ~CurlStream() override {
    if (multi_ == nullptr) return;
    if (added_) curl_multi_remove_handle(multi_, transfer_.easy());
    curl_multi_cleanup(multi_);
  }

  // Until the head of a 2xx answer is there (the result then has no body), or the end of any other.
  ClientResult Open() {
    const Instant deadline = transfer_.deadline();
    InitializeCurlOnce();
    multi_ = curl_multi_init();
    const Status prepared =
        transfer_.Prepare(TransferConfig(client_.config), client_.guard, deadline - client_.clock.Now());
    if (!prepared.ok()) return NotOpened(prepared);
    curl_easy_setopt(transfer_.easy(), CURLOPT_TIMEOUT_MS, 0L);  // the deadline is of the opening alone
    transfer_.StreamTo([this](std::string_view bytes) { return Take(bytes); });
    if (multi_ == nullptr || curl_multi_add_handle(multi_, transfer_.easy()) != CURLM_OK) {
      return NotOpened(MakeError(Code::kResourceExhausted, "HTTP_QUEUE_FULL", "no memory for another stream"));
    }
    added_ = true;
    while (!ended_ && !transfer_.streaming()) {
      Move();
      if (ended_ || transfer_.streaming()) break;
      if (client_.clock.Now() >= deadline) {
        transfer_.Fail(MakeError(Code::kDeadlineExceeded, "HTTP_TIMEOUT", "no answer in time"));
        break;
      }
      Wait(deadline);
    }
    last_byte_ = client_.clock.Now();
    return transfer_.streaming() ? transfer_.head() : *std::move(ended_);
  }

  bool streaming() const { return transfer_.streaming(); }

  StatusOr<std::string> Read(const Call& call) override {
    const Instant silent_at = last_byte_ + client_.config.silent_max;
    for (;;) {
      if (!buffer_.empty()) return Given();
      if (ended_) return StreamLost(ended_->status.ok() ? "the network ended the stream" : ToError(ended_->status).message);
      Move();
      if (!buffer_.empty() || ended_) continue;
      const Instant now = client_.clock.Now();
      if (now >= silent_at) {
        ClientResult silent;
        silent.status = StreamSilent(client_.config.silent_max);
        ended_ = std::move(silent);
        return ended_->status;
      }
      if (now >= call.deadline) return ReadTimeout();
      Wait(std::min(call.deadline, silent_at));
    }
  }

 private:
  // True when the bytes were taken; else the transfer pauses until they are wanted.
  bool Take(std::string_view bytes) {
    if (!buffer_.empty() && buffer_.size() + bytes.size() > static_cast<size_t>(client_.config.buffer_max_bytes)) {
      paused_ = true;
      return false;
    }
    buffer_.append(bytes);
    last_byte_ = client_.clock.Now();
    return true;
  }

  std::string Given() {
    std::string out = std::exchange(buffer_, {});
    if (paused_ && !ended_) {
      paused_ = false;
      curl_easy_pause(transfer_.easy(), CURLPAUSE_CONT);
    }
    return out;
  }

  void Move() {
    int running = 0;
    curl_multi_perform(multi_, &running);
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg == CURLMSG_DONE && !ended_) transfer_.Finish(message->data.result);
    }
  }

  void Wait(Instant until) {
    const absl::Duration left = until - client_.clock.Now();
    const int milliseconds = static_cast<int>(std::clamp<int64_t>(absl::ToInt64Milliseconds(left) + 1, 0, 1000));
    curl_multi_poll(multi_, nullptr, 0, milliseconds, nullptr);
  }

  const std::unique_ptr<StreamPlace> place_;
  const StreamClient::Impl& client_;
  CURLM* multi_ = nullptr;
  Transfer transfer_;
  bool added_ = false, paused_ = false;
  std::string buffer_;
  Instant last_byte_;
  std::optional<ClientResult> ended_;   // of the transfer, or ours
};

}  // namespace

void StreamClientConfig::Declare(app::Options& o, std::string_view prefix) {
  const auto name = [&](const char* suffix) { return std::string(prefix) + suffix; };
  o.Int(name("streams_max"), &streams_max, "Streams of networks that may be open at once.", {1, 100000});
  o.Duration(name("connect_max"), &connect_max, "Longest time to connect for a stream, name lookup and TLS included.",
             absl::Milliseconds(1), absl::Hours(1));
  o.Duration(name("open_max"), &open_max, "Longest time until a stream's answer begins.", absl::Milliseconds(1),
             absl::Hours(1));
  o.Duration(name("silent_max"), &silent_max, "A stream that brings nothing, not even a heartbeat, for so long is lost.",
             absl::Milliseconds(1), absl::Hours(1));
  o.Duration(name("close_max"), &close_max, "Longest time to say goodbye to the other side of a WebSocket.",
             absl::ZeroDuration(), absl::Minutes(1));
  o.Int(name("buffer_max_bytes"), &buffer_max_bytes, "Bytes of a stream that are read ahead.", {1024, 1 << 30});
  o.Int(name("message_max_bytes"), &message_max_bytes, "Largest message of a WebSocket.", {1024, 1 << 30});
}

// ---- what both kinds share ---------------------------------------------------------------------------------------------

Status StreamLost(std::string_view why) { return MakeError(Code::kUnavailable, "STREAM_LOST", why); }
Status StreamSilent(absl::Duration limit) {
  return MakeError(Code::kUnavailable, "STREAM_SILENT", "nothing came for " + absl::FormatDuration(limit));
}
Status ReadTimeout() { return MakeError(Code::kDeadlineExceeded, "READ_TIMEOUT", "nothing came in time"); }

ClientResult NotOpened(Status why) {
  ClientResult result;
  result.status = std::move(why);
  return result;
}

StreamClient::Impl::Impl(const StreamClientConfig& c, const Clock& k, obs::Metrics& m)
    : config(c),
      clock(k),
      guard(c.allowed_networks),
      metrics(m),
      open_gauge(m.gauge("parvis_stream_client_open", "Streams of networks that are open now.")),
      security(MakeSocketSecurity()) {
  for (const std::string& text : guard.rejected()) {
    obs::Err("allowed_networks names no network; left out", {{"value", text}});
  }
}

void StreamClient::Impl::Count(const ClientResult& result) {
  const bool opened = result.http_status / 100 == 2 || result.http_status == 101;
  const std::string outcome = !result.status.ok() ? ReasonOf(result.status) : opened ? "opened" : "refused";
  metrics.counter("parvis_stream_client_openings_total", "Streams asked of networks, by how the asking ended.",
                  {{"outcome", outcome}}).Add();
}

std::unique_ptr<StreamPlace> StreamPlace::Take(std::shared_ptr<StreamClient::Impl> impl) {
  if (impl->open.fetch_add(1) >= impl->config.streams_max) {
    impl->open.fetch_sub(1);
    return nullptr;
  }
  impl->open_gauge.Add(1);
  return std::unique_ptr<StreamPlace>(new StreamPlace(std::move(impl)));
}

StreamPlace::~StreamPlace() {
  impl_->open_gauge.Add(-1);
  impl_->open.fetch_sub(1);
}

// ---- StreamClient ------------------------------------------------------------------------------------------------------

StreamClient::StreamClient(const StreamClientConfig& config, const Clock& clock, obs::Metrics& metrics)
    : impl_(std::make_shared<Impl>(config, clock, metrics)) {}
StreamClient::~StreamClient() = default;

ClientResult StreamClient::Open(const Call& call, ClientRequest request, std::unique_ptr<ByteStream>* stream) {
  stream->reset();
  const auto ended = [&](ClientResult result) {
    impl_->Count(result);
    return result;
  };
  if (const auto origin = OriginOf(request.url); !origin.ok()) return ended(NotOpened(origin.status()));
  if (const Status ok = CheckRequest(request); !ok.ok()) return ended(NotOpened(ok));
  const Instant now = impl_->clock.Now();
  const Instant deadline = std::min(call.deadline, now + impl_->config.open_max);
  if (deadline <= now) return ended(NotOpened(MakeError(Code::kDeadlineExceeded, "HTTP_TIMEOUT", "no answer in time")));
  auto place = StreamPlace::Take(impl_);
  if (place == nullptr) {
    return ended(NotOpened(MakeError(Code::kResourceExhausted, "TOO_MANY_STREAMS", "too many streams are open")));
  }
  auto opened = std::make_unique<CurlStream>(std::move(place), std::move(request), deadline);
  ClientResult result = opened->Open();
  if (opened->streaming()) *stream = std::move(opened);
  return ended(std::move(result));
}

ClientResult StreamClient::OpenSocket(const Call& call, SocketRequest request, std::unique_ptr<WebSocket>* socket) {
  socket->reset();
  ClientResult result;
  if (auto place = StreamPlace::Take(impl_)) {
    result = OpenWebSocket(call, std::move(request), std::move(place), socket);
  } else {
    result = NotOpened(MakeError(Code::kResourceExhausted, "TOO_MANY_STREAMS", "too many streams are open"));
  }
  impl_->Count(result);
  return result;
}

}  // namespace parvis::net
