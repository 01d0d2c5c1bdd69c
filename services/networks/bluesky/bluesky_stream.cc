// Jetstream (github.com/bluesky-social/jetstream): the network's posts as JSON over a WebSocket, from a time on. It filters by
// author, and who answers us is anybody: so all posts come, once for all channels, and nearly all are thrown away after one
// search for DIDs of ours, before anything is parsed.
#include <algorithm>
#include <set>

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
constexpr size_t kPeopleMax = 10'000;
// All channels wait while one asks who somebody is.
constexpr absl::Duration kAskMax = absl::Seconds(3);
constexpr absl::Duration kKnownFor = absl::Minutes(5);

constexpr std::string_view kDid = "did:";

// A DID is written with these alone (w3.org/TR/did-core, section 3.1).
bool IsDidByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' || c == '.' || c == '_' ||
         c == '-' || c == '%';
}

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

class BlueskyConnector::Jetstream final : public SharedStream {
 public:
  Jetstream(BlueskyConnector& connector, AccountOpener open, std::unique_ptr<net::WebSocket> socket, int64_t from, bool replay,
            bool gap)
      : connector_(connector), open_(std::move(open)), socket_(std::move(socket)), last_(from), awaits_first_(replay), gap_(gap) {}

  // What is of interest is chosen here, so that nobody need be told of it: from the next message on.
  StatusOr<std::map<std::string, Status>> Add(const Call&, const std::vector<Listener>& listeners) override {
    std::map<std::string, Status> refused;
    for (const Listener& one : listeners) {
      if (one.remote_id.starts_with(kDid)) {
        channels_[one.remote_id].insert(one.channel_id);
      } else {
        refused[one.channel_id] = MakeError(Code::kFailedPrecondition, "STREAM_REFUSED", "the account has no DID");
      }
    }
    return refused;
  }

  void Remove(const Call&, const std::vector<std::string>& channel_ids) override {
    for (const std::string& channel : channel_ids) Forget(channel);
  }

  StatusOr<SharedBatch> Next(const Call& call) override {
    SharedBatch batch;
    batch.gap = std::exchange(gap_, false);
    while (!HasNews(batch)) {
      const auto message = socket_->Read(call);
      if (message.status().code() == Code::kDeadlineExceeded) break;
      PARVIS_RETURN_IF_ERROR(message.status());
      Take(call, message->data, &batch);
      if (call.Expired(connector_.clock_)) break;   // there is always one more
    }
    batch.cursor = std::to_string(last_);
    return batch;
  }

 private:
  // The accounts of ours that the message names anywhere.
  std::set<std::string> NamedIn(std::string_view message) const {
    std::set<std::string> out;
    for (size_t at = message.find(kDid); at != std::string_view::npos; at = message.find(kDid, at)) {
      size_t end = at;
      while (end < message.size() && IsDidByte(message[end])) ++end;
      const auto ours = channels_.find(message.substr(at, end - at));
      if (ours != channels_.end()) out.insert(ours->first);
      at = end;
    }
    return out;
  }

  void Take(const Call& call, const std::string& message, SharedBatch* batch) {
    const auto time = TimeOf(message);
    if (!time) {
      batch->unparsed.push_back({message, "NOT_JSON", "a message of the stream without its time"});
      return;
    }
    const int64_t before = last_;
    if (*time > last_ && *time < absl::ToUnixMicros(connector_.clock_.WallNow() + kAheadMax)) last_ = *time;
    if (std::exchange(awaits_first_, false) && last_ - before > absl::ToInt64Microseconds(kJump)) batch->gap = true;
    const std::set<std::string> named = NamedIn(message);
    if (named.empty()) return;
    const Json json = ParseJson(message);
    if (!json.is_object()) {
      batch->unparsed.push_back({message, "NOT_JSON", "a message of the stream"});
      return;
    }
    for (const std::string& us : named) TakeFor(call, us, json, message, *time, batch);
  }

  // What the message is to one account of ours.
  void TakeFor(const Call& call, const std::string& us, const Json& json, const std::string& message, int64_t time,
               SharedBatch* batch) {
    const Json &commit = Member(json, "commit"), &record = Member(commit, "record");
    if (Text(commit, "operation") != "create" || Text(commit, "collection") != kBlueskyPosts) return;
    Account account;
    account.remote_id = us;
    const std::string author = Text(json, "did");
    std::string partner;
    if (author == us) {
      // What continues a post of our own is a thread; whom an answer below our own speaks to is seen by reading only.
      partner = DidOf(Text(Member(Member(record, "reply"), "parent"), "uri"));
      if (partner.empty() || partner == author) return;
    } else if (!ConcernsUs(record, account)) {
      return;
    }
    Json post = {{"uri", BlueskyUri(author, kBlueskyPosts, Text(commit, "rkey"))},
                 {"record", record},
                 {"indexedAt", TimeText(time)}};
    const std::set<std::string> channels = channels_.find(us)->second;
    for (const std::string& channel : channels) {
      const auto heard = Introduce(call, channel, author, &post);
      if (!heard.ok()) {
        batch->lost[channel] = heard.status();
        Forget(channel);
      } else if (*heard) {
        auto happening = BlueskyHappening(post, account, partner);
        if (!happening) {
          batch->unparsed.push_back({message, "MISSING_FIELD", "a post without author, key or record"});
          return;
        }
        batch->happenings.emplace_back(channel, *std::move(happening));
      }
    }
  }

  // Who the author is: the stream tells the DID alone. False for those whom the channel muted or blocked, whom the network does
  // not notify it of either.
  StatusOr<bool> Introduce(const Call& call, const std::string& channel, const std::string& author, Json* post) {
    const Instant now = connector_.clock_.Now();
    auto known = people_.find({channel, author});
    if (known == people_.end() || known->second.until <= now) {
      const Call ask = LookupCall(call, connector_.clock_, kAskMax);
      PARVIS_ASSIGN_OR_RETURN(const Account account, open_(ask, channel));
      const Answer answer = connector_.Ask(ask, account, "app.bsky.actor.getProfile?actor=" + net::UrlEncode(author));
      const ErrorClass error = answer.refusal.error;
      // Somebody of whom nothing is known has still written; anything else loses the channel, which is read back.
      const bool unknown = answer.answered() && (error == ErrorClass::kInvalid || error == ErrorClass::kNotFound);
      if (!answer.ok() && !unknown) return FailedRead(answer, account);
      if (people_.size() >= kPeopleMax) people_.clear();
      Person person{Json::object(), true, now + kKnownFor};
      if (!unknown) {
        const Json &viewer = Member(answer.json, "viewer"), &muted = Member(viewer, "muted");
        person.author = {{"displayName", Text(answer.json, "displayName")}, {"handle", Text(answer.json, "handle")}};
        person.heard = !(muted.is_boolean() && muted.get<bool>()) && Text(viewer, "blocking").empty();
      }
      known = people_.insert_or_assign({channel, author}, std::move(person)).first;
    }
    (*post)["author"] = known->second.author;
    return known->second.heard;
  }

  void Forget(const std::string& channel) {
    for (auto it = channels_.begin(); it != channels_.end();) {
      it->second.erase(channel);
      it = it->second.empty() ? channels_.erase(it) : std::next(it);
    }
  }

  struct Person {
    Json author;
    bool heard = true;
    Instant until;
  };
  BlueskyConnector& connector_;
  const AccountOpener open_;
  const std::unique_ptr<net::WebSocket> socket_;
  int64_t last_;         // microseconds: the newest that went by
  bool awaits_first_;    // what was asked for from a time on has not begun
  bool gap_;
  std::map<std::string, std::set<std::string>, std::less<>> channels_;   // by DID
  std::map<std::pair<std::string, std::string>, Person> people_;         // who wrote to a channel lately, by it and DID
};

StatusOr<SharedOpening> BlueskyConnector::OpenSharedStream(const Call& call, const std::vector<Listener>& listeners,
                                                           const std::string& cursor, AccountOpener open) {
  if (!capabilities_.Can(Feature::kStream)) return Connector::OpenSharedStream(call, listeners, cursor, std::move(open));
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
    // Nobody signs in there: whatever else it refuses says nothing of an account.
    const bool limited = answer.answered() && answer.refusal.error == ErrorClass::kRateLimited;
    return answer.answered() && !limited ? UnintelligibleRead() : FailedRead(answer, Account());
  }
  SharedOpening opening;
  opening.stream = std::make_unique<Jetstream>(*this, std::move(open), std::move(socket), from, known, gap);
  PARVIS_ASSIGN_OR_RETURN(opening.refused, opening.stream->Add(call, listeners));
  return opening;
}

}  // namespace parvis::networks
