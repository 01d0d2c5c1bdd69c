// What a network can do, as one value: it drives the checks of drafts, the API's "not possible on X because ...", and the page
// docs/reference/networks.md. Plain data, made once by the connector.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "networks/text/facets.h"
#include "platform/base/error.h"

namespace parvis::networks {

// What people want of a network. Every connector takes a stance on every one of them.
enum class Feature {
  // publish
  kText, kTitle, kLink, kImage, kGallery, kVideo, kReel, kStory, kDocument, kPoll, kThread, kQuote, kTags, kThumbnail,
  kNativeSchedule, kNewsletter,
  // listen
  kWebhooks, kPolling, kStream, kMentions, kMessages,
  // answer
  kReply, kPrivateReply,
  // moderate: what others wrote, unless said otherwise
  kHide, kUnhide, kApprove, kSpam, kDelete, kDeleteOwn, kBan, kMute, kReport, kLock,
  // measure
  kPostCounts, kImpressions, kChannelCounts,
};
inline constexpr int kFeatures = static_cast<int>(Feature::kChannelCounts) + 1;
std::string_view NameOf(Feature feature);    // "private_reply"
std::string_view GroupOf(Feature feature);   // "publish", "listen", "answer", "moderate", "measure"

enum class Stance {
  kPossible,
  kNotInApi,   // the network's API does not offer it: nobody can
  kNotBuilt,   // the API offers it and Parvis does not use it
};
struct Support {
  Stance stance = Stance::kNotBuilt;
  std::string because;   // why not, or what is special; for people: "replies can be hidden, posts of others cannot"
  std::string source;    // where the network says so; needed for kNotInApi
};

enum class TextUnit { kCodePoints, kWeighted, kBytes, kGraphemes };

// One effect on a network. kHide to kReport are for what others wrote; kDelete also for our own.
enum class WriteKind {
  kPost,           // with a target: continues our own post (a thread)
  kReply,          // to a comment, mention or message
  kPrivateReply,   // to the author of a comment, unseen by others
  kHide, kUnhide,  // where comments are held first: hold, publish
  kApprove,        // lets through what the network holds for review
  kSpam,           // tells the network that it is spam, which hides it
  kDelete,
  kBan, kUnban,    // the author may not write here (Bluesky, Mastodon: is blocked)
  kMute, kUnmute,  // the author is not heard any more, or silenced for all
  kReport,         // to whoever runs the network
  kLock, kUnlock,  // no further comments below our own post
};
inline constexpr int kWriteKinds = static_cast<int>(WriteKind::kUnlock) + 1;
std::string_view NameOf(WriteKind kind);   // "private_reply"
Feature FeatureOf(WriteKind kind);         // kPost -> kText, kUnban -> kBan, kUnlock -> kLock

// A choice that only this network has: Draft::options[name].
struct Option {
  std::string name;                  // "visibility"
  std::string about;                 // for people
  std::vector<std::string> values;   // empty: free text
};

struct Capabilities {
  std::string network;                   // "facebook"
  std::string display_name;              // "Facebook"
  std::map<Feature, Support> features;
  // Kinds that the network does not have although it has their feature: what cannot be taken back (kUnban beside kBan).
  std::map<WriteKind, Support> missing;
  bool needs_title = false;
  bool needs_media = false;              // no post without a picture or video
  int post_text_max = 0;                 // in text_unit; 0 = no limit
  int reply_text_max = 0;
  int title_max = 0;                     // code points
  TextUnit text_unit = TextUnit::kCodePoints;
  int media_max = 0;
  std::vector<std::string> media_types;
  int64_t media_max_bytes = 0;           // of a picture
  int64_t gif_max_bytes = 0;             // of a GIF; 0 = as other pictures
  int64_t video_max_bytes = 0;           // 0 = as pictures
  int64_t document_max_bytes = 0;        // 0 = as pictures
  int picture_side_max = 0;              // the longer side in pixels; 0 = no limit, as for all that follows
  int64_t picture_pixels_max = 0;        // width × height
  int64_t video_pixels_max = 0;
  int video_width_max = 0;
  std::vector<std::string> video_codecs, audio_codecs;   // as ffprobe names them: "h264", "aac"; empty = not judged
  absl::Duration video_duration_min, video_duration_max;
  // Some media must be at a public address, from which the network fetches them. Check says which miss one: MEDIA_URL.
  bool fetches_media = false;
  int poll_options_max = 0, poll_option_text_max = 0;
  bool idempotency_key = false;          // the network recognises our key: an unknown may be sent again with it
  absl::Duration settle = absl::Seconds(2);   // how long after a call a read sees its effect
  std::vector<std::string> credential_fields;
  std::vector<Option> options;
  // What of a post's text can be clicked, for networks that go by text::FindPlainFacets.
  std::vector<text::Facet::Kind> linked = {text::Facet::Kind::kLink, text::Facet::Kind::kMention, text::Facet::Kind::kTag};
  std::vector<std::string> counters;     // names that Measure gives: "likes", "comments", "shares", "views", ...
  // Reading draws on one budget of all channels at the same host (the network counts by app or by our address), and not on
  // one of the channel's own: what one poll is refused for its rate holds for all of them.
  bool reads_share_budget = false;
  // Webhooks bring the comments that polling would find, so that polling is only to be sure. Not where they tell of something
  // else: YouTube's of videos, Ghost's of posts.
  bool webhooks_bring_comments = false;
  // Webhooks come from hubs (WebSub): one subscription an account, to be asked for and renewed. See Connector::FindHub.
  bool websub = false;
  // One stream hears so many channels of the installation (Connector::OpenSharedStream); 0: each has its own (OpenStream).
  int stream_channels_max = 0;
  // Kinds that may name a person (Write::target_author_id) in place of a target; all others but kPost need the target.
  std::set<WriteKind> of_author = {WriteKind::kBan, WriteKind::kUnban, WriteKind::kMute, WriteKind::kUnmute};
  // Short names of the rate budgets, for a network that counts its endpoints apart: kinds with one name share one window.
  // A kind without a name draws on the channel's own budget, called "": what it reports holds for all such kinds.
  std::map<WriteKind, std::string> budgets;

  const std::string& BudgetOf(WriteKind kind) const;
  int64_t BytesMaxOf(std::string_view media_type) const;   // 0 = no limit
  const Support& Of(Feature feature) const;   // kNotBuilt when nothing is said
  bool Can(Feature feature) const { return Of(feature).stance == Stance::kPossible; }
  // kDelete: of what others wrote, or at least of our own.
  const Support& Of(WriteKind kind) const;
  bool Can(WriteKind kind) const { return Of(kind).stance == Stance::kPossible; }
  // "not possible on Bluesky: <because>", for people.
  std::string WhyNot(Feature feature) const { return WhyNot(Of(feature)); }
  std::string WhyNot(WriteKind kind) const { return WhyNot(Of(kind)); }

  // For connectors that fill themselves in.
  void Allow(std::initializer_list<Feature> possible);
  void Refuse(Feature feature, std::string because, std::string source);   // kNotInApi
  void Refuse(WriteKind kind, std::string because, std::string source);    // likewise, although its feature is possible
  void Leave(Feature feature, std::string because);                        // kNotBuilt

 private:
  std::string WhyNot(const Support& support) const;
};

}  // namespace parvis::networks
