// Keeping media, put together: what main.cc starts and stops as one part.
#pragma once

#include <memory>

#include "publishing/config.h"
#include "publishing/domain/media.h"

namespace grpc {
class Service;
}

namespace parvis::publishing {

class MediaKeeping {
 public:
  // Everything given outlives it. Errors are those of the blob store's settings.
  static StatusOr<std::unique_ptr<MediaKeeping>> Make(const PublishingConfig& config, db::Pool& api, db::Pool& stream, Ids& ids,
                                                      const Clock& clock, obs::Metrics& metrics);
  ~MediaKeeping();
  MediaStore& store();
  MediaSource& source();   // for deliveries
  // The service that media are uploaded to; at most once, and everything given outlives it.
  std::unique_ptr<grpc::Service> MakeService(rpc::Runtime& runtime, ChannelDirectory& channels, const MediaRules& rules);
  // Of what deletes media whose time has ended, and of what converts videos.
  void Start();
  void Stop();

 private:
  struct Parts;
  explicit MediaKeeping(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace parvis::publishing
