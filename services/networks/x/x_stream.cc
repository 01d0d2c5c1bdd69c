// The filtered stream (facts 3.4): GET /2/tweets/search/stream, a JSON object a line, an empty line every twenty seconds. What
// comes is what the app's rules say, and with it which of them it is for (x_rules.h). All of this goes with the app's own
// token.
#include <algorithm>

#include "networks/wire/request.h"
#include "networks/wire/stream.h"
#include "networks/x/x.h"
#include "networks/x/x_post.h"
#include "networks/x/x_rules.h"
#include "platform/net/stream_client.h"

namespace parvis::networks {
namespace {

constexpr size_t kLineMax = 1 << 20;
constexpr int kBackfillMinutesMax = 5;
constexpr absl::Duration kLate = absl::Seconds(30);   // what comes is up to seven seconds late, and not in order

// Minutes to be sent again, so that nothing since `heard` is missed.
int64_t MinutesSince(absl::Time heard, absl::Time now) {
  return std::max<int64_t>(1, absl::ToInt64Minutes(absl::Ceil(now - heard + kLate, absl::Minutes(1))));
}

}  // namespace

class XConnector::FilteredStream final : public SharedStream {
 public:
  FilteredStream(const XConnector& x, StreamRules rules, std::unique_ptr<net::ByteStream> bytes, bool gap)
      : x_(x), clock_(x.clock_), rules_(std::move(rules)), bytes_(std::move(bytes)), heard_(clock_.WallNow()), gap_(gap) {}

  StatusOr<std::map<std::string, Status>> Add(const Call& call, const std::vector<Listener>& listeners) override {
    return rules_.Add(call, listeners, false);
  }

  void Remove(const Call& call, const std::vector<std::string>& channel_ids) override { rules_.Remove(call, channel_ids); }

  StatusOr<SharedBatch> Next(const Call& call) override {
    SharedBatch batch;
    batch.gap = std::exchange(gap_, false);
    while (!HasNews(batch)) {
      PARVIS_RETURN_IF_ERROR(ended_);
      const auto bytes = bytes_->Read(call);
      if (bytes.status().code() == Code::kDeadlineExceeded) break;
      PARVIS_RETURN_IF_ERROR(bytes.status());
      heard_ = clock_.WallNow();
      Take(*bytes, &batch);
      if (call.Expired(clock_)) break;
    }
    batch.cursor = std::to_string(absl::ToUnixSeconds(heard_));
    return batch;
  }

 private:
  void Take(std::string_view bytes, SharedBatch* batch) {
    while (!bytes.empty()) {
      const size_t end = bytes.find('\n');
      const std::string_view piece = bytes.substr(0, end);
      if (line_.size() + piece.size() <= kLineMax) {
        line_.append(piece);
      } else {
        cut_ = true;
      }
      if (end == std::string_view::npos) return;
      bytes.remove_prefix(end + 1);
      TakeLine(batch);
      line_.clear();
      cut_ = false;
    }
  }

  void TakeLine(SharedBatch* batch) {
    if (!line_.empty() && line_.back() == '\r') line_.pop_back();
    if (line_.empty() || !ended_.ok()) return;   // a heartbeat
    const Json json = ParseJson(line_);
    if (cut_ || !json.is_object()) {
      batch->unparsed.push_back({line_, cut_ ? "TOO_LARGE" : "NOT_JSON", "a line of the stream"});
      return;
    }
    const Json& data = Member(json, "data");
    if (!data.is_object()) return TakeGoodbye(json, batch);
    const Json& rules = Member(json, "matching_rules");
    if (!rules.is_array()) {
      batch->unparsed.push_back({line_, "MISSING_FIELD", "a post without the rules that it is for"});
      return;
    }
    std::set<std::string> accounts;
    for (size_t i = 0; i < rules.size() && i < kPageItemsMax; ++i) accounts.insert(rules_.AccountOf(Text(rules[i], "id")));
    accounts.erase("");   // other rules of the app, and those of channels that have gone
    for (const std::string& account : accounts) {
      auto happening = XHappening(data, Member(Member(json, "includes"), "users"), account);
      if (!happening) {
        batch->unparsed.push_back({line_, "MISSING_FIELD", "a post without id, author or time"});
        return;
      }
      if (happening->by_us) continue;
      for (const std::string& channel : rules_.ChannelsOf(account)) batch->happenings.emplace_back(channel, *happening);
    }
  }

  // X says why it ends the stream: "operational-disconnect" and the like.
  void TakeGoodbye(const Json& json, SharedBatch* batch) {
    const Json& errors = Member(json, "errors");
    const Json& said = errors.is_array() && !errors.empty() ? errors[0] : json;
    std::string why = Text(said, "detail");
    if (why.empty()) why = Text(said, "title");
    if (why.empty()) {
      batch->unparsed.push_back({line_, "UNKNOWN_SHAPE", "a line of the stream"});
    } else {
      ended_ = MakeError(Code::kUnavailable, "STREAM_LOST", "X ended the stream: " + SafeMessage(why, x_.app_.credentials));
    }
  }

  const XConnector& x_;
  const Clock& clock_;
  StreamRules rules_;
  const std::unique_ptr<net::ByteStream> bytes_;
  std::string line_;
  bool cut_ = false;
  absl::Time heard_;
  bool gap_;
  Status ended_;
};

Answer XConnector::AskApp(const Call& call, const std::string& method, const std::string& path, const Json* body) {
  net::ClientRequest request;
  request.method = method;
  request.url = WithoutSlash(streaming_.x_url) + path;
  request.bearer = streaming_.x_bearer_token;
  if (body != nullptr) SetJson(*body, &request);
  Answer answer;
  answer.http = http_.Send(call, std::move(request));
  if (!answer.answered()) return answer;
  answer.json = ParseJson(answer.http.body);
  answer.refusal = ClassifyX(answer.http, answer.json);
  answer.rate = XRate(answer.http.headers, clock_.WallNow());
  return answer;
}

Status XConnector::FailedApp(const Answer& answer) const {
  const bool app = answer.answered() && (answer.refusal.error == ErrorClass::kTokenExpired || answer.refusal.error == ErrorClass::kPermission);
  if (!app) return FailedRead(answer, app_);
  return MakeError(Code::kFailedPrecondition, "STREAM_REFUSED",
                   "X does not let the app have a stream: " + SafeMessage(answer.refusal.message, app_.credentials));
}

Answer XConnector::OpenFiltered(const Call& call, int backfill_minutes, std::unique_ptr<net::ByteStream>* bytes) {
  net::ClientRequest request;
  request.url = WithoutSlash(streaming_.x_url) + "/2/tweets/search/stream?tweet.fields=" + net::UrlEncode(kXTweetFields) +
                "&expansions=author_id&user.fields=" + net::UrlEncode(kXUserFields);
  if (backfill_minutes > 0) request.url += "&backfill_minutes=" + std::to_string(backfill_minutes);
  request.bearer = streaming_.x_bearer_token;
  Answer answer;
  answer.http = streaming_.client->Open(call, std::move(request), bytes);
  if (!answer.answered() || *bytes != nullptr) return answer;
  answer.json = ParseJson(answer.http.body);
  answer.refusal = ClassifyX(answer.http, answer.json);
  answer.rate = XRate(answer.http.headers, clock_.WallNow());
  return answer;
}

StatusOr<SharedOpening> XConnector::OpenSharedStream(const Call& call, const std::vector<Listener>& listeners,
                                                     const std::string& cursor, AccountOpener open) {
  if (!capabilities_.Can(Feature::kStream)) return Connector::OpenSharedStream(call, listeners, cursor, std::move(open));
  SharedOpening opening;
  StreamRules rules(*this);
  PARVIS_ASSIGN_OR_RETURN(opening.refused, rules.Add(call, listeners, true));
  if (rules.empty()) return opening;   // X opens no stream without rules
  const bool known = IsNumber(cursor) && cursor.size() <= 11;
  const int64_t minutes = known ? MinutesSince(absl::FromUnixSeconds(std::stoll(cursor)), clock_.WallNow()) : 0;
  bool gap = !cursor.empty() && (!known || minutes > kBackfillMinutesMax);
  const int backfill = static_cast<int>(std::min<int64_t>(minutes, kBackfillMinutesMax));
  std::unique_ptr<net::ByteStream> bytes;
  Answer answer = OpenFiltered(call, backfill, &bytes);
  const ErrorClass refused = answer.refusal.error;
  if (backfill > 0 && answer.answered() && (refused == ErrorClass::kInvalid || refused == ErrorClass::kPermission)) {
    gap = true;   // not every access includes it
    answer = OpenFiltered(call, 0, &bytes);
  }
  if (!answer.ok()) return FailedApp(answer);
  if (bytes == nullptr) return UnintelligibleRead();
  rules.Tidy(call);
  opening.stream = std::make_unique<FilteredStream>(*this, std::move(rules), std::move(bytes), gap);
  return opening;
}

}  // namespace parvis::networks
