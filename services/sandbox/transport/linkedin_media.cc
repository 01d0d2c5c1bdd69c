// Images, documents and videos: registered, uploaded in one or several parts, finalised (facts 5.2). The bytes are
// counted and not kept.
#include <algorithm>

#include "sandbox/domain/cat.h"
#include "sandbox/transport/linkedin.h"
#include "sandbox/transport/linkedin_json.h"

namespace parvis::sandbox {
namespace {

constexpr int64_t kVideoMax = int64_t{500} << 20, kPartBytes = 4 << 20;

// Where the part `part` of a medium goes to; the secret is in the address, no header is asked for.
std::string UploadUrl(const Request& request, const Item& item, const std::string& token, int64_t part) {
  const size_t colon = item.id.rfind(':');
  return Cat(request.base_url, "/linkedin/dms-uploads/", item.id.substr(colon + 1), "/uploaded-", item.media, "/", part,
             "?ca=vector_feedshare&cn=uploads&sync=0&app=sandbox&ut=", token);
}

int64_t PartsOf(const Item& item) {
  const int64_t size = ReadNumber(Extra(item, "size"), 0, 0, kVideoMax).value_or(0);
  return item.media == "video" ? (size + kPartBytes - 1) / kPartBytes : 1;
}

}  // namespace

net::HttpResponse Linkedin::InitializeUpload(const Asked& asked, const std::string& kind, Answer answer) {
  const bool video = kind == "video";
  const Json ask = LinkedinAt(asked.request.json, {"initializeUploadRequest"});
  const std::vector<std::string_view> known =
      video ? std::vector<std::string_view>{"owner", "fileSizeBytes", "uploadCaptions", "uploadThumbnail", "purpose"}
            : std::vector<std::string_view>{"owner", "mediaLibraryMetadata"};
  const std::vector<std::string_view> required =
      video ? std::vector<std::string_view>{"owner", "fileSizeBytes"} : std::vector<std::string_view>{"owner"};
  if (auto refusal = LinkedinCheck(ask, required, known)) return *std::move(refusal);
  if (ask["owner"] != asked.account->id) {
    return LinkedinRefusal({.status = 403,
                            .message = Cat("Accessing this ", kind,
                                           " resource is forbidden. Please check your permissions for this resource"),
                            .code = "ACCESS_DENIED"});
  }
  int64_t size = 0;
  if (video) {
    if (!ask["fileSizeBytes"].is_number_unsigned())
      return LinkedinInvalid("fileSizeBytes", "cannot be coerced to Long");
    size = ask["fileSizeBytes"];
    if (size < 1 || size > kVideoMax) {
      return LinkedinRefusal(
          {.message = "fileSizeBytes is out of range", .code = "FIELD_VALUE_TOO_HIGH", .field = "/fileSizeBytes"});
    }
  }
  const std::string token = Cat(kind, "-", asked.request.digest);
  const auto item =
      context_.world.Create({.network = Network::kLinkedin,
                             .kind = Item::Kind::kMedia,
                             .account = asked.account->id,
                             .author_id = asked.account->id,
                             .author_name = asked.account->name,
                             .status = "WAITING_UPLOAD",
                             .media = kind,
                             .extra = {{"status", "WAITING_UPLOAD"}, {"token", token}, {"size", std::to_string(size)}},
                             .by_us = true},
                            Us(asked, answer));
  if (!item.ok()) return LinkedinFailed(item.status());
  const int64_t expires = absl::ToUnixMillis(context_.clock.WallNow() + absl::Hours(24));
  Json value = {{kind, (*item)->id}, {"uploadUrlExpiresAt", expires}};
  if (video) {
    Json parts = Json::array();
    for (int64_t part = 0; part < PartsOf(**item); ++part) {
      parts.push_back({{"uploadUrl", UploadUrl(asked.request, **item, token, part)},
                       {"firstByte", part * kPartBytes},
                       {"lastByte", std::min(size, (part + 1) * kPartBytes) - 1}});
    }
    value.erase("uploadUrlExpiresAt");
    value.update({{"uploadInstructions", std::move(parts)}, {"uploadToken", token}, {"uploadUrlsExpireAt", expires}});
  } else {
    value["uploadUrl"] = UploadUrl(asked.request, **item, token, 0);
  }
  return JsonResponse(200, {{"value", std::move(value)}}, false);
}

// PUT /linkedin/dms-uploads/{id}/uploaded-{kind}/{part}
Reply Linkedin::Upload(const Request& request) {
  net::HttpResponse response = LinkedinEmpty(404);
  if (request.path.size() != 4 || !request.path[2].starts_with("uploaded-")) return {response};
  const std::string kind = request.path[2].substr(9);
  const ItemPtr item = context_.world.Find(Network::kLinkedin, Cat("urn:li:", kind, ":", request.path[1]));
  if (item == nullptr || item->deleted || item->kind != Item::Kind::kMedia) return {response};
  const auto part = ReadNumber(request.path[3], -1, 0, PartsOf(*item) - 1);
  if (!part || request.Param("ut") != Extra(*item, "token")) return {response};
  const auto refuse = [](int status) { return [status] { return LinkedinEmpty(status); }; };
  return UnderFaults(context_, Network::kLinkedin, item->account, "media",
                     {.limited = refuse(429), .forbidden = refuse(403)}, [&](Answer) -> net::HttpResponse {
                       if (request.http.method != "PUT") return LinkedinEmpty(405);
                       const int64_t bytes = static_cast<int64_t>(request.http.body.size());
                       if (bytes == 0) return LinkedinEmpty(400);
                       if (kind != "video") {
                         (void)context_.world.SetExtra(Network::kLinkedin, item->id,
                                                       {{"status", "PROCESSING"}, {"size", std::to_string(bytes)}});
                         return LinkedinEmpty(201);
                       }
                       const int64_t size = ReadNumber(Extra(*item, "size"), 0, 0, kVideoMax).value_or(0);
                       if (bytes != std::min(kPartBytes, size - *part * kPartBytes))
                         return LinkedinEmpty(400);  // not the bytes of this part
                       const std::string etag = Cat("/ambry-video/", request.digest, "/", *part);
                       (void)context_.world.SetExtra(Network::kLinkedin, item->id, {{Cat("etag", *part), etag}});
                       net::HttpResponse taken = LinkedinEmpty(200);
                       taken.headers["ETag"] = Cat("\"", etag, "\"");
                       return taken;
                     });
}

net::HttpResponse Linkedin::FinalizeUpload(const Asked& asked) {
  const Json ask = LinkedinAt(asked.request.json, {"finalizeUploadRequest"});
  if (auto refusal = LinkedinCheck(ask, {"video", "uploadToken", "uploadedPartIds"},
                                   {"video", "uploadToken", "uploadedPartIds"})) {
    return *std::move(refusal);
  }
  const ItemPtr item =
      ask["video"].is_string() ? context_.world.Find(Network::kLinkedin, ask["video"].get<std::string>()) : nullptr;
  if (item == nullptr || item->account != asked.account->id || item->media != "video") return LinkedinGone("video");
  const Json& ids = ask["uploadedPartIds"];
  bool right = ask["uploadToken"] == Extra(*item, "token") && ids.is_array() &&
               static_cast<int64_t>(ids.size()) == PartsOf(*item);
  for (size_t part = 0; right && part < ids.size(); ++part) {  // in order; with or without their quotation marks
    const std::string etag = Extra(*item, Cat("etag", part));
    right = !etag.empty() && (ids[part] == etag || ids[part] == Cat("\"", etag, "\""));
  }
  if (!right) {
    return LinkedinRefusal(
        {.message = "uploadToken or uploadedPartIds do not match what was uploaded", .code = "ILLEGAL_ARGUMENT"});
  }
  if (Extra(*item, "status") == "WAITING_UPLOAD") {
    (void)context_.world.SetExtra(Network::kLinkedin, item->id, {{"status", "PROCESSING"}});
  }
  return LinkedinEmpty(200);
}

// Who asks sees it being processed once; then it is done.
net::HttpResponse Linkedin::ReadMedia(const Asked& asked) {
  const ItemPtr item = context_.world.Find(Network::kLinkedin, asked.At(1));
  const std::string kind = asked.At(0).substr(0, asked.At(0).size() - 1);
  if (item == nullptr || item->kind != Item::Kind::kMedia || item->media != kind) return LinkedinGone(asked.At(1));
  const std::string status = Extra(*item, "status");
  if (item->account != asked.account->id) return LinkedinEmpty(403);
  if (status == "PROCESSING") (void)context_.world.SetExtra(Network::kLinkedin, item->id, {{"status", "AVAILABLE"}});
  Json json = {{"id", item->id}, {"owner", item->author_id}, {"status", status}};
  if (status == "AVAILABLE") {
    json["downloadUrl"] = Cat(asked.request.base_url, "/linkedin/dms/", item->id.substr(item->id.rfind(':') + 1));
  }
  return JsonResponse(200, json, false);
}

}  // namespace parvis::sandbox
