// Media (facts 3.2): pictures at once, all else in pieces by the dedicated paths, then processing that must be waited
// for.
#include <set>

#include <absl/strings/escaping.h>

#include "sandbox/domain/cat.h"
#include "sandbox/transport/x.h"
#include "sandbox/transport/x_json.h"

namespace parvis::sandbox {
namespace {

constexpr int64_t kExpires = 86'400;
constexpr size_t kUploads = 1000;
constexpr size_t kAltText = 1000;

struct Category {
  int64_t most = 0;        // bytes
  bool processed = false;  // asynchronously
  std::string_view types;  // between blanks
};

const Category* CategoryOf(const std::string& name) {
  static const auto* const categories = new std::map<std::string, Category>{
      {"tweet_image", {5 << 20, false, " image/jpeg image/png image/webp image/bmp image/tiff image/pjpeg "}},
      {"tweet_gif", {15 << 20, true, " image/gif "}},
      {"tweet_video", {512 << 20, true, " video/mp4 video/quicktime video/webm video/mp2t "}},
      {"amplify_video", {512 << 20, true, " video/mp4 video/quicktime video/webm video/mp2t "}}};
  const auto it = categories->find(name);
  return it == categories->end() ? nullptr : &it->second;
}

Json MediaJson(const Item& media, const std::string& category) {
  const char* prefix = category == "tweet_image" ? "3_" : category == "tweet_gif" ? "16_" : "7_";
  return {{"id", media.id}, {"media_key", Cat(prefix, media.id)}, {"expires_after_secs", kExpires}};
}

net::HttpResponse Answered(Json data) { return JsonResponse(200, {{"data", std::move(data)}}, false); }

// The state of what is processed, for `data.processing_info`.
Json ProcessingOf(const std::string& state) {
  if (state == "pending") return {{"state", state}, {"check_after_secs", 1}};
  if (state == "in_progress") return {{"state", state}, {"check_after_secs", 1}, {"progress_percent", 50}};
  if (state == "failed") {
    return {{"state", state},
            {"progress_percent", 50},
            {"error", {{"code", 1}, {"name", "InvalidMedia"}, {"message", "Unsupported video format"}}}};
  }
  return {{"state", "succeeded"}, {"progress_percent", 100}};
}

}  // namespace

net::HttpResponse X::MediaCall(const Asked& asked, Answer answer) {
  const std::string& method = asked.request.http.method;
  const auto& path = asked.path;
  const size_t n = path.size();
  if (n == 2 && path[1] == "metadata" && method == "POST") return DescribeMedia(asked);
  if (path[1] == "upload") {
    if (n == 2 && method == "GET") return MediaStatus(asked);
    if (n == 2 && method == "POST") return UploadAtOnce(asked, answer);
    if (n == 3 && path[2] == "initialize" && method == "POST") return InitializeMedia(asked, answer);
    if (n == 4 && path[3] == "append" && method == "POST") return AppendMedia(asked);
    if (n == 4 && path[3] == "finalize" && method == "POST") return FinalizeMedia(asked);
  }
  return XProblemResponse({404, "about:blank", "Not Found", "Not Found"});
}

ItemPtr X::OwnMedia(const Asked& asked, const std::string& id) const {
  ItemPtr media = context_.world.Find(Network::kX, id);
  return media == nullptr || media->kind != Item::Kind::kMedia || media->account != asked.account->id ? nullptr : media;
}

StatusOr<ItemPtr> X::NewMedia(const Asked& asked, Answer answer, const std::string& type, const std::string& category,
                              const std::string& state) {
  return context_.world.Create({.network = Network::kX,
                                .kind = Item::Kind::kMedia,
                                .account = asked.account->id,
                                .author_id = asked.account->id,
                                .author_name = asked.account->name,
                                .author_handle = asked.account->handle,
                                .status = category,
                                .media = type,
                                .extra = {{"state", state}},
                                .by_us = true},
                               Us(asked, answer));
}

net::HttpResponse X::UploadAtOnce(const Asked& asked, Answer answer) {
  const Part* file = nullptr;
  for (const Part& part : asked.request.parts) {
    if (part.name == "media") file = &part;
  }
  if (file == nullptr || file->body.empty()) return XInvalid("media", "", "$.media: is missing but it is required");
  const std::string category = asked.request.Param("media_category");
  const Category* kind = CategoryOf(category);
  if (kind == nullptr || kind->processed) {  // what is processed goes in pieces
    return XInvalid("media_category", category, "$.media_category: does not have a value in the enumeration");
  }
  const std::string type = asked.request.Param("media_type", file->content_type);
  if (type.empty() || kind->types.find(Cat(" ", type, " ")) == std::string_view::npos) {
    return XInvalid("media_type", type, "$.media_type: does not have a value in the enumeration");
  }
  if (static_cast<int64_t>(file->body.size()) > kind->most) return XInvalid("media", "", "The media is too large.");
  if (file->body.starts_with("broken")) return XInvalid("media", "", "Media type unrecognized.");
  const auto made = NewMedia(asked, answer, type, category, "succeeded");
  if (!made.ok()) return XProblemResponse({503, "about:blank", "Service Unavailable", "Service Unavailable"});
  Json data = MediaJson(**made, category);
  data["size"] = file->body.size();
  return Answered(std::move(data));
}

net::HttpResponse X::InitializeMedia(const Asked& asked, Answer answer) {
  static const auto* const members =
      new std::set<std::string>{"media_type", "total_bytes", "media_category", "additional_owners", "shared"};
  const Json& body = asked.request.json;
  if (!body.is_object()) return XInvalid("body", "", "The request body is not a JSON object.");
  for (const auto& [name, value] : body.items()) {
    if (!members->contains(name)) return XInvalid(name, "", Cat("$.", name, ": is not defined in the schema"));
  }
  const std::string category = asked.request.Param("media_category"), type = asked.request.Param("media_type");
  const Category* kind = CategoryOf(category);
  if (kind == nullptr)
    return XInvalid("media_category", category, "$.media_category: does not have a value in the enumeration");
  if (type.empty() || kind->types.find(Cat(" ", type, " ")) == std::string_view::npos) {
    return XInvalid("media_type", type, "$.media_type: does not have a value in the enumeration");
  }
  const Json bytes = Member(body, "total_bytes");
  if (!bytes.is_number_integer() || bytes.get<int64_t>() < 1 || bytes.get<int64_t>() > kind->most) {
    return XInvalid("total_bytes", "", "$.total_bytes: is out of range");
  }
  const auto made = NewMedia(asked, answer, type, category, "waiting");
  if (!made.ok()) return XProblemResponse({503, "about:blank", "Service Unavailable", "Service Unavailable"});
  std::lock_guard lock(mutex_);
  if (uploads_.size() >= kUploads) uploads_.erase(uploads_.begin());  // the oldest: ids grow
  uploads_[(*made)->id] = {.total = bytes.get<int64_t>()};
  return Answered(MediaJson(**made, category));
}

net::HttpResponse X::AppendMedia(const Asked& asked) {
  const std::string& id = asked.path[2];
  if (OwnMedia(asked, id) == nullptr) return XInvalid("id", id, "The media id is unknown.");
  const auto index = ReadNumber(asked.request.Param("segment_index"), -1, 0, 999);
  if (!index || *index < 0) return XInvalid("segment_index", "", "$.segment_index: must be between 0 and 999");
  std::string bytes;
  for (const Part& part : asked.request.parts) {
    if (part.name == "media") bytes = part.body;
  }
  if (const Json media = Member(asked.request.json, "media"); media.is_string()) {
    if (!absl::Base64Unescape(media.get<std::string>(), &bytes)) return XInvalid("media", "", "$.media: is not base64");
  }
  if (bytes.empty()) return XInvalid("media", "", "$.media: is missing but it is required");
  std::lock_guard lock(mutex_);
  const auto it = uploads_.find(id);
  if (it == uploads_.end()) return XInvalid("id", id, "The upload was finalized or has expired.");
  if (*index == 0) it->second.broken = bytes.starts_with("broken");
  it->second.segments[*index] = static_cast<int64_t>(bytes.size());  // the same number again replaces it
  return Answered({{"expires_at", absl::ToUnixSeconds(context_.clock.WallNow()) + kExpires}});
}

net::HttpResponse X::FinalizeMedia(const Asked& asked) {
  const ItemPtr media = OwnMedia(asked, asked.path[2]);
  if (media == nullptr) return XInvalid("id", asked.path[2], "The media id is unknown.");
  std::lock_guard lock(mutex_);
  const auto it = uploads_.find(media->id);
  if (it == uploads_.end()) return XInvalid("id", media->id, "The upload was finalized or has expired.");
  const MediaUpload& upload = it->second;
  int64_t sum = 0, next = 0;
  for (const auto& [index, size] : upload.segments) {
    if (index != next++) return XInvalid("segment_index", "", "Segments are missing.");
    sum += size;
  }
  if (sum != upload.total) return XInvalid("total_bytes", "", "Segments do not add up to provided total file size.");
  const bool processed = CategoryOf(media->status)->processed;
  (void)context_.world.SetExtra(
      Network::kX, media->id, {{"state", processed ? "pending" : "succeeded"}, {"broken", upload.broken ? "yes" : ""}});
  uploads_.erase(it);
  Json data = MediaJson(*media, media->status);
  data["size"] = sum;
  if (processed) data["processing_info"] = ProcessingOf("pending");
  return Answered(std::move(data));
}

// pending, then in progress, then the end: one step a question.
net::HttpResponse X::MediaStatus(const Asked& asked) {
  const std::string id = asked.request.Param("media_id");
  const ItemPtr media = OwnMedia(asked, id);
  if (asked.request.Param("command", "STATUS") != "STATUS" || media == nullptr) {
    return XInvalid("media_id", id, "The media id is unknown.");
  }
  Json data = MediaJson(*media, media->status);
  if (!CategoryOf(media->status)->processed) return Answered(std::move(data));
  std::string state = Extra(*media, "state");
  if (state == "waiting") return XInvalid("media_id", id, "The upload is not finalized.");
  if (state == "pending") {
    state = "in_progress";
  } else if (state == "in_progress") {
    state = Extra(*media, "broken") == "yes" ? "failed" : "succeeded";
  }
  (void)context_.world.SetExtra(Network::kX, id, {{"state", state}});
  data["processing_info"] = ProcessingOf(state);
  return Answered(std::move(data));
}

net::HttpResponse X::DescribeMedia(const Asked& asked) {
  const Json& body = asked.request.json;
  const Json id = Member(body, "id"), text = Member(Member(Member(body, "metadata"), "alt_text"), "text");
  if (!id.is_string() || OwnMedia(asked, id.get<std::string>()) == nullptr) {
    return XInvalid("id", "", "The media id is unknown.");
  }
  if (!text.is_string() || CodePoints(text.get<std::string>()) > kAltText) {
    return XInvalid("metadata.alt_text.text", "", "$.metadata.alt_text.text: may only be 1000 characters long");
  }
  (void)context_.world.SetExtra(Network::kX, id.get<std::string>(), {{"alt_text", text.get<std::string>()}});
  return Answered({{"id", id}, {"associated_metadata", {{"alt_text", {{"text", text}}}}}});
}

// The ids of a post's media: ours, ready, and four pictures or one of the others. nullopt: right.
std::optional<net::HttpResponse> X::WrongMedia(const Asked& asked, const Json& media, std::string* ids) const {
  const Json list = Member(media, "media_ids");
  if (!list.is_array() || list.empty() || list.size() > 4) {
    return XInvalid("media.media_ids", "", "$.media.media_ids: there must be 1 to 4 items");
  }
  for (const Json& id : list) {
    const ItemPtr item = id.is_string() ? OwnMedia(asked, id.get<std::string>()) : nullptr;
    if (item == nullptr || Extra(*item, "state") != "succeeded") {
      return XInvalid("media.media_ids", id.is_string() ? id.get<std::string>() : "", "Your media IDs are invalid.");
    }
    if (item->status != "tweet_image" && list.size() > 1) {
      return XInvalid("media.media_ids", "", "A Tweet can have four photos, or one GIF, or one video.");
    }
    Append(*ids, ids->empty() ? "" : ",", item->id);
  }
  return std::nullopt;
}

}  // namespace parvis::sandbox
