#include "metrics/domain/facts.h"

#include "platform/base/ids.h"

namespace parvis::metrics {

std::string ActivityFactId(std::string_view kind, std::string_view channel_id, std::string_view remote_id,
                           std::string_view activity_id) {
  const bool written = kind == "comment" || kind == "mention" || kind == "message";
  if (!written || remote_id.empty()) return UuidOfName("activity/" + std::string(activity_id));
  return UuidOfName(std::string(kind) + "/" + std::string(channel_id) + "/" + std::string(remote_id));
}

}  // namespace parvis::metrics
