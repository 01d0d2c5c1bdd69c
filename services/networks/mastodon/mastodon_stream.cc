// The stream of the account: GET /api/v1/streaming/user, server-sent events with a comment every 15 seconds as heartbeat.
//   notification   as in the list of notifications
//   update         a status of the home timeline: of interest are our own
//   status.update  one that was edited: of interest are those that name us
//   delete         an id alone. It may be anybody's of the home timeline: what it removes is not known any more
// Other events (filters_changed, announcement, conversation, ...) tell nothing of a thread.
#include "networks/mastodon/mastodon.h"
#include "networks/mastodon/mastodon_status.h"
#include "networks/wire/event_stream.h"
#include "networks/wire/request.h"
#include "networks/wire/stream.h"
#include "networks/wire/webhook_json.h"
#include "platform/net/stream_client.h"

namespace parvis::networks {
namespace {

Happening RemovalOf(const std::string& id, const Account& account) {
  Happening h;
  h.kind = Happening::Kind::kRemoval;
  h.account_remote_id = account.remote_id;
  h.remote_id = h.thread = h.conversation = id;   // a removal tells no conversation
  h.occurred_at = MastodonTimeOfId(id);           // it has no time of its own, and wins over everything
  h.revision = RevisionOf(h.occurred_at);
  return h;
}

bool IsEventStream(const net::ClientResult& http) {
  return net::HeaderOf(http.headers, "Content-Type").starts_with("text/event-stream");
}

}  // namespace

absl::Time MastodonTimeOfId(std::string_view id) {
  if (!IsNumber(id)) return absl::UnixEpoch();
  uint64_t number = 0;
  for (const char c : id) number = number * 10 + static_cast<uint64_t>(c - '0');
  return absl::FromUnixMillis(static_cast<int64_t>(number >> 16));
}

class MastodonConnector::UserStream final : public Stream {
 public:
  UserStream(MastodonConnector& connector, const Account& account, std::unique_ptr<net::ByteStream> bytes)
      : connector_(connector), account_(account), bytes_(std::move(bytes)) {}

  StatusOr<StreamBatch> Next(const Call& call) override {
    StreamBatch batch;
    batch.gap = std::exchange(gap_, false);
    while (!HasNews(batch)) {
      const auto bytes = bytes_->Read(call);
      if (bytes.status().code() == Code::kDeadlineExceeded) break;
      PARVIS_RETURN_IF_ERROR(bytes.status());
      PARVIS_RETURN_IF_ERROR(Take(call, parser_.Feed(*bytes), &batch));
      if (call.Expired(connector_.clock_)) break;   // much that is of no interest comes
    }
    return batch;
  }

 private:
  Status Take(const Call& call, const std::vector<StreamEvent>& events, StreamBatch* batch) {
    std::vector<MastodonTaken> taken;
    PollPage page;
    for (const StreamEvent& event : events) TakeEvent(event, &taken, &page);
    if (!taken.empty()) {
      // When it cannot be asked what lies above them the stream ends: what was in it is then found by reading.
      PARVIS_RETURN_IF_ERROR(
          connector_.AddHappenings(LookupCall(call, connector_.clock_), account_, taken, &page));
    }
    batch->happenings = std::move(page.happenings);
    batch->unparsed = std::move(page.unparsed);
    return absl::OkStatus();
  }

  void TakeEvent(const StreamEvent& event, std::vector<MastodonTaken>* taken, PollPage* page) {
    if (event.type == "delete") {
      const std::string id = event.data.substr(0, event.data.find('\n'));
      if (IsNumber(id)) {
        page->happenings.push_back(RemovalOf(id, account_));
      } else {
        page->unparsed.push_back({event.data, "MISSING_FIELD", "a removal without id"});
      }
      return;
    }
    if (event.type != "notification" && event.type != "update" && event.type != "status.update") return;
    const Json json = ParseJson(event.data);
    if (event.cut || !json.is_object()) {
      page->unparsed.push_back({event.data, event.cut ? "TOO_LARGE" : "NOT_JSON", "an event of the stream"});
    } else if (event.type == "notification") {
      TakeMastodonNotification(json, account_, taken, &page->unparsed);
    } else if (event.type == "status.update") {
      if (NamesUs(json, account_)) taken->push_back({json, true});
    } else if (Text(Member(json, "account"), "id") == account_.remote_id) {
      TakeMastodonOwn(json, taken);
    }
  }

  MastodonConnector& connector_;
  const Account account_;
  const std::unique_ptr<net::ByteStream> bytes_;
  EventStreamParser parser_;
  bool gap_ = true;
};

StatusOr<std::string> MastodonConnector::StreamingBase(const Call& call, const Account& account) {
  const std::string base = BaseOf(account);
  const Answer answer = Ask(call, account, "GET", "/api/v2/instance");
  if (!answer.answered()) return FailedRead(answer, account);
  const std::string named = Text(Member(Member(answer.json, "configuration"), "urls"), "streaming");
  // Of a WebSocket's address the host is meant. The token goes there: never less protected than to the server itself.
  const bool tls = named.rfind("wss://", 0) == 0;
  if (!tls && (named.rfind("ws://", 0) != 0 || base.rfind("https://", 0) == 0)) return base;
  return WithoutSlash("http" + named.substr(2));
}

StatusOr<std::unique_ptr<Stream>> MastodonConnector::OpenStream(const Call& call, const Account& account,
                                                                const std::string& cursor) {
  if (!capabilities_.Can(Feature::kStream)) return Connector::OpenStream(call, account, cursor);
  PARVIS_ASSIGN_OR_RETURN(const std::string base, StreamingBase(call, account));
  net::ClientRequest request;
  request.url = base + "/api/v1/streaming/user";
  request.headers = {{"Accept", "text/event-stream"}};
  request.bearer = account.credentials.Get("access_token");
  std::unique_ptr<net::ByteStream> bytes;
  Answer answer;
  answer.http = streams_->Open(call, std::move(request), &bytes);
  if (answer.answered()) {
    answer.json = ParseJson(answer.http.body);
    answer.refusal = ClassifyMastodon(answer.http, answer.json);
    answer.rate = MastodonRate(answer.http.headers, clock_.WallNow());
  }
  if (!answer.ok()) return FailedRead(answer, account);
  if (bytes == nullptr || !IsEventStream(answer.http)) return UnintelligibleRead();
  return std::make_unique<UserStream>(*this, account, std::move(bytes));
}

}  // namespace parvis::networks
