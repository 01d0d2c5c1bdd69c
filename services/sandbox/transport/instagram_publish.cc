// Publishing in two steps (facts 2.2): a container is in the journal as `media`, what media_publish makes of it as
// `post`.
//
// An address on this machine's loopback is fetched. What another would give is told by its last segment: "broken..." cannot be
// fetched, "never..." is never worked through. Pictures are ready at once, videos when they have been asked for three times.
#include <algorithm>

#include "sandbox/domain/cat.h"
#include "sandbox/transport/instagram.h"
#include "sandbox/transport/instagram_json.h"

namespace parvis::sandbox {
namespace {

constexpr int64_t kCaptionMax = 2200;
constexpr int kHashtagsMax = 30, kMentionsMax = 20;
constexpr size_t kAltTextMax = 1000;
constexpr int kLooks = 3;  // before a video is FINISHED: a number of ours
constexpr absl::Duration kContainerLives = absl::Hours(24);
constexpr int64_t kQuota = 100;  // facts 2.2: 50 or 100 a day, whoever reads config knows
constexpr char kQuotaEndpoint[] = "media_publish";

std::string FileName(const std::string& url) {
  const std::string path = url.substr(0, url.find('?'));
  return path.substr(path.rfind('/') + 1);
}

int CountMarks(std::string_view text, char mark) {
  int count = 0;
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == mark && text[i + 1] != ' ' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\n')) ++count;
  }
  return count;
}

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> out;
  if (const Json list = Json::parse(text, nullptr, false); list.is_array()) {
    for (const Json& one : list) out.push_back(one.is_string() ? one.get<std::string>() : one.dump());
    return out;
  }
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

bool IsAddress(const std::string& url) { return url.starts_with("http://") || url.starts_with("https://"); }

// What kind of container it is, as in media_type once it is published; "" when parameters do not go together.
struct Wanted {
  std::string type, product, url;
  bool upload = false, item = false;
  int refusal = 0;      // subcode
  std::string message;  // of code 100
};

Wanted WantedOf(const std::string& type, const std::string& image, const std::string& video, bool upload, bool item) {
  Wanted out{.type = "IMAGE", .product = "FEED", .url = image, .upload = upload, .item = item};
  const bool moving = upload || !video.empty();
  if (moving) {
    out.type = "VIDEO";
    out.url = video;
  }
  if (!image.empty() && moving) out.message = "Only one of image_url and video_url may be given";
  if (type == "STORIES") {
    out.product = "STORY";
  } else if (type == "REELS") {
    out.product = "REELS";
    if (!moving) out.message = "The parameter video_url is required";
  } else if (type == "VIDEO") {
    if (!item) out.refusal = 2207023;  // single videos are reels since 2023-07
  } else if (type.empty() || type == "IMAGE") {
    if (moving) out.message = "The parameter media_type is required for videos";
  } else {
    out.refusal = 2207023;
  }
  if (out.message.empty() && out.refusal == 0 && !upload && out.url.empty()) {
    out.message = Cat("The parameter ", moving ? "video_url" : "image_url", " is required");
  }
  if (!upload && !out.url.empty() && !IsAddress(out.url)) out.refusal = 2207052;
  return out;
}

// The subcode that refuses what was found at an address; 0: it is what it should be, or out of reach from here.
int RefusalOf(const Fetched& fetched, const std::string& url, bool picture) {
  const auto at = fetched.find(url);
  if (url.empty() || at == fetched.end()) return 0;
  const Found& found = at->second;
  if ((found.status != 200 && found.status != 206) || found.begins.empty()) return 2207052;
  if (picture) return found.type.starts_with("image/jpeg") && found.begins.starts_with("\xff\xd8") ? 0 : 2207005;
  return found.type.starts_with("video/") ? 0 : 2207026;
}

}  // namespace

std::vector<std::string> Instagram::Fetches(const net::HttpRequest& http) const {
  if (http.method != "POST" || !http.path.ends_with("/media")) return {};
  const auto request = ReadRequest(http, product_.prefix);
  if (!request.ok()) return {};
  std::vector<std::string> urls;
  for (const char* name : {"image_url", "video_url", "cover_url"}) {
    if (const std::string url = request->Param(name); Fetcher::Reaches(url)) urls.push_back(url);
  }
  return urls;
}

std::optional<net::HttpResponse> Instagram::CheckChildren(const Asked& asked,
                                                          const std::vector<std::string>& children) {
  if (children.size() < 2 || children.size() > 10) return PublishingError(2207028);
  for (const std::string& id : children) {
    const ItemPtr child = Find(asked, id);
    if (child == nullptr || child->kind != Item::Kind::kMedia) return PublishingError(2207006);
    if (!child->extra.contains("item")) return GraphInvalid("Media is not a carousel item");
    const std::string status = StatusOf(asked, *child, false);
    if (status == "EXPIRED") return PublishingError(2207020);
    if (status != "FINISHED") return PublishingError(2207027);
  }
  return std::nullopt;
}

net::HttpResponse Instagram::MakeContainer(const Asked& asked, Answer answer) {
  const std::string type = asked.Param("media_type"), caption = asked.Param("caption"), alt = asked.Param("alt_text");
  NewItem container = Ours(asked, Item::Kind::kMedia);
  container.text = caption;
  container.published = false;
  if (static_cast<int64_t>(CodePoints(caption)) > kCaptionMax || CountMarks(caption, '#') > kHashtagsMax ||
      CountMarks(caption, '@') > kMentionsMax) {
    return PublishingError(2207010);
  }
  if (type == "CAROUSEL") {
    const std::vector<std::string> children = Split(asked.Param("children"));
    if (auto refused = CheckChildren(asked, children)) return *std::move(refused);
    container.media = "CAROUSEL_ALBUM";
    container.extra = {{"type", "CAROUSEL_ALBUM"}, {"product", "FEED"}, {"children", asked.Param("children")}};
  } else {
    const std::string how = asked.Param("upload_type");
    if (!how.empty() && how != "resumable") return GraphInvalid("Param upload_type must be one of {resumable}");
    const Wanted wanted = WantedOf(type, asked.Param("image_url"), asked.Param("video_url"), !how.empty(),
                                   GraphTrue(asked.Param("is_carousel_item"), false));
    if (wanted.refusal != 0) return PublishingError(wanted.refusal);
    if (!wanted.message.empty()) return GraphInvalid(wanted.message);
    if (!alt.empty() && (wanted.type != "IMAGE" || wanted.product != "FEED"))
      return GraphInvalid("alt_text is for images only");
    if (CodePoints(alt) > kAltTextMax) return GraphInvalid("Param alt_text is too long");
    if (wanted.type == "IMAGE" && FileName(wanted.url).starts_with("broken")) return PublishingError(2207052);
    const int content = RefusalOf(asked.fetched, wanted.url, wanted.type == "IMAGE");
    const int cover = RefusalOf(asked.fetched, asked.Param("cover_url"), true);
    if (content != 0 || cover != 0) return PublishingError(content != 0 ? content : cover);
    container.media = wanted.type;
    container.link = wanted.url;
    container.extra = {{"type", wanted.type}, {"product", wanted.product}, {"looks", "0"}};
    if (wanted.item) container.extra["item"] = "1";
    if (wanted.upload) container.extra["upload"] = "resumable";
    if (!alt.empty()) container.extra["alt_text"] = alt;
  }
  const auto made = context_.world.Create(container, Us(asked, answer));
  if (!made.ok()) return GraphFailed(made.status());
  Json json = {{"id", (*made)->id}};
  if (container.extra.contains("upload")) json["uri"] = UploadUrl(asked, (*made)->id);
  return JsonResponse(200, json);
}

std::string Instagram::StatusOf(const Asked&, const Item& container, bool look) {
  if (container.extra.contains("published")) return "PUBLISHED";
  if (context_.clock.WallNow() - container.created > kContainerLives) return "EXPIRED";
  if (container.media != "VIDEO") return "FINISHED";
  if (container.extra.contains("upload") && !Arrived(container)) return "IN_PROGRESS";
  const std::string name = FileName(container.link);
  const std::string& bytes = Extra(container, "source");
  if (name.starts_with("never")) return "IN_PROGRESS";
  int64_t looks = Number(container, "looks");
  if (look && looks < kLooks) {
    (void)context_.world.SetExtra(Network::kInstagram, container.id, {{"looks", std::to_string(++looks)}});
  }
  if (looks < kLooks) return "IN_PROGRESS";
  return name.starts_with("broken") || bytes.starts_with("broken") ? "ERROR" : "FINISHED";
}

net::HttpResponse Instagram::ReadContainer(const Asked& asked, const Item& container) {
  const auto fields = GraphFields(asked.Param("fields"));
  if (auto unknown = UnknownField(fields, {"status_code", "status", "video_status", "copyright_check_status"},
                                  "ShadowIGMediaBuilder")) {
    return *std::move(unknown);
  }
  const std::string code = StatusOf(asked, container, fields.contains("status_code"));
  std::string status = "In Progress: Media is still being processed.";
  if (code == "FINISHED") status = "Finished: Media has been uploaded and it is ready to be published.";
  if (code == "PUBLISHED") status = "Published: Media has been published.";
  if (code == "EXPIRED") status = "Expired: The container was not published within 24 hours.";
  if (code == "ERROR") status = Cat("Error: ", PublishingMessage(2207026), " with error code 2207026");
  Json all = {{"id", container.id},
              {"status_code", code},
              {"status", status},
              {"copyright_check_status", {{"status", "completed"}, {"matches_found", false}}}};
  if (container.extra.contains("upload")) all["video_status"] = {{"uploading_phase", UploadingPhase(container)}};
  return JsonResponse(200, GraphOnly(std::move(all), fields));
}

net::HttpResponse Instagram::Publish(const Asked& asked, Answer answer) {
  const std::string id = asked.Param("creation_id");
  if (id.empty()) return GraphInvalid("The parameter creation_id is required.");
  const ItemPtr container = Find(asked, id);
  if (container == nullptr || container->kind != Item::Kind::kMedia || container->extra.contains("item"))
    return PublishingError(2207006);
  const std::string status = StatusOf(asked, *container, false);
  if (status == "EXPIRED") return PublishingError(2207020);
  if (status == "PUBLISHED") return PublishingError(2207006);
  if (status == "ERROR") return PublishingError(2207026);
  if (status != "FINISHED") return PublishingError(2207027);
  const LimitState quota =
      context_.limits.Take(Network::kInstagram, asked.account->id, kQuotaEndpoint, context_.clock.WallNow());
  if (quota.limited && quota.exceeded) return PublishingError(2207042);
  NewItem post = Ours(asked, Item::Kind::kPost);
  post.text = container->extra.at("product") == "STORY" ? "" : container->text;  // a story shows none
  post.link = container->link;
  post.media = container->id;
  post.extra = {{"type", container->extra.at("type")}, {"product", container->extra.at("product")}};
  const auto made = context_.world.Create(post, Us(asked, answer));
  if (!made.ok()) return GraphFailed(made.status());
  const auto marked = context_.world.SetExtra(Network::kInstagram, container->id, {{"published", (*made)->id}});
  return marked.ok() ? JsonResponse(200, {{"id", (*made)->id}}) : GraphFailed(marked.status());
}

net::HttpResponse Instagram::PublishingLimit(const Asked& asked) {
  const LimitState quota =
      context_.limits.Take(Network::kInstagram, asked.account->id, kQuotaEndpoint, context_.clock.WallNow(), 0);
  const auto fields = GraphFields(asked.Param("fields"));
  if (auto unknown = UnknownField(fields, {"config", "quota_usage"}, "ContentPublishingLimitResponse"))
    return *std::move(unknown);
  Json one = Json::object();
  if (fields.contains("config"))
    one["config"] = {{"quota_total", quota.limited ? quota.limit : kQuota}, {"quota_duration", 86400}};
  if (fields.empty() || fields.contains("quota_usage")) one["quota_usage"] = quota.used;
  return JsonResponse(200, {{"data", {std::move(one)}}});
}

}  // namespace parvis::sandbox
