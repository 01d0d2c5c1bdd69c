#include "publishing/domain/testing/fake_media.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace parvis::publishing {
namespace {

Status Missing(const std::string& id) { return NotFound("media/" + id); }
Status Changed() { return MakeError(Code::kAborted, "MEDIA_CHANGED", "it has changed meanwhile"); }

MediaItem WithLabelsOf(const MediaItem& stored, MediaItem item) {
  item.display_name = stored.display_name;
  item.alt_text = stored.alt_text;
  return item;
}

}  // namespace

StatusOr<MediaItem> FakeMediaStore::InsertMedia(const Call& call, const MediaItem& item, const MediaQuota& quota) {
  const std::lock_guard lock(mutex_);
  return Insert(call, item, quota);
}

StatusOr<MediaItem> FakeMediaStore::InsertConversion(const Call& call, const MediaItem& item, const VideoTarget& target,
                                                     const MediaQuota& quota) {
  const std::lock_guard lock(mutex_);
  PARVIS_ASSIGN_OR_RETURN(const MediaItem stored, Insert(call, item, quota));
  if (stored.state == MediaState::kConverting) {
    conversions_.emplace(Key(call.workspace_id, item.id), Waiting{target, 0, 0, item.create_time});
  }
  return stored;
}

StatusOr<MediaItem> FakeMediaStore::Insert(const Call& call, const MediaItem& item, const MediaQuota& quota) {
  const Key key(call.workspace_id, item.id);
  if (const auto at = media_.find(key); at != media_.end()) return at->second;
  int uploads = 0, conversions = 0;
  int64_t bytes = item.size_bytes;
  for (const auto& [other, kept] : media_) {
    if (other.first != call.workspace_id) continue;
    uploads += kept.state == MediaState::kUploading;
    conversions += kept.state == MediaState::kConverting;
    bytes += kept.size_bytes;
  }
  const bool converting = item.state == MediaState::kConverting;
  if (converting && conversions >= quota.conversions_max) return MakeError(Code::kResourceExhausted, "MEDIA_CONVERSIONS", "too many");
  if (!converting && uploads >= quota.uploads_max) return MakeError(Code::kResourceExhausted, "MEDIA_UPLOADS", "too many");
  if (bytes > quota.bytes_max) return MakeError(Code::kResourceExhausted, "MEDIA_SPACE", "too much");
  return media_.emplace(key, item).first->second;
}

StatusOr<MediaItem> FakeMediaStore::GetMedia(const Call& call, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto at = media_.find({call.workspace_id, id});
  if (at == media_.end()) return Missing(id);
  return at->second;
}

StatusOr<std::vector<MediaItem>> FakeMediaStore::ListMedia(const Call& call, const Page& page) {
  const std::lock_guard lock(mutex_);
  std::vector<MediaItem> list;
  for (const auto& [key, item] : media_) {
    if (key.first == call.workspace_id && (!page.after || std::pair(item.create_time, item.id) < *page.after)) list.push_back(item);
  }
  std::sort(list.begin(), list.end(), [](const MediaItem& a, const MediaItem& b) {
    return std::pair(a.create_time, a.id) > std::pair(b.create_time, b.id);
  });
  if (list.size() > static_cast<size_t>(page.size)) list.erase(list.begin() + page.size, list.end());
  return list;
}

StatusOr<MediaItem> FakeMediaStore::AddChunk(const Call& call, const std::string& id, const MediaChunk& chunk) {
  if (const auto hook = std::exchange(before_add_chunk, nullptr)) hook();
  const std::lock_guard lock(mutex_);
  const auto at = media_.find({call.workspace_id, id});
  if (at == media_.end()) return Missing(id);
  MediaItem& item = at->second;
  if (item.state != MediaState::kUploading || item.received_bytes != chunk.offset) return Changed();
  item.received_bytes += chunk.bytes;
  item.hash_state = chunk.hash_state;
  item.sha256 = chunk.sha256;
  item.update_time = chunk.time;
  item.expire_time = chunk.expire_time;
  chunks_[at->first].push_back(chunk.digest);
  return item;
}

StatusOr<std::vector<std::string>> FakeMediaStore::ListChunks(const Call& call, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const Key key(call.workspace_id, id);
  if (!media_.contains(key)) return std::vector<std::string>();
  return chunks_[key];
}

StatusOr<MediaItem> FakeMediaStore::SaveMedia(const Call& call, const MediaItem& item, MediaState from) {
  const std::lock_guard lock(mutex_);
  const auto at = media_.find({call.workspace_id, item.id});
  if (at == media_.end()) return Missing(item.id);
  if (at->second.state != from) return Changed();
  return at->second = WithLabelsOf(at->second, item);
}

StatusOr<MediaItem> FakeMediaStore::UpdateMedia(const Call& call, const std::string& id, const MediaLabels& labels, absl::Time now) {
  const std::lock_guard lock(mutex_);
  const auto at = media_.find({call.workspace_id, id});
  if (at == media_.end()) return Missing(id);
  MediaItem& item = at->second;
  if (labels.display_name) item.display_name = *labels.display_name;
  if (labels.alt_text) item.alt_text = *labels.alt_text;
  item.update_time = now;
  return item;
}

void FakeMediaStore::Trash(const Key& key) {
  trash_.push_back({key.first, key.second, chunks_[key]});
  chunks_.erase(key);
  conversions_.erase(key);
  media_.erase(key);
}

Status FakeMediaStore::DeleteMedia(const Call& call, const std::string& id, absl::Time) {
  const std::lock_guard lock(mutex_);
  const Key key(call.workspace_id, id);
  if (!media_.contains(key)) return Missing(id);
  if (in_use(key.first, id)) return MakeError(Code::kFailedPrecondition, "MEDIA_IN_USE", "a post names it");
  Trash(key);
  return absl::OkStatus();
}

StatusOr<int> FakeMediaStore::TrashExpired(absl::Time now, absl::Time in_use_until, int limit) {
  const std::lock_guard lock(mutex_);
  std::vector<Key> expired;
  for (const auto& [key, item] : media_) {
    if (item.expire_time <= now && static_cast<int>(expired.size()) < limit) expired.push_back(key);
  }
  for (const Key& key : expired) {
    if (in_use(key.first, key.second)) media_[key].expire_time = in_use_until;
    else Trash(key);
  }
  return static_cast<int>(expired.size());
}

StatusOr<std::vector<TrashedMedia>> FakeMediaStore::ListTrash(int limit) {
  const std::lock_guard lock(mutex_);
  return std::vector<TrashedMedia>(trash_.begin(), trash_.begin() + std::min<long>(limit, static_cast<long>(trash_.size())));
}

Status FakeMediaStore::Forget(const TrashedMedia& media) {
  const std::lock_guard lock(mutex_);
  std::erase_if(trash_, [&](const TrashedMedia& t) { return t.workspace_id == media.workspace_id && t.id == media.id; });
  return absl::OkStatus();
}

StatusOr<std::optional<Conversion>> FakeMediaStore::ClaimConversion(absl::Time now, absl::Time until) {
  const std::lock_guard lock(mutex_);
  const auto oldest = std::min_element(conversions_.begin(), conversions_.end(), [](const auto& a, const auto& b) {
    return a.second.ready_time < b.second.ready_time;
  });
  if (oldest == conversions_.end() || oldest->second.ready_time > now) return std::nullopt;
  Waiting& waiting = oldest->second;
  waiting.ready_time = until;
  ++waiting.fence;
  ++waiting.tries;
  return Conversion{media_[oldest->first], waiting.target, waiting.fence, waiting.tries, chunks_[oldest->first]};
}

FakeMediaStore::Waiting* FakeMediaStore::Ours(const Conversion& conversion) {
  const auto at = conversions_.find({conversion.item.workspace_id, conversion.item.id});
  return at == conversions_.end() || at->second.fence != conversion.fence ? nullptr : &at->second;
}

Status FakeMediaStore::HoldConversion(const Conversion& conversion, absl::Time until) {
  const std::lock_guard lock(mutex_);
  Waiting* ours = Ours(conversion);
  if (ours == nullptr) return Changed();
  ours->ready_time = until;
  return absl::OkStatus();
}

Status FakeMediaStore::GiveBackConversion(const Conversion& conversion, absl::Time from) {
  const std::lock_guard lock(mutex_);
  Waiting* ours = Ours(conversion);
  if (ours == nullptr) return Changed();
  ours->ready_time = from;
  --ours->tries;
  ++ours->fence;
  return absl::OkStatus();
}

Status FakeMediaStore::DropConvertedChunks(const Conversion& conversion) {
  const std::lock_guard lock(mutex_);
  if (Ours(conversion) == nullptr) return Changed();
  const Key key(conversion.item.workspace_id, conversion.item.id);
  chunks_[key].clear();
  media_[key].received_bytes = 0;
  return absl::OkStatus();
}

Status FakeMediaStore::AddConvertedChunk(const Conversion& conversion, int, const std::string& digest, int64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (Ours(conversion) == nullptr) return Changed();
  const Key key(conversion.item.workspace_id, conversion.item.id);
  chunks_[key].push_back(digest);
  media_[key].received_bytes += bytes;
  return absl::OkStatus();
}

Status FakeMediaStore::EndConversion(const Conversion& conversion, const MediaItem& item) {
  const std::lock_guard lock(mutex_);
  if (Ours(conversion) == nullptr) return Changed();
  const Key key(conversion.item.workspace_id, conversion.item.id);
  media_[key] = WithLabelsOf(media_[key], item);
  conversions_.erase(key);
  return absl::OkStatus();
}

Status FakeBlobs::Put(const Call&, const std::string& key, std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (!down.ok()) return down;
  if (static_cast<int64_t>(bytes.size()) > blob::kObjectMaxBytes) return MakeError(Code::kInvalidArgument, "BLOB_TOO_LARGE", "too large");
  objects[key] = bytes;
  return absl::OkStatus();
}

StatusOr<std::string> FakeBlobs::Read(const Call&, const std::string& key, int64_t offset, int64_t length) {
  const std::lock_guard lock(mutex_);
  if (!down.ok()) return down;
  const auto at = objects.find(key);
  if (at == objects.end()) return MakeError(Code::kNotFound, "BLOB_MISSING", key);
  if (offset >= static_cast<int64_t>(at->second.size())) return std::string();
  return at->second.substr(static_cast<size_t>(offset), static_cast<size_t>(length));
}

Status FakeBlobs::Delete(const Call&, const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (!down.ok()) return down;
  objects.erase(key);
  return absl::OkStatus();
}

StatusOr<MediaFacts> FakeInspector::Inspect(const Call& call, const MediaBytes& content) {
  ++inspected;
  if (!next.ok()) return std::exchange(next, absl::OkStatus());
  PARVIS_ASSIGN_OR_RETURN(const std::string bytes, content.read(call, 0, content.size));
  if (bytes.rfind("hostile", 0) == 0) return MakeError(Code::kResourceExhausted, "MEDIA_OVER_LIMIT", "needs too much memory");
  char type[33];
  MediaFacts facts;
  if (std::sscanf(bytes.c_str(), "%32s %dx%d", type, &facts.width, &facts.height) != 3) {
    return MakeError(Code::kInvalidArgument, "MEDIA_UNREADABLE", "is no picture");
  }
  facts.type = type;
  if (IsVideo(facts)) facts.duration = absl::Seconds(7), facts.video_codec = "h264", facts.frame_rate = 25;
  return facts;
}

StatusOr<std::string> FakeInspector::Convert(const Call& call, const MediaBytes& content, const PictureTarget& target) {
  PARVIS_ASSIGN_OR_RETURN(const MediaFacts facts, Inspect(call, content));
  if (IsVideo(facts)) return MakeError(Code::kInvalidArgument, "MEDIA_NOT_A_PICTURE", "is no picture");
  const std::string type = target.type.empty() ? facts.type : target.type;
  const int side = target.side_max == 0 ? std::max(facts.width, facts.height) : target.side_max;
  return type + " " + std::to_string(side) + "x" + std::to_string(side) + "\n" + std::string(100, 'c');
}

Status FakeInspector::ConvertVideo(const Call& call, const MediaBytes& content, const VideoTarget& target, const VideoWork& work) {
  PARVIS_ASSIGN_OR_RETURN(MediaFacts facts, Inspect(call, content));
  if (!IsVideo(facts)) return MakeError(Code::kInvalidArgument, "MEDIA_NOT_A_VIDEO", "is no video");
  if (!work.go_on()) return MakeError(Code::kAborted, "MEDIA_STOPPED", "ended early");
  if (const auto hook = std::exchange(while_converting, nullptr)) hook();
  if (!work.go_on()) return MakeError(Code::kAborted, "MEDIA_STOPPED", "ended early");
  facts.type = "video/mp4";
  if (target.width > 0) facts.width = target.width, facts.height = target.height;
  const std::string bytes = "video/mp4 " + std::to_string(facts.width) + "x" + std::to_string(facts.height) + "\n" + std::string(300, 'm');
  MediaBytes made;
  made.size = static_cast<int64_t>(bytes.size());
  made.read = [&bytes](const Call&, int64_t offset, int64_t length) -> StatusOr<std::string> {
    return bytes.substr(static_cast<size_t>(offset), static_cast<size_t>(length));
  };
  return work.take(made, facts);
}

MediaFit FakeMediaRules::Fit(const std::string& network, const MediaItem& item) const {
  MediaFit fit;
  const std::string type = IsVideo(item.facts) ? "video/mp4" : "image/png";
  if (network == "short" && (item.facts.type != type || item.facts.width > 100)) {
    fit.violations.push_back({"type", "must be small, PNG or MP4", "MEDIA_TYPE"});
    if (!IsVideo(item.facts)) {
      fit.target = PictureTarget{"image/png", 100, 0};
      fit.changes = {"It becomes a PNG of at most 100 pixels a side."};
    } else if (item.facts.width < 1000) {
      fit.video = VideoTarget{.width = 100, .height = 100, .video_kbps = 300, .bytes_max = 900};
      fit.changes = {"It becomes an MP4 of 100 pixels a side."};
    }
  }
  fit.fits = fit.violations.empty();
  return fit;
}

}  // namespace parvis::publishing
