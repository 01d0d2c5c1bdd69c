#include "publishing/media_keeping.h"

#include <grpcpp/impl/service_type.h>

#include "platform/blob/watched_store.h"
#include "platform/net/http_client.h"
#include "publishing/domain/media_converter.h"
#include "publishing/domain/media_sweeper.h"
#include "publishing/media/process_inspector.h"
#include "publishing/network/media_metrics.h"
#include "publishing/storage/media_conversions_pg.h"
#include "publishing/storage/media_store_pg.h"
#include "publishing/transport/content_service.h"
#include "publishing/transport/media_service.h"

namespace parvis::publishing {

struct MediaKeeping::Parts {
  Parts(const PublishingConfig& given, db::Pool& api, db::Pool& stream, Ids& the_ids, const Clock& the_clock, obs::Metrics& metrics)
      : config(given),
        ids(the_ids),
        clock(the_clock),
        http(config.blobs.HttpConfig(), clock, metrics),
        objects(blob::MakeBlobStore(config.blobs, http, clock)),
        addresses(MediaAddresses::Read(config.media_addresses, clock)),
        store(api),
        trash(stream),
        conversions(stream),
        inspector(config.media_tools, clock, metrics),
        observer(MakeMediaObserver(metrics)) {}
  const PublishingConfig& config;
  Ids& ids;
  const Clock& clock;
  net::HttpClient http;
  StatusOr<std::unique_ptr<blob::BlobStore>> objects;
  StatusOr<MediaAddresses> addresses;
  PgMediaStore store;
  PgMediaTrash trash;
  PgMediaConversions conversions;
  ProcessInspector inspector;
  const MediaObserver observer;
  std::unique_ptr<blob::WatchedStore> watched;   // these when `objects` and `addresses` are well
  std::unique_ptr<KeptMedia> kept;
  std::unique_ptr<MediaSweeper> sweeper;
  std::unique_ptr<MediaConverter> converter;
  std::unique_ptr<MediaContext> context;
  std::unique_ptr<FetchContext> fetching;
};

MediaKeeping::MediaKeeping(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
MediaKeeping::~MediaKeeping() = default;

StatusOr<std::unique_ptr<MediaKeeping>> MediaKeeping::Make(const PublishingConfig& config, db::Pool& api, db::Pool& stream, Ids& ids,
                                                           const Clock& clock, obs::Metrics& metrics) {
  auto parts = std::make_unique<Parts>(config, api, stream, ids, clock, metrics);
  PARVIS_RETURN_IF_ERROR(parts->objects.status());
  PARVIS_RETURN_IF_ERROR(parts->addresses.status());
  parts->watched = std::make_unique<blob::WatchedStore>(**parts->objects, metrics.degraded(), clock);
  blob::BlobStore& objects = *parts->watched;
  parts->kept = std::make_unique<KeptMedia>(parts->store, objects);
  parts->sweeper = std::make_unique<MediaSweeper>(parts->trash, objects, clock, config.media, config.media_sweeper, parts->observer);
  ConverterOptions converting = config.media_converter;
  converting.workers = config.media_tools.videos_max;
  parts->converter = std::make_unique<MediaConverter>(ConverterContext{parts->conversions, *parts->kept, objects, parts->inspector, clock,
                                                                       config.media, converting, parts->observer});
  return std::unique_ptr<MediaKeeping>(new MediaKeeping(std::move(parts)));
}

MediaStore& MediaKeeping::store() { return parts_->store; }
KeptForNetworks MediaKeeping::for_networks() const { return {parts_->kept.get(), &*parts_->addresses}; }

MediaServices MediaKeeping::MakeServices(rpc::Runtime& runtime, ChannelDirectory& channels, const MediaRules& rules) {
  Parts& p = *parts_;
  p.context.reset(new MediaContext{p.store, *p.watched, p.inspector, channels, rules, p.ids, p.clock, p.config.media, p.observer});
  p.fetching.reset(new FetchContext{p.store, *p.watched, *p.addresses, p.observer});
  return {MakeMediaService(runtime, *p.context), MakeContentService(runtime, *p.fetching)};
}

void MediaKeeping::Start() {
  parts_->watched->Start();
  parts_->sweeper->Start();
  parts_->converter->Start();
}

void MediaKeeping::Stop() {
  parts_->converter->Stop();
  parts_->sweeper->Stop();
  parts_->watched->Stop();
}

}  // namespace parvis::publishing
