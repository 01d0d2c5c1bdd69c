#include "publishing/domain/media_item.h"

#include <cstdio>
#include <set>

#include "platform/base/ids.h"

namespace parvis::publishing {
namespace {

constexpr std::string_view kWorkspaces = "workspaces/", kMedia = "/media/";
constexpr size_t kUuid = 36;

}  // namespace

const char* MediaStateName(MediaState state) {
  switch (state) {
    case MediaState::kNone: return "none";
    case MediaState::kUploading: return "uploading";
    case MediaState::kUploaded: return "uploaded";
    case MediaState::kReady: return "ready";
    case MediaState::kRefused: return "refused";
    case MediaState::kConverting: return "converting";
  }
  return "none";
}

std::string MediaName(const std::string& workspace_id, const std::string& id) {
  return std::string(kWorkspaces) + workspace_id + std::string(kMedia) + id;
}

std::optional<MediaRef> ParseMediaName(std::string_view name) {
  if (name.size() != kWorkspaces.size() + kUuid + kMedia.size() + kUuid || name.rfind(kWorkspaces, 0) != 0 ||
      name.substr(kWorkspaces.size() + kUuid, kMedia.size()) != kMedia) {
    return std::nullopt;
  }
  MediaRef ref{std::string(name.substr(kWorkspaces.size(), kUuid)), std::string(name.substr(name.size() - kUuid))};
  if (!IsUuid(ref.workspace_id) || !IsUuid(ref.id)) return std::nullopt;
  return ref;
}

std::vector<std::string> MediaIdsOf(const std::vector<Variant>& variants) {
  std::set<std::string> ids;
  for (const Variant& variant : variants) {
    for (const auto& [field, media] : AllMedia(variant.content)) {
      if (const auto ref = ParseMediaName(media->media)) ids.insert(ref->id);
    }
  }
  return {ids.begin(), ids.end()};
}

std::string ChunkKey(const std::string& workspace_id, const std::string& id, size_t number, const std::string& digest) {
  char place[24];
  std::snprintf(place, sizeof place, "%08zu", number);
  return "media/" + workspace_id + "/" + id + "/" + place + "-" + digest.substr(0, 32);
}

bool IsVideo(const MediaFacts& facts) { return facts.type.rfind("video/", 0) == 0; }

}  // namespace parvis::publishing
