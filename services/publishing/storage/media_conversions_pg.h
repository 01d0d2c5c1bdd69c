// Conversions of videos on PostgreSQL. Thread-safe.
#pragma once

#include <optional>
#include <string>

#include "platform/db/pool.h"
#include "publishing/domain/media_conversions.h"

namespace parvis::publishing {

// With the stream role: all workspaces. Locks a medium before its conversion, as all that deletes media does.
class PgMediaConversions : public MediaConversions {
 public:
  explicit PgMediaConversions(db::Pool& stream) : stream_(stream) {}
  StatusOr<std::optional<Conversion>> ClaimConversion(absl::Time now, absl::Time until) override;
  Status HoldConversion(const Conversion& conversion, absl::Time until) override;
  Status GiveBackConversion(const Conversion& conversion, absl::Time from) override;
  Status DropConvertedChunks(const Conversion& conversion) override;
  Status AddConvertedChunk(const Conversion& conversion, int number, const std::string& digest, int64_t bytes) override;
  Status EndConversion(const Conversion& conversion, const MediaItem& item) override;

 private:
  db::Pool& stream_;
};

}  // namespace parvis::publishing
