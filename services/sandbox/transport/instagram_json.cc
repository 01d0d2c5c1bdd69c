#include "sandbox/transport/instagram_json.h"

#include "sandbox/domain/cat.h"

namespace parvis::sandbox {
namespace {

// Codes, subcodes and words: Meta's page of error codes (2026-06).
struct Known {
  int subcode, code;
  std::string_view message;
};
constexpr Known kErrors[] = {
    {2207003, -2, "It takes too long to download the media."},
    {2207004, 36000, "The image size is too large."},
    {2207005, 36001, "The image format is not supported. Please check spec for supported image format."},
    {2207006, 24, "The media with id cannot be found"},
    {2207009, 36003, "The submitted image with aspect ratio cannot be published."},
    {2207010, 36004, "The submitted image's caption is too long"},
    {2207020, -2, "The media you are trying to access has expired. Please try to upload again."},
    {2207023, 100, "The media type is unknown."},
    {2207026, 352, "The video format is not supported. Please check spec for supported format"},
    {2207027, 9007, "The media is not ready for publishing, please wait for a moment"},
    {2207028, 100,
     "Your post won't work as a carousel. Carousels need at least 2 photos/videos and no more than 10 photos/videos."},
    {2207042, 9, "You reached maximum number of posts that is allowed to be published by Content Publishing API."},
    {2207052, 9004, "The media could not be fetched from this uri"},
};

std::string Shortcode(const std::string& id) { return Cat("C", id.substr(id.size() > 10 ? id.size() - 10 : 0)); }

}  // namespace

Json InstagramMedia(const Item& item, const std::set<std::string>& fields, int64_t comments) {
  const std::string product = Extra(item, "product");
  Json all = {{"id", item.id},
              {"caption", item.text},
              {"timestamp", GraphTime(item.created)},
              {"permalink", Cat("https://www.instagram.com/",
                                product == "REELS"   ? "reel/"
                                : product == "STORY" ? "stories/"
                                                     : "p/",
                                Shortcode(item.id), "/")},
              {"shortcode", Shortcode(item.id)},
              {"media_type", Extra(item, "type")},
              {"media_product_type", product},
              {"media_url", item.link},
              {"username", item.author_handle},
              {"owner", {{"id", item.account}}},
              {"like_count", 0},
              {"comments_count", comments},
              {"is_comment_enabled", !item.extra.contains("closed")},
              {"is_shared_to_feed", product != "STORY"}};
  if (item.text.empty()) all.erase("caption");  // as the network does
  return GraphOnly(std::move(all), fields);
}

Json InstagramMention(const Item& item, const std::set<std::string>& fields) {
  return GraphOnly({{"id", item.id},
                    {"caption", item.text},
                    {"timestamp", GraphTime(item.created)},
                    {"permalink", Cat("https://www.instagram.com/p/", Shortcode(item.id), "/")},
                    {"media_type", "IMAGE"},
                    {"username", item.author_handle.empty() ? item.author_name : item.author_handle},
                    {"like_count", 0},
                    {"comments_count", 0}},
                   fields);
}

Json InstagramComment(const Item& item, const std::set<std::string>& fields) {
  const std::string username = item.author_handle.empty() ? item.author_name : item.author_handle;
  Json all = {{"id", item.id},
              {"text", item.text},
              {"timestamp", GraphTime(item.created)},
              {"username", username},
              {"from", {{"id", item.author_id}, {"username", username}}},
              {"media", {{"id", item.post}}},
              {"hidden", item.hidden},
              {"like_count", 0}};
  if (item.by_us) all["user"] = {{"id", item.author_id}};
  if (item.parent != item.post) all["parent_id"] = item.parent;
  return GraphOnly(std::move(all), fields.empty() ? std::set<std::string>{"text", "timestamp"} : fields);
}

std::optional<net::HttpResponse> UnknownField(const std::set<std::string>& fields, const std::set<std::string>& known,
                                              std::string_view node) {
  for (const std::string& field : fields) {
    if (field != "id" && !known.contains(field)) {
      return GraphInvalid(Cat("Tried accessing nonexisting field (", field, ") on node type (", node, ")"));
    }
  }
  return std::nullopt;
}

std::string PublishingMessage(int subcode) {
  for (const Known& known : kErrors) {
    if (known.subcode == subcode) return std::string(known.message);
  }
  return "An unknown error occurred";
}

net::HttpResponse PublishingError(int subcode) {
  int code = -1;
  for (const Known& known : kErrors) {
    if (known.subcode == subcode) code = known.code;
  }
  return GraphErrorResponse({.code = code, .subcode = subcode, .message = PublishingMessage(subcode)});
}

}  // namespace parvis::sandbox
