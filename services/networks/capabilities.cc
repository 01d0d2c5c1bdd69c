#include "networks/capabilities.h"

namespace parvis::networks {
namespace {

struct Named {
  std::string_view name, group;
};

constexpr Named kNamed[] = {
    {"text", "publish"}, {"title", "publish"}, {"link", "publish"}, {"image", "publish"}, {"gallery", "publish"},
    {"video", "publish"}, {"reel", "publish"}, {"story", "publish"}, {"document", "publish"}, {"poll", "publish"},
    {"thread", "publish"}, {"quote", "publish"}, {"tags", "publish"}, {"thumbnail", "publish"},
    {"native_schedule", "publish"}, {"newsletter", "publish"},
    {"webhooks", "listen"}, {"polling", "listen"}, {"stream", "listen"}, {"mentions", "listen"}, {"messages", "listen"},
    {"reply", "answer"}, {"private_reply", "answer"},
    {"hide", "moderate"}, {"unhide", "moderate"}, {"approve", "moderate"}, {"spam", "moderate"}, {"delete", "moderate"},
    {"delete_own", "moderate"}, {"ban", "moderate"}, {"mute", "moderate"}, {"report", "moderate"}, {"lock", "moderate"},
    {"post_counts", "measure"}, {"impressions", "measure"}, {"channel_counts", "measure"},
};
static_assert(std::size(kNamed) == kFeatures);

constexpr std::string_view kKinds[] = {"post", "reply", "private_reply", "hide", "unhide", "approve", "spam", "delete",
                                       "ban", "unban", "mute", "unmute", "report", "lock", "unlock"};
static_assert(std::size(kKinds) == kWriteKinds);

}  // namespace

std::string_view NameOf(Feature feature) { return kNamed[static_cast<int>(feature)].name; }
std::string_view GroupOf(Feature feature) { return kNamed[static_cast<int>(feature)].group; }
std::string_view NameOf(WriteKind kind) { return kKinds[static_cast<int>(kind)]; }

Feature FeatureOf(WriteKind kind) {
  switch (kind) {
    case WriteKind::kPost: return Feature::kText;
    case WriteKind::kReply: return Feature::kReply;
    case WriteKind::kPrivateReply: return Feature::kPrivateReply;
    case WriteKind::kHide: return Feature::kHide;
    case WriteKind::kUnhide: return Feature::kUnhide;
    case WriteKind::kApprove: return Feature::kApprove;
    case WriteKind::kSpam: return Feature::kSpam;
    case WriteKind::kDelete: return Feature::kDelete;
    case WriteKind::kBan:
    case WriteKind::kUnban: return Feature::kBan;
    case WriteKind::kMute:
    case WriteKind::kUnmute: return Feature::kMute;
    case WriteKind::kReport: return Feature::kReport;
    case WriteKind::kLock:
    case WriteKind::kUnlock: return Feature::kLock;
  }
  return Feature::kText;
}

const std::string& Capabilities::BudgetOf(WriteKind kind) const {
  static const std::string* const channel = new std::string;
  const auto it = budgets.find(kind);
  return it == budgets.end() ? *channel : it->second;
}

int64_t Capabilities::BytesMaxOf(std::string_view media_type) const {
  if (media_type == "image/gif" && gif_max_bytes > 0) return gif_max_bytes;
  if (media_type.rfind("video/", 0) == 0 && video_max_bytes > 0) return video_max_bytes;
  if (media_type.rfind("image/", 0) != 0 && media_type.rfind("video/", 0) != 0 && document_max_bytes > 0) return document_max_bytes;
  return media_max_bytes;
}

const Support& Capabilities::Of(Feature feature) const {
  static const Support* const unsaid = new Support;
  const auto it = features.find(feature);
  return it == features.end() ? *unsaid : it->second;
}

const Support& Capabilities::Of(WriteKind kind) const {
  if (const auto it = missing.find(kind); it != missing.end()) return it->second;
  const bool own_only = kind == WriteKind::kDelete && !Can(Feature::kDelete) && Can(Feature::kDeleteOwn);
  return Of(own_only ? Feature::kDeleteOwn : FeatureOf(kind));
}

std::string Capabilities::WhyNot(const Support& support) const {
  std::string out = "not possible on " + display_name;
  if (!support.because.empty()) out += ": " + support.because;
  return out;
}

void Capabilities::Allow(std::initializer_list<Feature> possible) {
  for (const Feature feature : possible) features[feature] = {Stance::kPossible, "", ""};
}

void Capabilities::Refuse(Feature feature, std::string because, std::string source) {
  features[feature] = {Stance::kNotInApi, std::move(because), std::move(source)};
}

void Capabilities::Refuse(WriteKind kind, std::string because, std::string source) {
  missing[kind] = {Stance::kNotInApi, std::move(because), std::move(source)};
}

void Capabilities::Leave(Feature feature, std::string because) {
  features[feature] = {Stance::kNotBuilt, std::move(because), ""};
}

}  // namespace parvis::networks
