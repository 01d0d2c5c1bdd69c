// What is sent to one channel. Plain data; stored as JSON (storage/content_json.cc), so that a new member needs no migration.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <absl/time/time.h>

#include "platform/base/error.h"

namespace parvis::publishing {

struct Media {
  std::string url, type, alt_text;
  int64_t size_bytes = 0;       // 0 = not known
  std::string title = "";       // of a document
  std::string media = "";       // resource name of the workspace's medium; "" = fetched from `url`
  // Of a medium that is named, once it was resolved; stored with the delivery.
  int width = 0, height = 0;
  absl::Duration duration = absl::ZeroDuration();
  std::string video_codec = "", audio_codec = "";
  bool operator==(const Media&) const = default;
};

// Numbers are those of parvis.publishing.v1.PostFormat.
enum class PostFormat { kPost = 1, kReel = 2, kStory = 3 };

struct Poll {
  std::vector<std::string> options;
  absl::Duration open_for = absl::Hours(24);
  bool multiple = false;
  bool operator==(const Poll&) const = default;
};

// A post that continues the one before it.
struct ThreadPart {
  std::string text;
  std::vector<Media> media;
  bool operator==(const ThreadPart&) const = default;
};

struct Content {
  std::string text, title, link, language;
  std::vector<Media> media;
  PostFormat format = PostFormat::kPost;
  std::optional<Poll> poll;
  std::string quote_remote_id;                  // the post that is quoted
  std::vector<std::string> tags;                // without '#'
  std::optional<Media> thumbnail;               // of a video
  std::map<std::string, std::string> options;   // choices that only the channel's network has
  std::vector<ThreadPart> thread;               // what continues it
  int part = 0;                                 // of a thread, from 0
  bool ended = false;                           // a person cancelled the post: nothing continues this any more
  bool operator==(const Content&) const = default;
};

// All media of `content` with their fields: "media[0]", "thumbnail", "thread[1].media[0]". It outlives them.
std::vector<std::pair<std::string, Media*>> AllMedia(Content& content);
std::vector<std::pair<std::string, const Media*>> AllMedia(const Content& content);

// Part `index` of whole.thread as a content of its own, which what comes after that part continues.
Content PartOf(const Content& whole, size_t index);

struct ContentLimits {
  int text_max_bytes = 100'000;
  int media_max = 20;
  int thread_max = 24;   // parts after the first
};

// What is wrong with it whatever the network: every violation, fields below `prefix` ("post.variants[0]").
void CheckContent(const std::string& prefix, const Content& content, const ContentLimits& limits, std::vector<Violation>& violations);

}  // namespace parvis::publishing
