#include "networks/wire/check.h"

#include <algorithm>

#include <absl/strings/str_join.h>

#include "networks/media_fit.h"
#include "networks/text/unicode.h"

namespace parvis::networks {
namespace {

bool IsWebUrl(const std::string& url) {
  const bool scheme = url.rfind("https://", 0) == 0 || url.rfind("http://", 0) == 0;
  if (!scheme || url.size() > 2000 || !text::IsUtf8(url)) return false;
  const size_t host = url.find("//") + 2;
  if (host >= url.size() || url[host] == '/' || url[host] == '?' || url[host] == '#') return false;
  return std::none_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '<' || c == '>'; });
}

void NeedFeature(const Capabilities& capabilities, bool used, Feature feature, const std::string& field, std::vector<Violation>* out) {
  if (used && !capabilities.Can(feature)) out->push_back({field, capabilities.WhyNot(feature), "NOT_POSSIBLE"});
}

void CheckOptions(const Draft& draft, const Capabilities& capabilities, std::vector<Violation>* out) {
  for (const auto& chosen : draft.options) {
    const std::string &name = chosen.first, &value = chosen.second;   // no structured binding: clang 14 does not capture those
    const auto option = std::find_if(capabilities.options.begin(), capabilities.options.end(), [&](const Option& o) { return o.name == name; });
    if (option == capabilities.options.end()) {
      std::vector<std::string> names;
      for (const Option& known : capabilities.options) names.push_back(known.name);
      const std::string known = names.empty() ? "" : "; it has " + absl::StrJoin(names, ", ");
      out->push_back({"options[" + name + "]", capabilities.display_name + " has no such option" + known, "OPTION_UNKNOWN"});
    } else if (!option->values.empty() && std::find(option->values.begin(), option->values.end(), value) == option->values.end()) {
      out->push_back({"options[" + name + "]", "must be one of " + absl::StrJoin(option->values, ", "), "OPTION_VALUE"});
    }
  }
}

void CheckPoll(const Draft& draft, const Capabilities& capabilities, std::vector<Violation>* out) {
  if (!draft.poll || !capabilities.Can(Feature::kPoll)) return;
  const int options = static_cast<int>(draft.poll->options.size());
  if (options < 2 || options > capabilities.poll_options_max) {
    out->push_back({"poll.options", "has " + std::to_string(options) + " answers, 2 to " + std::to_string(capabilities.poll_options_max) + " are allowed",
                    "POLL_OPTIONS"});
  }
  for (int i = 0; i < options; ++i) {
    const std::string& option = draft.poll->options[static_cast<size_t>(i)];
    const int length = text::CodePoints(option);
    if (text::IsUtf8(option) && !text::ForComparison(option).empty() && length <= capabilities.poll_option_text_max) continue;
    out->push_back({"poll.options[" + std::to_string(i) + "]",
                    "must have 1 to " + std::to_string(capabilities.poll_option_text_max) + " characters", "POLL_OPTION_TEXT"});
  }
}

}  // namespace

void CheckPossible(WriteKind kind, const Draft& draft, const Capabilities& capabilities, std::vector<Violation>* out) {
  if (!capabilities.Can(kind)) out->push_back({"kind", std::string(NameOf(kind)) + " is " + capabilities.WhyNot(kind), "NOT_POSSIBLE"});
  NeedFeature(capabilities, draft.format == PostFormat::kReel, Feature::kReel, "format", out);
  NeedFeature(capabilities, draft.format == PostFormat::kStory, Feature::kStory, "format", out);
  NeedFeature(capabilities, draft.poll.has_value(), Feature::kPoll, "poll", out);
  NeedFeature(capabilities, !draft.quote_remote_id.empty(), Feature::kQuote, "quote_remote_id", out);
  NeedFeature(capabilities, !draft.tags.empty(), Feature::kTags, "tags", out);
  NeedFeature(capabilities, draft.thumbnail.has_value(), Feature::kThumbnail, "thumbnail", out);
  for (size_t i = 0; i < draft.media.size(); ++i) {
    const std::string& type = draft.media[i].type;
    const Feature feature = type.rfind("video/", 0) == 0 ? Feature::kVideo : type.rfind("image/", 0) == 0 ? Feature::kImage : Feature::kDocument;
    const bool reel = feature == Feature::kVideo && draft.format != PostFormat::kPost;   // told by the format's own feature
    NeedFeature(capabilities, !reel, feature, "media[" + std::to_string(i) + "]", out);
  }
  CheckPoll(draft, capabilities, out);
  CheckOptions(draft, capabilities, out);
}

void CheckText(const Draft& draft, int length, int max, const char* unit, bool media_suffices, std::vector<Violation>* out) {
  if (!text::IsUtf8(draft.text) || draft.text.find('\0') != std::string::npos) {
    out->push_back({"text", "must be UTF-8 without NUL", "TEXT_NOT_UTF8"});
    return;
  }
  if (text::ForComparison(draft.text).empty() && draft.link.empty() && (draft.media.empty() || !media_suffices)) {
    out->push_back({"text", "must not be empty", "TEXT_MISSING"});
  }
  if (max > 0 && length > max) {
    out->push_back({"text",
                    "counts " + std::to_string(length) + " " + unit + ", at most " + std::to_string(max) + " are allowed; take out " +
                        std::to_string(length - max),
                    "TEXT_TOO_LONG"});
  }
}

void CheckTitle(WriteKind kind, const Draft& draft, const Capabilities& capabilities, const char* what, std::vector<Violation>* out) {
  if (kind == WriteKind::kPost && capabilities.needs_title && text::ForComparison(draft.title).empty()) {
    out->push_back({"title", "must not be empty: " + std::string(what) + " needs a title", "TITLE_MISSING"});
  }
  if (!text::IsUtf8(draft.title)) out->push_back({"title", "must be UTF-8", "TEXT_NOT_UTF8"});
  if (const int length = text::CodePoints(draft.title); length > capabilities.title_max) {
    out->push_back({"title",
                    "has " + std::to_string(length) + " characters, at most " + std::to_string(capabilities.title_max) + " are allowed",
                    "TITLE_TOO_LONG"});
  }
}

void CheckMedia(const Draft& draft, const Capabilities& capabilities, std::vector<Violation>* out) {
  if (static_cast<int>(draft.media.size()) > capabilities.media_max) {
    out->push_back({"media", "has " + std::to_string(draft.media.size()) + " items, at most " + std::to_string(capabilities.media_max) + " are allowed",
                    "TOO_MANY_MEDIA"});
  }
  for (size_t i = 0; i < draft.media.size(); ++i) {
    const Media& media = draft.media[i];
    const std::string field = "media[" + std::to_string(i) + "]";
    CheckMediaLimits(capabilities, media, field + ".", out);
    if (media.bytes.empty() && media.content == nullptr && !IsWebUrl(media.url)) {
      out->push_back({field + ".url", "must be an http or https address", "MEDIA_URL"});
    }
    if (!text::IsUtf8(media.alt_text)) out->push_back({field + ".alt_text", "must be UTF-8", "TEXT_NOT_UTF8"});
  }
}

void CheckLink(const Draft& draft, std::vector<Violation>* out) {
  if (!draft.link.empty() && !IsWebUrl(draft.link)) out->push_back({"link", "must be an http or https address without blanks", "LINK_INVALID"});
}

Appearance ShowText(std::string text, const Draft& draft, const Capabilities& capabilities) {
  Appearance out;
  for (text::Facet& facet : text::FindPlainFacets(text)) {
    const std::vector<text::Facet::Kind>& linked = capabilities.linked;
    if (std::find(linked.begin(), linked.end(), facet.kind) != linked.end()) out.facets.push_back(std::move(facet));
  }
  out.text = std::move(text);
  if (capabilities.Can(Feature::kTitle)) out.title = draft.title;
  if (!draft.link.empty() && out.text.find(draft.link) != std::string::npos && !capabilities.Of(Feature::kLink).because.empty()) {
    out.remarks.push_back("link: " + capabilities.Of(Feature::kLink).because);
  }
  return out;
}

Appearance ShowPage(const Draft& draft, const Capabilities& capabilities) {
  Appearance out = ShowText(draft.text, draft, capabilities);
  out.facets.clear();
  if (draft.link.empty() || draft.text.find(draft.link) != std::string::npos) return out;
  if (!out.text.empty()) out.text += "\n\n";
  out.facets.push_back({text::Facet::Kind::kLink, out.text.size(), out.text.size() + draft.link.size(), draft.link});
  out.text += draft.link;
  return out;
}

std::string TextWithLink(const Draft& draft) {
  if (draft.link.empty() || draft.text.find(draft.link) != std::string::npos) return draft.text;
  return draft.text.empty() ? draft.link : draft.text + "\n" + draft.link;
}

}  // namespace parvis::networks
