// Jetstream (github.com/bluesky-social/jetstream): the network's posts as JSON over a WebSocket, from a time on. It filters by
// author, and who answers us is anybody: so all posts come, and nearly all are thrown away after one search for our DID,
// before anything is parsed.
#include <algorithm>
#include <cstring>

#include "networks/bluesky/bluesky.h"
#include "networks/bluesky/bluesky_post.h"
#include "networks/wire/request.h"
#include "networks/wire/stream.h"
#include "platform/net/stream_client.h"

namespace parvis::networks {
namespace {

// How far before the cursor a stream begins: times of different servers differ a little, and nothing may be left out.
constexpr int64_t kRewindMicros = 5'000'000;
// What is kept is a day (from memory); a gap that is said too early costs one reading.
constexpr absl::Duration kKept = absl::Hours(23);
// The network is never so quiet: a stream that begins so much later than asked for has lost what lies between.
constexpr absl::Duration kJump = absl::Minutes(5);
// A time of the future is a mistake, or a lie.
constexpr absl::Duration kAheadMax = absl::Minutes(5);
// Posts are far smaller. What is larger would end the stream, at the same place again and again.
constexpr int kMessageMax = 500'000;
// A post that many answer must not cost a question an answer.
constexpr size_t kPeopleMax = 1000;
constexpr absl::Duration kKnownFor = absl::Minutes(5);

// The envelope's time, which comes before the record; nullopt where there is none.
std::optional<int64_t> TimeOf(std::string_view message) {
  constexpr std::string_view kName = "\"time_us\":";
  const size_t at = message.find(kName);
  if (at == std::string_view::npos) return std::nullopt;
  int64_t micros = 0;
  int digits = 0;
  for (size_t i = at + kName.size(); i < message.size() && message[i] >= '0' && message[i] <= '9'; ++i) {
    if (++digits > 17) return std::nullopt;
    micros = micros * 10 + (message[i] - '0');
  }
  return digits == 0 ? std::nullopt : std::optional(micros);
}

std::string TimeText(int64_t micros) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::FromUnixMicros(micros), absl::UTCTimeZone());
}

}  // namespace

class BlueskyConnector::Jetstream final : public Stream {
 public:
  Jetstream(BlueskyConnector& connector, const Account& account, std::unique_ptr<net::WebSocket> socket, int64_t from,
            bool replay, bool gap)
      : connector_(connector), account_(account), socket_(std::move(socket)), last_(from), awaits_first_(replay), gap_(gap) {}

  StatusOr<StreamBatch> Next(const Call& call) override {
    StreamBatch batch;
    batch.gap = std::exchange(gap_, false);
    while (!HasNews(batch)) {
      const auto message = socket_->Read(call);
      if (message.status().code() == Code::kDeadlineExceeded) break;
      PARVIS_RETURN_IF_ERROR(message.status());
      PARVIS_RETURN_IF_ERROR(Take(call, message->data, &batch));
      if (call.Expired(connector_.clock_)) break;   // there is always one more
    }
    batch.cursor = std::to_string(last_);
    return batch;
  }

 private:
  Status Take(const Call& call, const std::string& message, StreamBatch* batch) {
    const auto time = TimeOf(message);
    if (!time) {
      batch->unparsed.push_back({message, "NOT_JSON", "a message of the stream without its time"});
      return absl::OkStatus();
    }
    const int64_t before = last_;
    if (*time > last_ && *time < absl::ToUnixMicros(connector_.clock_.WallNow() + kAheadMax)) last_ = *time;
    if (std::exchange(awaits_first_, false) && last_ - before > absl::ToInt64Microseconds(kJump)) batch->gap = true;
    const std::string& us = account_.remote_id;
    if (memmem(message.data(), message.size(), us.data(), us.size()) == nullptr) return absl::OkStatus();
    const Status taken = TakeOurs(call, message, *time, batch);
    if (!taken.ok()) last_ = before;
    return taken;
  }

  Status TakeOurs(const Call& call, const std::string& message, int64_t time, StreamBatch* batch) {
    const Json json = ParseJson(message);
    if (!json.is_object()) {
      batch->unparsed.push_back({message, "NOT_JSON", "a message of the stream"});
      return absl::OkStatus();
    }
    const Json &commit = Member(json, "commit"), &record = Member(commit, "record");
    if (Text(commit, "operation") != "create" || Text(commit, "collection") != kBlueskyPosts) return absl::OkStatus();
    const std::string author = Text(json, "did");
    std::string partner;
    if (author == account_.remote_id) {
      // What continues a post of our own is a thread; whom an answer below our own speaks to is seen by reading only.
      partner = DidOf(Text(Member(Member(record, "reply"), "parent"), "uri"));
      if (partner.empty() || partner == author) return absl::OkStatus();
    } else if (!ConcernsUs(record, account_)) {
      return absl::OkStatus();
    }
    Json post = {{"uri", BlueskyUri(author, kBlueskyPosts, Text(commit, "rkey"))},
                 {"record", record},
                 {"indexedAt", TimeText(time)}};
    PARVIS_ASSIGN_OR_RETURN(const bool heard, Introduce(call, author, &post));
    if (!heard) return absl::OkStatus();
    if (auto happening = BlueskyHappening(post, account_, partner)) {
      batch->happenings.push_back(*std::move(happening));
    } else {
      batch->unparsed.push_back({message, "MISSING_FIELD", "a post without author, key or record"});
    }
    return absl::OkStatus();
  }

  // Who the author is: the stream tells the DID alone. False for those whom we muted or blocked, whom the network does not
  // notify us of either.
  StatusOr<bool> Introduce(const Call& call, const std::string& author, Json* post) {
    const Instant now = connector_.clock_.Now();
    auto known = people_.find(author);
    if (known == people_.end() || known->second.until <= now) {
      const Answer answer = connector_.Ask(LookupCall(call, connector_.clock_), account_,
                                           "app.bsky.actor.getProfile?actor=" + net::UrlEncode(author));
      const ErrorClass error = answer.refusal.error;
      // Somebody of whom nothing is known has still written; anything else ends the stream, which begins again before this.
      const bool unknown = answer.answered() && (error == ErrorClass::kInvalid || error == ErrorClass::kNotFound);
      if (!answer.ok() && !unknown) return FailedRead(answer, account_);
      if (people_.size() >= kPeopleMax) people_.clear();
      Person person{Json::object(), true, now + kKnownFor};
      if (!unknown) {
        const Json &viewer = Member(answer.json, "viewer"), &muted = Member(viewer, "muted");
        person.author = {{"displayName", Text(answer.json, "displayName")}, {"handle", Text(answer.json, "handle")}};
        person.heard = !(muted.is_boolean() && muted.get<bool>()) && Text(viewer, "blocking").empty();
      }
      known = people_.insert_or_assign(author, std::move(person)).first;
    }
    (*post)["author"] = known->second.author;
    return known->second.heard;
  }

  struct Person {
    Json author;
    bool heard = true;
    Instant until;
  };
  BlueskyConnector& connector_;
  const Account account_;
  const std::unique_ptr<net::WebSocket> socket_;
  int64_t last_;         // microseconds: the newest that went by
  bool awaits_first_;    // what was asked for from a time on has not begun
  bool gap_;
  std::map<std::string, Person> people_;   // who wrote lately, by DID
};

StatusOr<std::unique_ptr<Stream>> BlueskyConnector::OpenStream(const Call& call, const Account& account,
                                                               const std::string& cursor) {
  if (!capabilities_.Can(Feature::kStream)) return Connector::OpenStream(call, account, cursor);
  const absl::Time now = clock_.WallNow();
  const bool known = IsNumber(cursor) && cursor.size() <= 17;
  const int64_t from = known ? std::stoll(cursor) : absl::ToUnixMicros(now);
  const bool gap = !cursor.empty() && (!known || now - absl::FromUnixMicros(from) > kKept);
  net::SocketRequest request;
  request.url = WithoutSlash(streaming_.jetstream_url) + "/subscribe?wantedCollections=" + kBlueskyPosts +
                "&maxMessageSizeBytes=" + std::to_string(kMessageMax);
  if (known) request.url += "&cursor=" + std::to_string(std::max<int64_t>(0, from - kRewindMicros));
  std::unique_ptr<net::WebSocket> socket;
  Answer answer;
  answer.http = streaming_.client->OpenSocket(call, std::move(request), &socket);
  if (socket == nullptr) {
    answer.refusal.error = ClassOfStatus(answer.http.http_status);
    answer.rate.retry_after = RetryAfter(answer.http.headers);
    // Nobody signs in there: whatever else it refuses says nothing of the account.
    const bool limited = answer.answered() && answer.refusal.error == ErrorClass::kRateLimited;
    return answer.answered() && !limited ? UnintelligibleRead() : FailedRead(answer, account);
  }
  return std::make_unique<Jetstream>(*this, account, std::move(socket), from, known, gap);
}

}  // namespace parvis::networks
