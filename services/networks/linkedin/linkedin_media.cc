// Uploads (facts 5.2): register, send the bytes to the address that was given, and for a video finish with the parts'
// ETags. All of it comes before the post: whatever fails here, nobody has seen anything.
#include <algorithm>

#include "networks/linkedin/linkedin.h"
#include "networks/linkedin/linkedin_text.h"
#include "networks/wire/media.h"

namespace parvis::networks {
namespace {

constexpr int kTries = 3;  // of one part whose connection was lost; each part has an address of its own
constexpr size_t kPartsMax = 2000;
constexpr int64_t kPartBytesMax = 64 << 20;

std::string HostOf(const std::string& url) {
  const size_t start = url.find("://");
  if (start == std::string::npos) return "";
  const size_t end = url.find_first_of("/?#", start + 3);
  return url.substr(start + 3, end == std::string::npos ? end : end - start - 3);
}

}  // namespace

std::optional<std::string> LinkedInConnector::Put(const Call& call, const Account& account, const std::string& url,
                                                  const std::string& type, const std::string& bytes, Outcome* failed) {
  Answer answer;
  for (int tries = 0; tries < kTries; ++tries) {
    net::ClientRequest request;
    request.method = "PUT";
    request.url = url;
    request.headers["Content-Type"] = type;
    request.body = bytes;
    // The address comes from the API; the token goes nowhere but to LinkedIn all the same.
    const std::string host = HostOf(url);
    if (host == HostOf(account.base_url) || host.ends_with(".linkedin.com")) {
      request.bearer = account.credentials.Get("access_token");
    }
    answer = Answer();
    answer.http = http_.Send(call, std::move(request));
    if (answer.answered()) answer.refusal = ClassifyLinkedIn(answer.http, answer.json);
    if (answer.ok()) return net::HeaderOf(answer.http.headers, "ETag");
    if (!MayGoOn(answer)) break;
  }
  *failed = FailedWrite(answer, account, false);
  return std::nullopt;
}

// `collection`: "images" or "documents".
std::string LinkedInConnector::UploadImage(const Call& call, const Account& account, const Media& media,
                                           const char* collection, Outcome* failed) {
  const auto bytes = MediaBytes(http_, call, media, capabilities_.BytesMaxOf(media.type));
  if (!bytes.ok()) {
    *failed = MediaFailed(bytes.status());
    return "";
  }
  const Json body = {{"initializeUploadRequest", {{"owner", OrganisationUrn(account.remote_id)}}}};
  const Answer answer =
      Ask(call, account, "POST", std::string("/rest/") + collection + "?action=initializeUpload", &body);
  const Json& value = Member(answer.json, "value");
  const std::string url = Text(value, "uploadUrl");
  const std::string urn = Text(value, std::string_view(collection) == "images" ? "image" : "document");
  if (!answer.ok()) {
    *failed = FailedWrite(answer, account, false);
    return "";
  }
  if (url.empty() || urn.empty()) {
    *failed = Unusable(answer);
    return "";
  }
  return Put(call, account, url, media.type, *bytes, failed) ? urn : "";
}

// Each part to its own address; its ETag, in the order of the parts, says that it arrived.
std::optional<Json> LinkedInConnector::PutParts(const Call& call, const Account& account, const Media& media,
                                                const Json& parts, int64_t size, Outcome* failed) {
  Json etags = Json::array();
  for (const Json& part : parts) {
    const Json& last = Member(part, "lastByte");
    const int64_t from = NumberOf(part, "firstByte");
    const int64_t to = last.is_number_integer() ? last.get<int64_t>() : size - 1;
    if (from < 0 || to < from || to >= size || to - from >= kPartBytesMax) {
      *failed =
          RefusedBeforeSending(ErrorClass::kTransient, "the network asked for parts that the video does not have");
      failed->kind = OutcomeKind::kNotSent;
      return std::nullopt;
    }
    const auto piece = MediaPiece(http_, call, media, from, to - from + 1);
    if (!piece.ok()) {
      *failed = MediaFailed(piece.status());
      return std::nullopt;
    }
    const auto etag = Put(call, account, Text(part, "uploadUrl"), "application/octet-stream", *piece, failed);
    if (!etag) return std::nullopt;
    etags.push_back(*etag);
  }
  return etags;
}

std::string LinkedInConnector::UploadVideo(const Call& call, const Account& account, const Draft& draft,
                                           Outcome* failed) {
  const Media& media = draft.media[0];
  const auto size = MediaSize(media);
  if (!size.ok()) {
    *failed = MediaFailed(size.status());
    return "";
  }
  const Json body = {{"initializeUploadRequest",
                      {{"owner", OrganisationUrn(account.remote_id)},
                       {"fileSizeBytes", *size},
                       {"uploadCaptions", false},
                       {"uploadThumbnail", draft.thumbnail.has_value()}}}};
  const Answer begun = Ask(call, account, "POST", "/rest/videos?action=initializeUpload", &body);
  const Json& value = Member(begun.json, "value");
  const Json& parts = Member(value, "uploadInstructions");
  const std::string urn = Text(value, "video");
  if (!begun.ok()) {
    *failed = FailedWrite(begun, account, false);
    return "";
  }
  if (urn.empty() || !parts.is_array() || parts.empty() || parts.size() > kPartsMax) {
    *failed = Unusable(begun);
    return "";
  }
  const auto etags = PutParts(call, account, media, parts, *size, failed);
  if (!etags) return "";
  if (draft.thumbnail) {
    const auto picture = MediaBytes(http_, call, *draft.thumbnail, 10 << 20);
    if (!picture.ok()) {
      *failed = MediaFailed(picture.status());
      return "";
    }
    if (!Put(call, account, Text(value, "thumbnailUploadUrl"), draft.thumbnail->type, *picture, failed)) return "";
  }
  const Json finish = {{"finalizeUploadRequest",
                        {{"video", urn}, {"uploadToken", Text(value, "uploadToken")}, {"uploadedPartIds", *etags}}}};
  const Answer done = Ask(call, account, "POST", "/rest/videos?action=finalizeUpload", &finish);
  if (!done.ok()) {
    *failed = FailedWrite(done, account, false);
    return "";
  }
  return urn;
}

bool LinkedInConnector::AddContent(const Call& call, const Account& account, const Draft& draft, Json* post,
                                   Outcome* failed) {
  if (draft.poll) {
    const absl::Duration day = absl::Hours(24);
    const char* duration = draft.poll->open_for <= day       ? "ONE_DAY"
                           : draft.poll->open_for <= 3 * day ? "THREE_DAYS"
                           : draft.poll->open_for <= 7 * day ? "SEVEN_DAYS"
                                                             : "FOURTEEN_DAYS";
    Json options = Json::array();
    for (const std::string& option : draft.poll->options) options.push_back({{"text", option}});
    (*post)["content"]["poll"] = {{"question", draft.title.empty() ? draft.text : draft.title},
                                  {"options", options},
                                  {"settings", {{"duration", duration}}}};
    return true;
  }
  if (!draft.quote_remote_id.empty()) (*post)["reshareContext"] = {{"parent", draft.quote_remote_id}};
  if (draft.media.empty()) {
    // A link is not looked at by LinkedIn: its card shows what the post says.
    if (ShowsLinkAsCard(draft)) {
      (*post)["content"]["article"] = {{"source", draft.link},
                                       {"title", draft.title.empty() ? draft.link : draft.title}};
    }
    return true;
  }
  Json images = Json::array();
  for (const Media& media : draft.media) {
    const bool video = media.type.rfind("video/", 0) == 0, image = media.type.rfind("image/", 0) == 0;
    const std::string urn = video ? UploadVideo(call, account, draft, failed)
                                  : UploadImage(call, account, media, image ? "images" : "documents", failed);
    if (urn.empty()) return false;
    Json one = {{"id", urn}};
    const std::string title = media.title.empty() ? draft.title : media.title;
    if (image && !media.alt_text.empty()) one["altText"] = media.alt_text;
    if (!image) one["title"] = title.empty() ? "video" : title;
    if (!image && !video && title.empty()) one["title"] = "document";
    if (draft.media.size() == 1) {
      (*post)["content"]["media"] = one;
    } else {
      images.push_back(one);
    }
  }
  if (!images.empty()) (*post)["content"]["multiImage"] = {{"images", images}};
  return true;
}

}  // namespace parvis::networks
