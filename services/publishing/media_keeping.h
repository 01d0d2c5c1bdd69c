// Keeping media, put together: what main.cc starts and stops as one part.
#pragma once

#include <memory>

#include "publishing/config.h"
#include "publishing/domain/media.h"
#include "publishing/network/connector_writer.h"

namespace grpc {
class Service;
}

namespace parvis::publishing {

// What media are uploaded to, and what fetches them by their public addresses.
struct MediaServices {
  std::unique_ptr<grpc::Service> media, content;
};

class MediaKeeping {
 public:
  // Everything given outlives it. Errors are those of the blob store's settings and of MediaAddresses::Read.
  static StatusOr<std::unique_ptr<MediaKeeping>> Make(const PublishingConfig& config, db::Pool& api, db::Pool& stream, Ids& ids,
                                                      const Clock& clock, obs::Metrics& metrics);
  ~MediaKeeping();
  MediaStore& store();
  KeptForNetworks for_networks() const;
  // At most once; everything given outlives them.
  MediaServices MakeServices(rpc::Runtime& runtime, ChannelDirectory& channels, const MediaRules& rules);
  // Of what deletes media whose time has ended, of what converts videos, and of what watches the blob store.
  void Start();
  void Stop();

 private:
  struct Parts;
  explicit MediaKeeping(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace parvis::publishing
