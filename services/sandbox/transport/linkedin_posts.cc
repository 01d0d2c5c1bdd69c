// Posts: made, read, found by author, edited, deleted (facts 5.2).
#include <algorithm>

#include "sandbox/domain/cat.h"
#include "sandbox/domain/linkedin_urns.h"
#include "sandbox/transport/linkedin.h"
#include "sandbox/transport/linkedin_json.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kCommentaryMax = 3000;                       // characters as readers see them (facts 0.3)
constexpr absl::Duration kDuplicateWindow = absl::Hours(24);  // a number of ours
constexpr int64_t kPageMax = 100;
constexpr int kPostsMax = 100'000;
constexpr size_t kImagesMin = 2, kImagesMax = 20;

net::HttpResponse NotOurs() {
  return LinkedinRefusal({.status = 403,
                          .message = "Organization permissions must be used when using organization as author",
                          .code = "ACCESS_DENIED",
                          .service_code = 100});
}

bool OneOf(const Json& value, std::initializer_list<std::string_view> words) {
  return value.is_string() && std::ranges::find(words, value.get_ref<const std::string&>()) != words.end();
}

std::optional<net::HttpResponse> CheckCommentary(const Json& commentary, std::string* shown) {
  if (!commentary.is_string()) return LinkedinInvalid("commentary", "cannot be coerced to String");
  *shown = LittleTextShown(commentary.get_ref<const std::string&>());
  if (CodePoints(*shown) > kCommentaryMax) {
    return LinkedinRefusal({.message = Cat("commentary exceeds the maximum length of ", kCommentaryMax),
                            .code = "FIELD_LENGTH_TOO_LONG",
                            .field = "/commentary"});
  }
  return std::nullopt;
}

std::optional<net::HttpResponse> CheckArticle(const Json& article) {
  if (auto refusal = LinkedinCheck(article, {"source", "title"},
                                   {"source", "title", "description", "thumbnail", "thumbnailAltText"})) {
    return refusal;
  }
  const Json& source = article["source"];
  if (!source.is_string() || !source.get_ref<const std::string&>().starts_with("http")) {
    return LinkedinInvalid("content/article/source", "is not a valid URL");
  }
  return std::nullopt;
}

}  // namespace

std::optional<net::HttpResponse> Linkedin::CheckContent(const Asked& asked, const Json& content, std::string* media) {
  if (auto refusal = LinkedinCheck(content, {}, {"media", "multiImage", "article"})) return refusal;
  if (content.size() != 1) return LinkedinInvalid("content", "a union has exactly one member");
  std::vector<std::string> ids;
  const auto take = [&](const Json& part) {
    if (!part.is_object() || !part.contains("id") || !part["id"].is_string()) return false;
    ids.push_back(part["id"]);
    return true;
  };
  if (content.contains("article")) {
    if (auto refusal = CheckArticle(content["article"])) return refusal;
    const Json thumbnail = LinkedinAt(content, {"article", "thumbnail"});
    if (thumbnail.is_string()) ids.push_back(thumbnail);
  } else if (content.contains("media")) {
    if (auto refusal = LinkedinCheck(content["media"], {"id"}, {"id", "altText", "title"})) return refusal;
    if (!take(content["media"])) return LinkedinInvalid("content/media/id", "cannot be coerced to Urn");
  } else {
    const Json images = LinkedinAt(content, {"multiImage", "images"});
    if (!images.is_array() || images.size() < kImagesMin || images.size() > kImagesMax) {
      return LinkedinInvalid("content/multiImage/images", "must have 2 to 20 elements");
    }
    if (!std::ranges::all_of(images, take)) return LinkedinInvalid("content/multiImage/images", "id is required");
  }
  for (const std::string& id : ids) {
    const ItemPtr item = context_.world.Find(Network::kLinkedin, id);
    const std::string status = item == nullptr ? "" : Extra(*item, "status");
    if (item == nullptr || item->kind != Item::Kind::kMedia || item->account != asked.account->id) {
      return LinkedinRefusal({.message = Cat("Media ", id, " does not exist or is not owned by the author"),
                              .code = "INVALID_URN_ID",
                              .field = "/content"});
    }
    if (status == "WAITING_UPLOAD") {
      return LinkedinRefusal(
          {.message = Cat("Media ", id, " is WAITING_UPLOAD"), .code = "INVALID_CONTENT", .field = "/content"});
    }
    if (status == "PROCESSING") {  // it passes: facts 5.5, "403 can be transient right after upload"
      (void)context_.world.SetExtra(Network::kLinkedin, id, {{"status", "AVAILABLE"}});
      return LinkedinRefusal(
          {.status = 403, .message = Cat("Accessing the resource ", id, " is forbidden"), .code = "ACCESS_DENIED"});
    }
    Append(*media, media->empty() ? "" : ",", id);
  }
  return std::nullopt;
}

net::HttpResponse Linkedin::Publish(const Asked& asked, Answer answer) {
  const Json& body = asked.request.json;
  if (auto refusal = LinkedinCheck(body, {"author", "commentary", "visibility", "distribution", "lifecycleState"},
                                   {"author", "commentary", "visibility", "distribution", "lifecycleState", "content",
                                    "isReshareDisabledByAuthor", "contentLandingPage", "contentCallToActionLabel"})) {
    return *std::move(refusal);
  }
  if (body["author"] != asked.account->id) return NotOurs();
  if (!OneOf(body["visibility"], {"PUBLIC", "LOGGED_IN"})) {  // an organisation has no connections
    return LinkedinInvalid("visibility", "is not an allowed value for this author");
  }
  if (!OneOf(body["lifecycleState"], {"PUBLISHED", "DRAFT"}))
    return LinkedinInvalid("lifecycleState", "is not an enum symbol");
  const Json feed = LinkedinAt(body, {"distribution", "feedDistribution"});
  if (!OneOf(feed, {"MAIN_FEED", "NONE"}))
    return LinkedinInvalid("distribution/feedDistribution", "is not an enum symbol");
  const Json reshare = body.value("isReshareDisabledByAuthor", Json(false));
  if (!reshare.is_boolean()) return LinkedinInvalid("isReshareDisabledByAuthor", "cannot be coerced to Boolean");
  std::string shown, media;
  if (auto refusal = CheckCommentary(body["commentary"], &shown)) return *std::move(refusal);
  if (body.contains("content")) {
    if (auto refusal = CheckContent(asked, body["content"], &media)) return *std::move(refusal);
  } else if (shown.empty()) {
    return LinkedinInvalid("commentary", "must not be empty for a post without content");
  }
  const std::string commentary = body["commentary"];
  const ItemPtr same = context_.world.FindDuplicate(Network::kLinkedin, asked.account->id, "", commentary,
                                                    context_.clock.WallNow() - kDuplicateWindow);
  if (same != nullptr && same->media == media) {
    return LinkedinRefusal(
        {.status = 422, .message = Cat("Content is a duplicate of ", same->id), .code = "DUPLICATE_POST"});
  }
  const auto item =
      context_.world.Create({.network = Network::kLinkedin,
                             .account = asked.account->id,
                             .author_id = asked.account->id,
                             .author_name = asked.account->name,
                             .text = commentary,
                             .media = media,
                             .extra = {{"visibility", body["visibility"]},
                                       {"distribution", body["distribution"].dump()},
                                       {"content", body.contains("content") ? body["content"].dump() : ""},
                                       {"reshare_disabled", reshare.dump()},
                                       {"shown", shown}},
                             .by_us = true,
                             .published = body["lifecycleState"] == "PUBLISHED"},
                            Us(asked, answer));
  if (!item.ok()) return LinkedinFailed(item.status());
  net::HttpResponse response = LinkedinEmpty(201);
  response.headers["x-restli-id"] = (*item)->id;
  response.headers["Location"] = Cat("/posts/", net::UrlEncode((*item)->id));
  return response;
}

net::HttpResponse Linkedin::ReadPost(const Asked& asked) {
  const ItemPtr item = Find(asked.At(1));
  if (item == nullptr || item->kind != Item::Kind::kPost) return LinkedinGone(asked.At(1));
  if (item->account != asked.account->id) return NotOurs();
  return JsonResponse(200, LinkedinPost(*item), false);
}

net::HttpResponse Linkedin::FindPosts(const Asked& asked, Answer answer) {
  const Request& request = asked.request;
  const auto paging = ReadPaging(request, kPageMax);
  const std::string sort = request.Param("sortBy", "LAST_MODIFIED");
  if (request.Param("q") != "author" || request.Param("author").empty() || !paging ||
      (sort != "LAST_MODIFIED" && sort != "CREATED")) {
    return LinkedinRefusal({.message = "Invalid query parameters passed to request", .code = "ILLEGAL_ARGUMENT"});
  }
  if (request.Param("author") != asked.account->id) return NotOurs();
  std::vector<ItemPtr> items =
      context_.world.Read(Network::kLinkedin, World::List::kPosts, asked.account->id, {.limit = kPostsMax}).items;
  if (sort == "LAST_MODIFIED") {
    std::ranges::stable_sort(items, [](const ItemPtr& a, const ItemPtr& b) { return a->changed > b->changed; });
  }
  Json elements = Json::array();
  for (int64_t i = paging->start; i < static_cast<int64_t>(items.size()) && i < paging->start + paging->count; ++i) {
    elements.push_back(LinkedinPost(*items[static_cast<size_t>(i)]));
  }
  return LinkedinPage(request, *paging, items.size(), std::move(elements), answer == Answer::kEmptyPage);
}

net::HttpResponse Linkedin::EditPost(const Asked& asked, Answer answer) {
  const ItemPtr item = Find(asked.At(1));
  if (item == nullptr || item->kind != Item::Kind::kPost) return LinkedinGone(asked.At(1));
  if (item->account != asked.account->id || !item->by_us) return NotOurs();
  const Json set = LinkedinAt(asked.request.json, {"patch", "$set"});
  if (auto refusal = LinkedinCheck(set, {"commentary"}, {"commentary"})) return *std::move(refusal);
  std::string shown;
  if (auto refusal = CheckCommentary(set["commentary"], &shown)) return *std::move(refusal);
  const auto changed = context_.world.Edit(Network::kLinkedin, item->id, set["commentary"], Us(asked, answer));
  if (!changed.ok()) return LinkedinFailed(changed.status());
  (void)context_.world.SetExtra(Network::kLinkedin, item->id, {{"shown", shown}});
  return LinkedinEmpty(204);
}

// What has gone already is deleted once more without a word (facts 0.2).
net::HttpResponse Linkedin::RemovePost(const Asked& asked, Answer answer) {
  const ItemPtr item = Find(asked.At(1), true);
  if (item == nullptr || item->kind != Item::Kind::kPost) return LinkedinGone(asked.At(1));
  if (item->account != asked.account->id || !item->by_us) return NotOurs();
  if (!item->deleted) {
    const auto gone = context_.world.Delete(Network::kLinkedin, item->id, Us(asked, answer));
    if (!gone.ok() && gone.status().code() != Code::kNotFound) return LinkedinFailed(gone.status());
  }
  return LinkedinEmpty(204);
}

}  // namespace parvis::sandbox
