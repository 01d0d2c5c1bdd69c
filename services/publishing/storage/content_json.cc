#include <nlohmann/json.hpp>

#include "publishing/storage/rows.h"

namespace parvis::publishing {
namespace {

using Json = nlohmann::json;

std::string Text(const Json& json, const char* key) {
  const auto at = json.find(key);
  return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
}

Json ToJson(const Content& content) {
  Json json = Json::object();
  json["text"] = content.text;
  if (!content.title.empty()) json["title"] = content.title;
  if (!content.link.empty()) json["link"] = content.link;
  if (!content.language.empty()) json["language"] = content.language;
  for (const Media& media : content.media) {
    json["media"].push_back({{"url", media.url}, {"type", media.type}, {"alt_text", media.alt_text},
                             {"size_bytes", media.size_bytes}});
  }
  return json;
}

Content FromJson(const Json& json) {
  Content content;
  if (!json.is_object()) return content;
  content.text = Text(json, "text");
  content.title = Text(json, "title");
  content.link = Text(json, "link");
  content.language = Text(json, "language");
  const auto media = json.find("media");
  if (media == json.end() || !media->is_array()) return content;
  for (const Json& item : *media) {
    if (!item.is_object()) continue;
    const auto size = item.find("size_bytes");
    content.media.push_back({Text(item, "url"), Text(item, "type"), Text(item, "alt_text"),
                             size != item.end() && size->is_number_integer() ? size->get<int64_t>() : 0});
  }
  return content;
}

}  // namespace

std::string EncodeContent(const Content& content) { return ToJson(content).dump(-1, ' ', false, Json::error_handler_t::replace); }

Content DecodeContent(std::string_view json) { return FromJson(Json::parse(json, nullptr, false)); }

std::string EncodeVariants(const std::vector<Variant>& variants) {
  Json json = Json::array();
  for (const Variant& variant : variants) {
    Json item = ToJson(variant.content);
    item["channel_id"] = variant.channel_id;
    json.push_back(std::move(item));
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<Variant> DecodeVariants(std::string_view text) {
  std::vector<Variant> variants;
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_array()) return variants;
  for (const Json& item : json) {
    if (item.is_object()) variants.push_back({Text(item, "channel_id"), FromJson(item)});
  }
  return variants;
}

}  // namespace parvis::publishing
