// What the lexicons demand of records (facts 6.2), and of facets what the AppView needs to show them.
#include <algorithm>

#include "sandbox/domain/cat.h"
#include "sandbox/domain/graphemes.h"
#include "sandbox/transport/bluesky_json.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kTextGraphemes = 300, kTextBytes = 3000, kTags = 8, kTagGraphemes = 64, kTagBytes = 640, kLangs = 3;
constexpr size_t kHiddenReplies = 300, kRules = 5;

bool HasText(const Json& json, const char* name) {
  return json.is_object() && json.contains(name) && json.at(name).is_string();
}

std::string CheckTime(const Json& record) {
  if (!record.contains("createdAt")) return R"(Record must have the property "createdAt")";
  absl::Time time;
  std::string error;
  if (!HasText(record, "createdAt") ||
      !absl::ParseTime(absl::RFC3339_full, record.at("createdAt").get<std::string>(), &time, &error)) {
    return "Record/createdAt must be an valid atproto datetime (both RFC-3339 and ISO-8601)";
  }
  return "";
}

std::string CheckTag(std::string_view where, const Json& tag) {
  if (!tag.is_string()) return Cat(where, " must be a string");
  const std::string text = tag.get<std::string>();
  if (text.size() > kTagBytes) return Cat(where, " must not be longer than 640 characters");
  if (Graphemes(text) > kTagGraphemes) return Cat(where, " must not be longer than 64 graphemes");
  return text.empty() || text.starts_with('#') ? Cat(where, " must be a tag without '#'") : "";
}

std::string CheckFeature(const Json& feature) {
  if (!HasText(feature, "$type"))
    return R"(Record/facets/features must be an object which includes the "$type" property)";
  const std::string type = feature.at("$type").get<std::string>();
  if (type == "app.bsky.richtext.facet#link") {
    const bool uri = HasText(feature, "uri") && feature.at("uri").get<std::string>().find(':') != std::string::npos;
    return uri ? "" : "Record/facets/features/uri must be a uri";
  }
  if (type == "app.bsky.richtext.facet#mention") {
    const bool did = HasText(feature, "did") && IsDid(feature.at("did").get<std::string>());
    return did ? "" : "Record/facets/features/did must be a valid did";
  }
  if (type == "app.bsky.richtext.facet#tag") {
    return CheckTag("Record/facets/features/tag", Member(feature, "tag"));
  }
  return "";  // an open union
}

// The index counts bytes of UTF-8: what lies outside of the text or within a character is never shown.
std::string CheckIndex(const std::string& text, const Json& index, size_t* start, size_t* end) {
  for (const char* name : {"byteStart", "byteEnd"}) {
    if (!index.is_object() || !index.contains(name))
      return Cat("Record/facets/index must have the property \"", name, "\"");
    if (!index.at(name).is_number_unsigned()) return Cat("Record/facets/index/", name, " must be an integer");
  }
  *start = index.at("byteStart").get<size_t>(), *end = index.at("byteEnd").get<size_t>();
  if (*start >= *end || *end > text.size())
    return "Record/facets/index lies outside of the text (bytes of UTF-8 count)";
  for (const size_t at : {*start, *end}) {
    if (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) {
      return "Record/facets/index cuts a character (bytes of UTF-8 count)";
    }
  }
  return "";
}

std::string CheckFacets(const std::string& text, const Json& facets) {
  if (!facets.is_array()) return "Record/facets must be an array";
  std::vector<std::pair<size_t, size_t>> taken;
  for (const Json& facet : facets) {
    if (!facet.is_object() || !facet.contains("index")) return R"(Record/facets must have the property "index")";
    size_t start = 0, end = 0;
    if (std::string wrong = CheckIndex(text, facet.at("index"), &start, &end); !wrong.empty()) return wrong;
    if (!facet.contains("features") || !facet.at("features").is_array()) {
      return R"(Record/facets must have the property "features")";
    }
    for (const Json& feature : facet.at("features")) {
      if (std::string wrong = CheckFeature(feature); !wrong.empty()) return wrong;
    }
    taken.emplace_back(start, end);
  }
  std::ranges::sort(taken);
  for (size_t i = 1; i < taken.size(); ++i) {
    if (taken[i].first < taken[i - 1].second) return "Record/facets overlap";
  }
  return "";
}

std::string CheckReply(const Json& reply) {
  for (const char* which : {"root", "parent"}) {
    if (!reply.is_object() || !reply.contains(which)) return Cat("Record/reply must have the property \"", which, "\"");
    const Json& ref = reply.at(which);
    if (!HasText(ref, "uri") || !IsAtUri(ref.at("uri").get<std::string>())) {
      return Cat("Record/reply/", which, "/uri must be a valid at-uri");
    }
    if (!HasText(ref, "cid") || ref.at("cid").get<std::string>().size() < 10) {
      return Cat("Record/reply/", which, "/cid must be a cid string");
    }
  }
  return "";
}

std::string CheckImages(const Json& embed, size_t most) {
  const char* name = embed.contains("items") ? "items" : "images";
  if (!embed.contains(name) || !embed.at(name).is_array()) return R"(Record/embed must have the property "images")";
  const Json& images = embed.at(name);
  if (images.empty() || images.size() > most)
    return Cat("Record/embed/", name, " must not have more than ", most, " elements");
  for (const Json& image : images) {
    if (!HasText(image, "alt")) return Cat("Record/embed/", name, R"( must have the property "alt")");
    if (!image.contains("image") || !image.at("image").is_object()) {
      return Cat("Record/embed/", name, R"( must have the property "image")");
    }
    if (most > 4 && !image.contains("aspectRatio")) {
      return Cat("Record/embed/", name, R"( must have the property "aspectRatio")");
    }
  }
  return "";
}

std::string CheckEmbed(const Json& embed) {
  if (!HasText(embed, "$type")) return R"(Record/embed must be an object which includes the "$type" property)";
  const std::string type = embed.at("$type").get<std::string>();
  if (type == "app.bsky.embed.images") return CheckImages(embed, 4);
  if (type == "app.bsky.embed.gallery") return CheckImages(embed, 20);
  if (type == "app.bsky.embed.external") {
    for (const char* name : {"uri", "title", "description"}) {
      if (!HasText(Member(embed, "external"), name)) {
        return Cat("Record/embed/external must have the property \"", name, "\"");
      }
    }
  } else if (type == "app.bsky.embed.record") {
    const Json ref = Member(embed, "record");
    if (!HasText(ref, "uri") || !HasText(ref, "cid")) return "Record/embed/record must be a strong reference";
  } else if (type == "app.bsky.embed.video") {
    if (!embed.contains("video")) return R"(Record/embed must have the property "video")";
  } else if (type == "app.bsky.embed.recordWithMedia") {
    if (!embed.contains("record") || !embed.contains("media")) return R"(Record/embed must have the property "media")";
    return CheckEmbed(embed.at("media"));
  }
  return "";  // an open union
}

std::string CheckWords(const Json& record, const char* name, size_t most) {
  if (!record.contains(name)) return "";
  const Json& words = record.at(name);
  if (!words.is_array() || words.size() > most) {
    return Cat("Record/", name, " must not have more than ", most, " elements");
  }
  for (const Json& word : words) {
    if (!word.is_string()) return Cat("Record/", name, " must be strings");
    if (name != std::string_view("tags")) continue;
    if (std::string wrong = CheckTag("Record/tags", word); !wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace

std::string CheckPostRecord(const Json& record) {
  if (!record.contains("text")) return R"(Record must have the property "text")";
  if (!record.at("text").is_string()) return "Record/text must be a string";
  const std::string text = record.at("text").get<std::string>();
  if (text.size() > kTextBytes) return "Record/text must not be longer than 3000 characters";
  if (Graphemes(text) > kTextGraphemes) return "Record/text must not be longer than 300 graphemes";
  std::string wrong = CheckTime(record);
  if (wrong.empty() && record.contains("facets")) wrong = CheckFacets(text, record.at("facets"));
  if (wrong.empty() && record.contains("reply")) wrong = CheckReply(record.at("reply"));
  if (wrong.empty() && record.contains("embed")) wrong = CheckEmbed(record.at("embed"));
  if (wrong.empty()) wrong = CheckWords(record, "langs", kLangs);
  if (wrong.empty()) wrong = CheckWords(record, "tags", kTags);
  return wrong;
}

std::string CheckGateRecord(const Json& record) {
  if (!HasText(record, "post")) return R"(Record must have the property "post")";
  if (!IsAtUri(record.at("post").get<std::string>())) return "Record/post must be a valid at-uri";
  const Json hidden = record.value("hiddenReplies", Json::array()), allow = record.value("allow", Json::array());
  if (!hidden.is_array() || hidden.size() > kHiddenReplies)
    return "Record/hiddenReplies must not have more than 300 elements";
  for (const Json& uri : hidden) {
    if (!uri.is_string() || !IsAtUri(uri.get<std::string>())) return "Record/hiddenReplies must be a valid at-uri";
  }
  if (!allow.is_array() || allow.size() > kRules) return "Record/allow must not have more than 5 elements";
  for (const Json& rule : allow) {
    if (!HasText(rule, "$type")) return R"(Record/allow must be an object which includes the "$type" property)";
  }
  return CheckTime(record);
}

std::string CheckBlockRecord(const Json& record) {
  if (!HasText(record, "subject")) return R"(Record must have the property "subject")";
  if (!IsDid(record.at("subject").get<std::string>())) return "Record/subject must be a valid did";
  return CheckTime(record);
}

}  // namespace parvis::sandbox
