// The filtered stream (facts 3.4): GET /2/tweets/search/stream, a JSON object a line, an empty line every twenty seconds. What
// comes is what the app's rules say: for each channel one rule for what mentions the account. All of this goes with
// the app's own token.
#include <algorithm>

#include "networks/wire/request.h"
#include "networks/wire/stream.h"
#include "networks/x/x.h"
#include "networks/x/x_post.h"
#include "platform/net/stream_client.h"

namespace parvis::networks {
namespace {

constexpr size_t kLineMax = 1 << 20;
constexpr int kBackfillMinutesMax = 5;
constexpr absl::Duration kLate = absl::Seconds(30);   // what comes is up to seven seconds late, and not in order

// 401 and 403 speak of the app, not of the channel, which must not be taken for broken.
Status FailedApp(const Answer& answer, const Account& account) {
  const bool app = answer.answered() && (answer.refusal.error == ErrorClass::kTokenExpired || answer.refusal.error == ErrorClass::kPermission);
  if (!app) return FailedRead(answer, account);
  return MakeError(Code::kFailedPrecondition, "STREAM_REFUSED",
                   "X does not let the app have a stream: " + SafeMessage(answer.refusal.message, account.credentials));
}

// Minutes to be sent again, so that nothing since `heard` is missed.
int64_t MinutesSince(absl::Time heard, absl::Time now) {
  return std::max<int64_t>(1, absl::ToInt64Minutes(absl::Ceil(now - heard + kLate, absl::Minutes(1))));
}

}  // namespace

class XConnector::FilteredStream final : public Stream {
 public:
  FilteredStream(const Clock& clock, const Account& account, std::string rule, std::unique_ptr<net::ByteStream> bytes, bool gap)
      : clock_(clock), account_(account), rule_(std::move(rule)), bytes_(std::move(bytes)), heard_(clock.WallNow()), gap_(gap) {}

  StatusOr<StreamBatch> Next(const Call& call) override {
    StreamBatch batch;
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
  void Take(std::string_view bytes, StreamBatch* batch) {
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

  void TakeLine(StreamBatch* batch) {
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
    bool ours = !rules.is_array();
    for (size_t i = 0; rules.is_array() && i < rules.size() && i < 1000; ++i) ours = ours || Text(rules[i], "id") == rule_;
    if (!ours) return;   // another channel's
    auto happening = XHappening(data, Member(Member(json, "includes"), "users"), account_.remote_id);
    if (!happening) {
      batch->unparsed.push_back({line_, "MISSING_FIELD", "a post without id, author or time"});
    } else if (!happening->by_us) {
      batch->happenings.push_back(*std::move(happening));
    }
  }

  // X says why it ends the stream: "operational-disconnect" and the like.
  void TakeGoodbye(const Json& json, StreamBatch* batch) {
    const Json& errors = Member(json, "errors");
    const Json& said = errors.is_array() && !errors.empty() ? errors[0] : json;
    std::string why = Text(said, "detail");
    if (why.empty()) why = Text(said, "title");
    if (why.empty()) {
      batch->unparsed.push_back({line_, "UNKNOWN_SHAPE", "a line of the stream"});
    } else {
      ended_ = MakeError(Code::kUnavailable, "STREAM_LOST", "X ended the stream: " + SafeMessage(why, account_.credentials));
    }
  }

  const Clock& clock_;
  const Account account_;
  const std::string rule_;
  const std::unique_ptr<net::ByteStream> bytes_;
  std::string line_;
  bool cut_ = false;
  absl::Time heard_;
  bool gap_;
  Status ended_;
};

Answer XConnector::AskApp(const Call& call, const Account& account, const std::string& method, const std::string& path,
                          const Json* body) {
  net::ClientRequest request;
  request.method = method;
  request.url = BaseOf(account) + path;
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

StatusOr<std::string> XConnector::StreamRule(const Call& call, const Account& account) {
  const std::string path = "/2/tweets/search/stream/rules", tag = "parvis:" + account.remote_id;
  PARVIS_ASSIGN_OR_RETURN(const Identity me, WhoAmI(call, account));
  const std::string value = "@" + me.handle + " -is:retweet";
  const Answer list = AskApp(call, account, "GET", path);
  if (!list.ok()) return FailedApp(list, account);
  const Json& rules = Member(list.json, "data");   // absent when there are none
  Json stale = Json::array();
  for (size_t i = 0; rules.is_array() && i < rules.size() && i < kPageItemsMax; ++i) {
    if (Text(rules[i], "value") == value) return Text(rules[i], "id");
    if (Text(rules[i], "tag") == tag) stale.push_back(Text(rules[i], "id"));   // the account had another name
  }
  if (!stale.empty()) {
    const Json body = {{"delete", {{"ids", stale}}}};
    const Answer gone = AskApp(call, account, "POST", path, &body);
    if (!gone.ok()) return FailedApp(gone, account);
  }
  const Json body = {{"add", Json::array({{{"value", value}, {"tag", tag}}})}};
  const Answer added = AskApp(call, account, "POST", path, &body);
  const Json &data = Member(added.json, "data"), &errors = Member(added.json, "errors");
  if (added.ok() && data.is_array() && !data.empty() && !Text(data[0], "id").empty()) return Text(data[0], "id");
  // Somebody made the same one meanwhile.
  if (added.answered() && errors.is_array() && !errors.empty() && Text(errors[0], "title") == "DuplicateRule" &&
      !Text(errors[0], "id").empty()) {
    return Text(errors[0], "id");
  }
  if (!added.ok()) return FailedApp(added, account);
  return UnintelligibleRead();
}

Answer XConnector::OpenFiltered(const Call& call, const Account& account, int backfill_minutes,
                                std::unique_ptr<net::ByteStream>* bytes) {
  net::ClientRequest request;
  request.url = BaseOf(account) + "/2/tweets/search/stream?tweet.fields=" + net::UrlEncode(kXTweetFields) +
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

StatusOr<std::unique_ptr<Stream>> XConnector::OpenStream(const Call& call, const Account& account, const std::string& cursor) {
  if (!capabilities_.Can(Feature::kStream)) return Connector::OpenStream(call, account, cursor);
  PARVIS_ASSIGN_OR_RETURN(std::string rule, StreamRule(call, account));
  const bool known = IsNumber(cursor) && cursor.size() <= 11;
  const int64_t minutes = known ? MinutesSince(absl::FromUnixSeconds(std::stoll(cursor)), clock_.WallNow()) : 0;
  bool gap = !cursor.empty() && (!known || minutes > kBackfillMinutesMax);
  const int backfill = static_cast<int>(std::min<int64_t>(minutes, kBackfillMinutesMax));
  std::unique_ptr<net::ByteStream> bytes;
  Answer answer = OpenFiltered(call, account, backfill, &bytes);
  const ErrorClass refused = answer.refusal.error;
  if (backfill > 0 && answer.answered() && (refused == ErrorClass::kInvalid || refused == ErrorClass::kPermission)) {
    gap = true;   // not every access includes it
    answer = OpenFiltered(call, account, 0, &bytes);
  }
  if (!answer.ok()) return FailedApp(answer, account);
  if (bytes == nullptr) return UnintelligibleRead();
  return std::make_unique<FilteredStream>(clock_, account, std::move(rule), std::move(bytes), gap);
}

}  // namespace parvis::networks
