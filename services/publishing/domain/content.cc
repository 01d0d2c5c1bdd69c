#include "publishing/domain/content.h"

#include "publishing/domain/media_item.h"
#include "publishing/domain/text_rules.h"

namespace parvis::publishing {
namespace {

constexpr size_t kPollOptionsMax = 20, kTagsMax = 30, kOptionsMax = 20;
constexpr absl::Duration kPollShortest = absl::Minutes(5), kPollLongest = absl::Hours(24 * 90);

void CheckMedia(const std::string& prefix, const Media& media, std::vector<Violation>& violations) {
  const bool kept = !media.media.empty();
  if (kept && !ParseMediaName(media.media)) {
    violations.push_back({prefix + ".media", "must be \"workspaces/{workspace}/media/{media}\"", "MEDIA_NAME"});
  }
  if (!(kept && media.url.empty()) && media.url.rfind("https://", 0) != 0 && media.url.rfind("http://", 0) != 0) {
    violations.push_back({prefix + ".url", "must be an http or https address", "URL"});
  }
  if (!kept && media.type.find('/') == std::string::npos) {
    violations.push_back({prefix + ".type", "must be a media type like image/png", "MEDIA_TYPE"});
  }
  CheckName(prefix + ".url", media.url, 2000, false, violations);
  CheckName(prefix + ".type", media.type, 100, false, violations);
  CheckName(prefix + ".alt_text", media.alt_text, 2000, false, violations);
  CheckName(prefix + ".title", media.title, 500, false, violations);
  if (media.size_bytes < 0) violations.push_back({prefix + ".size_bytes", "must not be negative", "SIZE"});
}

void CheckPoll(const std::string& prefix, const Poll& poll, std::vector<Violation>& violations) {
  if (poll.options.size() < 2 || poll.options.size() > kPollOptionsMax) {
    violations.push_back({prefix + ".options", "needs 2 to " + std::to_string(kPollOptionsMax) + " answers", "POLL_OPTIONS"});
  } else {
    for (size_t i = 0; i < poll.options.size(); ++i) {
      CheckName(prefix + ".options[" + std::to_string(i) + "]", poll.options[i], 200, true, violations);
    }
  }
  if (poll.open_for < kPollShortest || poll.open_for > kPollLongest) {
    violations.push_back({prefix + ".open_for", "must be 5 minutes to 90 days", "POLL_DURATION"});
  }
}

void CheckTags(const std::string& prefix, const std::vector<std::string>& tags, std::vector<Violation>& violations) {
  if (tags.size() > kTagsMax) {
    violations.push_back({prefix + ".tags", "at most " + std::to_string(kTagsMax) + " are allowed", "TOO_MANY"});
    return;
  }
  for (size_t i = 0; i < tags.size(); ++i) {
    CheckName(prefix + ".tags[" + std::to_string(i) + "]", tags[i], 100, true, violations);
  }
}

void CheckOptions(const std::string& prefix, const std::map<std::string, std::string>& options, std::vector<Violation>& violations) {
  if (options.size() > kOptionsMax) {
    violations.push_back({prefix + ".options", "at most " + std::to_string(kOptionsMax) + " are allowed", "TOO_MANY"});
    return;
  }
  for (const auto& [name, value] : options) {
    if (name.empty() || CodePoints(name) < 0 || CodePoints(name) > 100) {
      violations.push_back({prefix + ".options", "names have 1 to 100 characters", "OPTION_NAME"});
    } else {
      CheckName(prefix + ".options[" + name + "]", value, 500, false, violations);
    }
  }
}

void CheckText(const std::string& field, const std::string& text, const ContentLimits& limits, std::vector<Violation>& violations) {
  if (static_cast<int>(text.size()) > limits.text_max_bytes) {
    violations.push_back({field, "is longer than " + std::to_string(limits.text_max_bytes) + " bytes", "TOO_LONG"});
  } else if (CodePoints(text) < 0) {
    violations.push_back({field, "must be UTF-8 without NUL", "NOT_UTF8"});
  }
}

void CheckMediaList(const std::string& field, const std::vector<Media>& media, const ContentLimits& limits,
                    std::vector<Violation>& violations) {
  if (static_cast<int>(media.size()) > limits.media_max) {
    violations.push_back({field, "at most " + std::to_string(limits.media_max) + " are allowed", "TOO_MANY"});
    return;
  }
  for (size_t i = 0; i < media.size(); ++i) CheckMedia(field + "[" + std::to_string(i) + "]", media[i], violations);
}

void CheckThread(const std::string& field, const std::vector<ThreadPart>& thread, const ContentLimits& limits,
                 std::vector<Violation>& violations) {
  if (static_cast<int>(thread.size()) > limits.thread_max) {
    violations.push_back({field, "at most " + std::to_string(limits.thread_max) + " are allowed", "TOO_MANY"});
    return;
  }
  for (size_t i = 0; i < thread.size(); ++i) {
    const std::string part = field + "[" + std::to_string(i) + "]";
    CheckText(part + ".text", thread[i].text, limits, violations);
    CheckMediaList(part + ".media", thread[i].media, limits, violations);
  }
}

template <class AnyMedia, class AnyContent>
std::vector<std::pair<std::string, AnyMedia*>> Collect(AnyContent& content) {
  std::vector<std::pair<std::string, AnyMedia*>> all;
  const auto add = [&](const std::string& list, auto& media) {
    for (size_t i = 0; i < media.size(); ++i) all.emplace_back(list + "[" + std::to_string(i) + "]", &media[i]);
  };
  add("media", content.media);
  if (content.thumbnail) all.emplace_back("thumbnail", &*content.thumbnail);
  for (size_t i = 0; i < content.thread.size(); ++i) add("thread[" + std::to_string(i) + "].media", content.thread[i].media);
  return all;
}

}  // namespace

std::vector<std::pair<std::string, Media*>> AllMedia(Content& content) { return Collect<Media>(content); }
std::vector<std::pair<std::string, const Media*>> AllMedia(const Content& content) { return Collect<const Media>(content); }

Content PartOf(const Content& whole, size_t index) {
  Content part;
  part.text = whole.thread[index].text;
  part.media = whole.thread[index].media;
  part.language = whole.language;
  part.options = whole.options;
  part.part = whole.part + static_cast<int>(index) + 1;
  part.thread.assign(whole.thread.begin() + static_cast<std::ptrdiff_t>(index) + 1, whole.thread.end());
  return part;
}

void CheckContent(const std::string& prefix, const Content& content, const ContentLimits& limits,
                  std::vector<Violation>& violations) {
  CheckText(prefix + ".text", content.text, limits, violations);
  CheckName(prefix + ".title", content.title, 500, false, violations);
  CheckName(prefix + ".link", content.link, 2000, false, violations);
  CheckName(prefix + ".language", content.language, 35, false, violations);
  if (!content.link.empty() && content.link.rfind("https://", 0) != 0 && content.link.rfind("http://", 0) != 0) {
    violations.push_back({prefix + ".link", "must be an http or https address", "URL"});
  }
  if (content.format < PostFormat::kPost || content.format > PostFormat::kStory) {
    violations.push_back({prefix + ".format", "must be POST, REEL or STORY", "FORMAT"});
  }
  CheckName(prefix + ".quote_remote_id", content.quote_remote_id, 500, false, violations);
  if (content.poll) CheckPoll(prefix + ".poll", *content.poll, violations);
  CheckTags(prefix, content.tags, violations);
  CheckOptions(prefix, content.options, violations);
  if (content.thumbnail) CheckMedia(prefix + ".thumbnail", *content.thumbnail, violations);
  CheckMediaList(prefix + ".media", content.media, limits, violations);
  CheckThread(prefix + ".thread", content.thread, limits, violations);
}

}  // namespace parvis::publishing
