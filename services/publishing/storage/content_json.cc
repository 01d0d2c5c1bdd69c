#include <nlohmann/json.hpp>

#include "publishing/storage/rows.h"

namespace parvis::publishing {
namespace {

using Json = nlohmann::json;

std::string Text(const Json& json, const char* key) {
  const auto at = json.find(key);
  return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
}

Json ToJson(const Media& media) {
  Json json = {{"url", media.url}, {"type", media.type}, {"alt_text", media.alt_text}, {"size_bytes", media.size_bytes}};
  if (!media.title.empty()) json["title"] = media.title;
  if (!media.media.empty()) json["media"] = media.media;
  if (media.width != 0) json["width"] = media.width;
  if (media.height != 0) json["height"] = media.height;
  if (media.duration != absl::ZeroDuration()) json["duration_ms"] = absl::ToInt64Milliseconds(media.duration);
  if (!media.video_codec.empty()) json["video_codec"] = media.video_codec;
  if (!media.audio_codec.empty()) json["audio_codec"] = media.audio_codec;
  return json;
}

int64_t Number(const Json& json, const char* key) {
  const auto at = json.find(key);
  return at != json.end() && at->is_number_integer() ? at->get<int64_t>() : 0;
}

Media MediaFrom(const Json& json) {
  return {Text(json, "url"), Text(json, "type"), Text(json, "alt_text"), Number(json, "size_bytes"), Text(json, "title"),
          Text(json, "media"), static_cast<int>(Number(json, "width")), static_cast<int>(Number(json, "height")),
          absl::Milliseconds(Number(json, "duration_ms")), Text(json, "video_codec"), Text(json, "audio_codec")};
}

std::vector<std::string> Texts(const Json& json, const char* key) {
  std::vector<std::string> out;
  const auto at = json.find(key);
  if (at == json.end() || !at->is_array()) return out;
  for (const Json& one : *at) {
    if (one.is_string()) out.push_back(one.get<std::string>());
  }
  return out;
}

std::vector<Media> MediaListFrom(const Json& json) {
  std::vector<Media> list;
  const auto media = json.find("media");
  if (media == json.end() || !media->is_array()) return list;
  for (const Json& item : *media) {
    if (item.is_object()) list.push_back(MediaFrom(item));
  }
  return list;
}

Json ToJson(const Content& content) {
  Json json = Json::object();
  json["text"] = content.text;
  if (!content.title.empty()) json["title"] = content.title;
  if (!content.link.empty()) json["link"] = content.link;
  if (!content.language.empty()) json["language"] = content.language;
  for (const Media& media : content.media) json["media"].push_back(ToJson(media));
  if (content.format != PostFormat::kPost) json["format"] = static_cast<int>(content.format);
  if (content.poll) {
    json["poll"] = {{"options", content.poll->options},
                    {"open_for_seconds", absl::ToInt64Seconds(content.poll->open_for)},
                    {"multiple", content.poll->multiple}};
  }
  if (!content.quote_remote_id.empty()) json["quote"] = content.quote_remote_id;
  if (!content.tags.empty()) json["tags"] = content.tags;
  if (content.thumbnail) json["thumbnail"] = ToJson(*content.thumbnail);
  if (!content.options.empty()) json["options"] = content.options;
  for (const ThreadPart& part : content.thread) {
    Json item = {{"text", part.text}};
    for (const Media& media : part.media) item["media"].push_back(ToJson(media));
    json["thread"].push_back(std::move(item));   // by this name ApplyChanges looks whether there are further parts
  }
  if (content.part != 0) json["part"] = content.part;   // by this name it knows a later part
  if (content.ended) json["ended"] = true;
  return json;
}

Content FromJson(const Json& json) {
  Content content;
  if (!json.is_object()) return content;
  content.text = Text(json, "text");
  content.title = Text(json, "title");
  content.link = Text(json, "link");
  content.language = Text(json, "language");
  if (const int64_t format = Number(json, "format"); format != 0) content.format = static_cast<PostFormat>(format);
  if (const auto poll = json.find("poll"); poll != json.end() && poll->is_object()) {
    const auto multiple = poll->find("multiple");
    content.poll = Poll{Texts(*poll, "options"), absl::Seconds(Number(*poll, "open_for_seconds")),
                        multiple != poll->end() && multiple->is_boolean() && multiple->get<bool>()};
  }
  content.quote_remote_id = Text(json, "quote");
  content.tags = Texts(json, "tags");
  if (const auto picture = json.find("thumbnail"); picture != json.end() && picture->is_object()) {
    content.thumbnail = MediaFrom(*picture);
  }
  if (const auto options = json.find("options"); options != json.end() && options->is_object()) {
    for (const auto& [name, value] : options->items()) {
      if (value.is_string()) content.options[name] = value.get<std::string>();
    }
  }
  content.media = MediaListFrom(json);
  content.part = static_cast<int>(Number(json, "part"));
  content.ended = json.contains("ended");
  if (const auto thread = json.find("thread"); thread != json.end() && thread->is_array()) {
    for (const Json& part : *thread) {
      if (part.is_object()) content.thread.push_back({Text(part, "text"), MediaListFrom(part)});
    }
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
