// Videos and GIFs, uploaded in pieces by the dedicated paths (facts 3.2): initialize, append, finalize, then waiting
// while X processes them. Nobody sees any of it before the post that carries it.
#include <algorithm>

#include "networks/wire/media.h"
#include "networks/wire/request.h"
#include "networks/wire/wait.h"
#include "networks/x/x.h"

namespace parvis::networks {
namespace {

constexpr int64_t kPiece = 4 << 20;  // at most 1000 pieces
constexpr int kTriesMax = 3;         // of one piece, and of one look at the state
constexpr int kLooksMax = 1000;      // at the state; the call's deadline comes first
constexpr absl::Duration kPause = absl::Milliseconds(200);

// Worth another try: nothing that the network said no to.
bool MayPass(const Answer& answer) { return !answer.answered() || answer.refusal.error == ErrorClass::kTransient; }

}  // namespace

bool InPieces(const Media& media) { return media.type.rfind("video/", 0) == 0 || media.type == "image/gif"; }

// One piece; sent again under its own number, which replaces it.
std::optional<Outcome> XConnector::Append(const Call& call, const Account& account, const std::string& path,
                                          int segment, const std::string& piece) {
  for (int tries = 1;; ++tries) {
    net::ClientRequest request;
    request.method = "POST";
    request.url = BaseOf(account) + path + "/append";
    FormData form;
    form.AddField("segment_index", std::to_string(segment));
    form.AddFile("media", "piece", "application/octet-stream", piece);
    form.MoveTo(&request);
    const Answer answer = SendRequest(call, account, std::move(request));
    if (answer.ok()) return std::nullopt;
    if (!MayPass(answer) || tries >= kTriesMax || !WaitWithin(call, clock_, kPause * tries, absl::ZeroDuration())) {
      return FailedWrite(answer, account, false);
    }
  }
}

// `info` is the processing_info of the finalize; none means that the media is ready.
std::optional<Outcome> XConnector::AwaitProcessing(const Call& call, const Account& account, const std::string& id,
                                                   Json info) {
  int failures = 0;
  for (int looks = 0; info.is_object(); ++looks) {
    const std::string state = Text(info, "state");
    if (state == "succeeded") return std::nullopt;
    if (state == "failed") {
      const Json& error = Member(info, "error");
      const std::string why = Text(error, "detail").empty() ? Text(error, "message") : Text(error, "detail");
      return RefusedBeforeSending(
          ErrorClass::kInvalid,
          "X could not process the media" + (why.empty() ? "" : ": " + SafeMessage(why, account.credentials)));
    }
    const Json& after = Member(info, "check_after_secs");
    const int64_t seconds = after.is_number_integer() ? std::clamp<int64_t>(after.get<int64_t>(), 0, 60) : 1;
    Answer answer;
    if (looks < kLooksMax && WaitWithin(call, clock_, std::max(absl::Seconds(seconds), kPause), absl::ZeroDuration())) {
      answer = Ask(call, account, "GET", "/2/media/upload?command=STATUS&media_id=" + net::UrlEncode(id));
      if (answer.ok()) {
        info = Member(Member(answer.json, "data"), "processing_info");
        failures = 0;
        continue;
      }
      if (MayPass(answer) && ++failures < kTriesMax) continue;
      return FailedWrite(answer, account, false);
    }
    Outcome out;
    out.kind = OutcomeKind::kNotSent;
    out.error = ErrorClass::kTransient;
    out.reason = ReasonName(out.error);
    out.message = "X is still processing the media";
    return out;
  }
  return std::nullopt;
}

StatusOr<std::string> XConnector::UploadInPieces(const Call& call, const Account& account, const Media& media,
                                                 std::optional<Outcome>* failed) {
  const auto size = MediaSize(media);
  if (!size.ok()) return size.status();
  const Json start = {{"media_type", media.type},
                      {"total_bytes", *size},
                      {"media_category", media.type == "image/gif" ? "tweet_gif" : "tweet_video"}};
  Answer answer = Ask(call, account, "POST", "/2/media/upload/initialize", &start);
  const std::string id = answer.ok() ? Text(Member(answer.json, "data"), "id") : "";
  if (id.empty()) {
    *failed = FailedWrite(answer, account, false);
    return id;
  }
  const std::string path = "/2/media/upload/" + net::UrlEncode(id);
  int segment = 0;
  for (int64_t at = 0; at < *size; at += kPiece, ++segment) {
    const int64_t length = std::min(kPiece, *size - at);
    PARVIS_ASSIGN_OR_RETURN(const std::string piece, MediaPiece(http_, call, media, at, length));
    if (static_cast<int64_t>(piece.size()) != length) {
      return MakeError(Code::kFailedPrecondition, "MEDIA_UNAVAILABLE", "the media ends before its size");
    }
    *failed = Append(call, account, path, segment, piece);
    if (*failed) return id;
  }
  // Once: what a second one of an upload that is finalized already gets is not documented.
  answer = Ask(call, account, "POST", path + "/finalize");
  *failed = answer.ok() ? AwaitProcessing(call, account, id, Member(Member(answer.json, "data"), "processing_info"))
                        : FailedWrite(answer, account, false);
  return id;
}

}  // namespace parvis::networks
