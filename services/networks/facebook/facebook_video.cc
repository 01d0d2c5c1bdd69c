// Videos, reels and stories of a Page (facts 1.2). A video of our own goes in pieces, which the network asks for; where it
// has an address, the network fetches it. Nothing is seen before the last call, which is the effect.
#include <algorithm>
#include <charconv>

#include "networks/facebook/facebook.h"
#include "networks/meta/upload.h"
#include "networks/wire/check.h"
#include "networks/wire/media.h"

namespace parvis::networks {
namespace {

constexpr int64_t kPieceMax = 8 << 20;
constexpr int kTries = 3;           // of one piece
constexpr int kPiecesMax = 20'000;
constexpr int64_t kThumbnailBytesMax = 10 << 20;   // from memory

// Offsets come as text or as numbers; -1 when there is none.
int64_t Offset(const Json& json, const char* key) {
  const std::string text = Text(json, key);
  int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 0 ? value : -1;
}

struct Wanted {
  int64_t start = -1, end = -1;
  bool ok(int64_t size) const { return start >= 0 && end >= start && end <= size; }
  bool done() const { return start == end; }
};
Wanted WantedOf(const Json& json) { return {Offset(json, "start_offset"), Offset(json, "end_offset")}; }

// {"success":..,"post_id":..}, of what has no id of its own in the answer.
Outcome Finished(const Answer& answer, const Account& account, const std::string& id) {
  if (answer.ok() && !Text(answer.json, "post_id").empty()) return meta::Created(answer, account, "post_id");
  return meta::Changed(answer, account, id);
}

bool HasContent(const Media& media) { return media.content != nullptr || !media.bytes.empty(); }

void AddWords(const Draft& draft, meta::Fields* fields) {
  if (const std::string text = TextWithLink(draft); !text.empty()) fields->emplace_back("description", text);
  if (!draft.title.empty()) fields->emplace_back("title", draft.title);
}

}  // namespace

// Sends what the network asks for until it asks for no more. After a lost connection the same piece is sent again, and
// where the network has it already it says so: subcode 1363037, with the right offsets in error_data.
bool FacebookConnector::Transfer(const Call& call, const Account& account, const Media& media, const Answer& begun,
                                 Outcome* failed) {
  const auto size = MediaSize(media);
  if (!size.ok()) {
    *failed = MediaFailed(size.status());
    return false;
  }
  const std::string session = Text(begun.json, "upload_session_id");
  Wanted wanted = WantedOf(begun.json);
  Answer answer = begun;
  int tries = 0;
  for (int pieces = 0; pieces < kPiecesMax && wanted.ok(*size); ++pieces) {
    if (wanted.done()) return true;
    const auto piece = MediaPiece(http_, call, media, wanted.start, std::min(wanted.end - wanted.start, kPieceMax));
    if (!piece.ok()) {
      *failed = MediaFailed(piece.status());
      return false;
    }
    answer = meta::AskWithFile(http_, call, account, meta::Path(account.remote_id, "/videos"),
                               {{"upload_phase", "transfer"}, {"upload_session_id", session}, {"start_offset", std::to_string(wanted.start)}},
                               {"video_file_chunk", "piece", "application/octet-stream", *piece});
    const int64_t before = wanted.start;
    if (answer.ok()) {
      wanted = WantedOf(answer.json);
    } else if (const Wanted right = WantedOf(Member(Member(answer.json, "error"), "error_data")); right.ok(*size)) {
      wanted = right;
    } else if (!MayGoOn(answer)) {
      break;
    }
    tries = wanted.start > before ? 0 : tries + 1;
    if (tries >= kTries) break;
  }
  *failed = answer.ok() ? Unusable(answer) : FailedWrite(answer, account, false);
  return false;
}

void FacebookConnector::Complete(const Call& call, const Account& account, const Draft& draft, const std::string& video,
                                 Outcome* out) {
  if (out->kind != OutcomeKind::kAccepted) return;
  // The video is known by its post, below which its comments are reported.
  const Answer shown = Ask(call, account, "GET", meta::Path(video), {{"fields", "id,permalink_url,post_id"}});
  if (shown.ok()) {
    if (const std::string post = Text(shown.json, "post_id"); !post.empty()) out->remote_id = post;
    const std::string path = Text(shown.json, "permalink_url");   // videos give a path only
    out->permalink = path.rfind('/', 0) == 0 ? "https://www.facebook.com" + path : path;
  }
  if (out->remote_id != video && out->remote_id.find('_') == std::string::npos) {
    out->remote_id = account.remote_id + "_" + out->remote_id;
  }
  if (!draft.thumbnail) return;
  const auto bytes = MediaBytes(http_, call, *draft.thumbnail, kThumbnailBytesMax);
  if (!bytes.ok()) {
    out->lacking = "the thumbnail: " + std::string(bytes.status().message());
    return;
  }
  const Answer answer = meta::AskWithFile(http_, call, account, meta::Path(video, "/thumbnails"), {{"is_preferred", "true"}},
                                          {"source", MediaFileName(*draft.thumbnail, 0), draft.thumbnail->type, *bytes});
  if (answer.ok()) return;
  out->lacking = "the thumbnail: " + (answer.answered() ? SafeMessage(answer.refusal.message, account.credentials)
                                                        : std::string(answer.http.status.message()));
}

Outcome FacebookConnector::PostVideo(const Call& call, const Account& account, const Write& write) {
  const Media& media = write.draft.media[0];
  const std::string path = meta::Path(account.remote_id, "/videos");
  if (!HasContent(media)) {
    Fields fields = {{"file_url", media.url}};
    AddWords(write.draft, &fields);
    const Answer answer = Ask(call, account, "POST", path, std::move(fields));
    Outcome out = meta::Created(answer, account);
    Complete(call, account, write.draft, Text(answer.json, "id"), &out);
    return out;
  }
  const auto size = MediaSize(media);
  if (!size.ok()) return MediaFailed(size.status());
  const Answer begun = Ask(call, account, "POST", path, {{"upload_phase", "start"}, {"file_size", std::to_string(*size)}});
  if (!begun.ok()) return FailedWrite(begun, account, false);
  const std::string video = Text(begun.json, "video_id");
  if (video.empty() || Text(begun.json, "upload_session_id").empty()) return Unusable(begun);
  Outcome out;
  if (!Transfer(call, account, media, begun, &out)) return out;
  Fields fields = {{"upload_phase", "finish"}, {"upload_session_id", Text(begun.json, "upload_session_id")}};
  AddWords(write.draft, &fields);
  out = Finished(Ask(call, account, "POST", path, std::move(fields)), account, video);
  Complete(call, account, write.draft, video, &out);
  return out;
}

// `edge`: "/video_reels" or "/video_stories".
Outcome FacebookConnector::PostReel(const Call& call, const Account& account, const Write& write, const char* edge) {
  if (write.draft.media.size() != 1) return RefusedBeforeSending(ErrorClass::kInvalid, "a reel or story is one video");
  const std::string path = meta::Path(account.remote_id, edge);
  const bool reel = write.draft.format == PostFormat::kReel;
  const Answer begun = Ask(call, account, "POST", path, {{"upload_phase", "START"}});
  if (!begun.ok()) return FailedWrite(begun, account, false);
  const std::string video = Text(begun.json, "video_id"), url = Text(begun.json, "upload_url");
  if (video.empty() || url.empty()) return Unusable(begun);
  const auto received = [&]() -> std::optional<int64_t> {
    const Answer answer = Ask(call, account, "GET", meta::Path(video), {{"fields", "status"}});
    return answer.ok() ? meta::BytesReceived(Member(answer.json, "status")) : std::nullopt;
  };
  if (auto failed = meta::Upload(http_, call, account, url, write.draft.media[0], received)) return *std::move(failed);
  Fields fields = {{"upload_phase", "FINISH"}, {"video_id", video}};
  if (reel) {
    fields.emplace_back("video_state", "PUBLISHED");
    AddWords(write.draft, &fields);
  }
  Outcome out = Finished(Ask(call, account, "POST", path, std::move(fields)), account, video);
  if (reel) Complete(call, account, write.draft, video, &out);
  return out;
}

Outcome FacebookConnector::PostStory(const Call& call, const Account& account, const Write& write) {
  if (write.draft.media.size() != 1) return RefusedBeforeSending(ErrorClass::kInvalid, "a story is one picture or video");
  const Media& media = write.draft.media[0];
  if (media.type.rfind("video/", 0) == 0) return PostReel(call, account, write, "/video_stories");
  Outcome failed;
  const std::string photo = HiddenPhoto(call, account, media, &failed);
  if (photo.empty()) return failed;
  return Finished(Ask(call, account, "POST", meta::Path(account.remote_id, "/photo_stories"), {{"photo_id", photo}}), account, photo);
}

}  // namespace parvis::networks
