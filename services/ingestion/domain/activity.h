// What people do on the networks, in one form, and how a happening at an account becomes the activities of channels.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/time/time.h>

namespace parvis::ingestion {

enum class Kind { kComment, kMention, kMessage, kEdit, kRemoval, kReaction, kHide, kUnhide };
enum class Origin { kWebhook, kPoll, kBackfill, kStream };

// What a network told us, in our words; not yet tied to a channel.
struct Happening {
  Kind kind = Kind::kComment;
  std::string account;  // the network's id of the account concerned
  std::string remote_id, thread, conversation, parent_remote_id, post_remote_id;
  std::string author_remote_id, author_name, author_handle;
  std::string text;
  absl::Time occurred_at;
  int64_t revision = 0;  // the network's time of the change, microseconds
  bool by_us = false;
  std::string permalink;
  std::vector<std::pair<std::string, std::string>> attachments;  // (type, url)
};

// A part of a webhook or page that could not be understood.
struct RawPart {
  std::string raw, reason, detail;
};

// Which channel of which workspace an account belongs to.
struct Binding {
  std::string workspace_id, channel_id;
  bool operator==(const Binding&) const = default;
};

// A happening, at a channel. Equal natural keys give equal ids, whichever way they came.
struct Activity {
  std::string id, workspace_id, channel_id, network;
  Happening what;
  absl::Time received_at;
  Origin origin = Origin::kWebhook;
};

// The id of the natural key (channel, kind, remote_id, revision).
std::string ActivityId(std::string_view channel_id, Kind kind, std::string_view remote_id, int64_t revision);

// Ties a happening to a channel and keeps it within the bounds of the topic: texts at most 64 KiB (cut between
// characters), other fields 2 KiB, 50 attachments; NUL becomes U+FFFD, because no store downstream can hold it. An
// empty thread becomes the remote_id, an empty conversation the thread.
Activity MakeActivity(Happening what, const Binding& binding, std::string_view network, Origin origin,
                      absl::Time received_at);

// When the network says that it happened: the later of occurred_at and revision.
absl::Time TimeOf(const Happening& happening);

const char* KindName(Kind kind);  // "comment"

}  // namespace parvis::ingestion
