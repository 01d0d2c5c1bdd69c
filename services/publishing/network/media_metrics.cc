#include "publishing/network/media_metrics.h"

namespace parvis::publishing {

MediaObserver MakeMediaObserver(obs::Metrics& metrics) {
  MediaObserver observer;
  observer.received = [&metrics](int64_t bytes) {
    metrics.counter("parvis_publishing_media_chunks_total", "Chunks of media that were stored.").Add();
    metrics.counter("parvis_publishing_media_bytes_total", "Bytes of media that were stored.").Add(static_cast<double>(bytes));
  };
  observer.inspected = [&metrics](const std::string& outcome) {
    metrics
        .counter("parvis_publishing_media_inspections_total", "Media that were looked at, by outcome: ready, or why they were refused.",
                 {{"outcome", outcome}})
        .Add();
  };
  observer.converted = [&metrics](const std::string& outcome) {
    metrics
        .counter("parvis_publishing_media_conversions_total", "Conversions of media, by outcome: ready, or why there was none.",
                 {{"outcome", outcome}})
        .Add();
  };
  observer.swept = [&metrics](int media, int objects) {
    metrics.counter("parvis_publishing_media_deleted_total", "Media whose content was deleted.").Add(media);
    metrics.counter("parvis_publishing_media_objects_deleted_total", "Objects of the blob store that were deleted.").Add(objects);
  };
  observer.fetched = [&metrics](const std::string& outcome, int64_t bytes) {
    metrics
        .counter("parvis_publishing_media_fetches_total",
                 "Pieces of media that were asked for by public address, by outcome: ok, or why there was none.", {{"outcome", outcome}})
        .Add();
    metrics.counter("parvis_publishing_media_fetched_bytes_total", "Bytes of media that were fetched by public address.")
        .Add(static_cast<double>(bytes));
  };
  return observer;
}

}  // namespace parvis::publishing
