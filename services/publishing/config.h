// The settings of publishing.
#pragma once

#include <string>
#include <vector>

#include "platform/app/config.h"
#include "platform/app/process.h"
#include "platform/blob/blob_config.h"
#include "platform/bus/producer.h"
#include "platform/db/pool.h"
#include "platform/net/http_client.h"
#include "platform/rpc/authenticator.h"
#include "platform/rpc/client.h"
#include "platform/rpc/server.h"
#include "publishing/domain/deliverer.h"
#include "publishing/domain/media_address.h"
#include "publishing/domain/media_converter.h"
#include "publishing/domain/media_sweeper.h"
#include "publishing/domain/posts.h"
#include "publishing/media/media_tools_config.h"

namespace parvis::publishing {

struct PublishingConfig {
  // Each call has its own deadline (call_max, video_call_max), and a whole video may go in one request of it.
  PublishingConfig() { http_client.request_max = absl::Minutes(30); }

  app::ProcessConfig process;
  rpc::ServerConfig rpc;
  rpc::ClientConfig accounts;
  rpc::AuthenticatorConfig authentication;
  db::PoolConfig db_api, db_stream = db::PoolConfig::ForStreams();
  bus::BusConfig bus;
  net::HttpClientConfig http_client;
  std::string replica;
  std::vector<std::string> dedupe_networks = {"x"};
  DelivererOptions deliverer;
  PostLimits posts;
  blob::BlobConfig blobs;
  MediaToolsConfig media_tools;
  MediaLimits media;
  SweeperOptions media_sweeper;
  ConverterOptions media_converter;
  MediaAddressSettings media_addresses;

  void Declare(app::Options& o) {
    process.Declare(o);
    rpc.Declare(o);
    accounts.Declare(o, "accounts_");
    authentication.Declare(o);
    db_api.Declare(o, "db_api_");
    db_stream.Declare(o, "db_stream_");
    bus.Declare(o);
    http_client.Declare(o);
    o.String("replica", &replica, "Name of this replica in histories; empty: a random one.");
    o.List("dedupe_networks", &dedupe_networks,
           "Networks that refuse the same content again: one second try after an unknown outcome is safe there.");
    o.Int("command_partitions", &deliverer.partitions,
          "Partitions of topic parvis.publishing.command.v1; must be the topic's own number.", {.min = 1, .max = kShards});
    o.Int("claim_batch", &deliverer.claim_batch, "Deliveries claimed in one transaction.", {.min = 1, .max = 1000});
    o.Int("held_max", &deliverer.held_max, "Claimed deliveries held in memory.", {.min = 1, .max = 100'000});
    o.Int("held_per_channel_max", &deliverer.held_per_channel_max,
          "Of them for one channel and one of its network's rate budgets.",
          {.min = 1, .max = 10'000});
    o.Int("calls_max", &deliverer.calls_max, "Calls to networks at once; as many threads.", {.min = 1, .max = 512});
    o.Int("calls_per_channel_max", &deliverer.calls_per_channel_max, "Of them for one channel.", {.min = 1, .max = 64});
    o.Int("video_calls_max", &deliverer.video_calls_max,
          "Of calls_max with a video or a document, one for a channel; always less than all.", {.min = 1, .max = 511});
    o.Duration("prefetch", &deliverer.prefetch, "How long before its time a delivery is claimed.", absl::ZeroDuration(),
               absl::Minutes(1));
    o.Duration("call_max", &deliverer.call_max, "Deadline of one call to a network.", absl::Milliseconds(100),
               absl::Minutes(5));
    o.Duration("video_call_max", &deliverer.video_call_max,
               "Deadline of a call with a video or a document; call_max where that is longer.", absl::Seconds(1),
               absl::Minutes(30));
    o.Duration("claim_lease", &deliverer.lease, "A claim that is older is taken back.", absl::Seconds(5), absl::Minutes(10));
    o.Duration("sweep_every", &deliverer.sweep_every, "How often unknown and expired deliveries are looked for.",
               absl::Milliseconds(50), absl::Minutes(1));
    o.Duration("resume_check_every", &deliverer.resume_check_every,
               "How often a paused channel is asked for new credentials.", absl::Milliseconds(100), absl::Minutes(10));
    o.Duration("retry_initial", &deliverer.rules.retry_initial, "First wait after a call that did not get through.",
               absl::Milliseconds(10), absl::Minutes(1));
    o.Duration("retry_max", &deliverer.rules.retry_max, "Longest such wait.", absl::Seconds(1), absl::Hours(1));
    o.Duration("probe_max", &deliverer.probe_max, "Longest wait between two probes of a network that is down.",
               absl::Seconds(1), absl::Minutes(5));
    o.Duration("read_spacing", &deliverer.rules.read_spacing, "Between two readings back of an unknown delivery.",
               absl::Milliseconds(100), absl::Hours(1));
    o.Duration("read_give_up", &deliverer.rules.read_give_up,
               "A delivery that cannot be read back for so long waits for a person.", absl::Seconds(10), absl::Hours(48));
    o.Duration("key_window", &deliverer.rules.key_window, "How long networks remember an idempotency key.",
               absl::Seconds(1), absl::Hours(24));
    o.Duration("late_max", &posts.late_max, "A post is not sent later than this after its time.", absl::Seconds(1),
               absl::Hours(24 * 7));
    blobs.Declare(o);
    media_tools.Declare(o);
    DeclareMedia(o);
  }

  void DeclareMedia(app::Options& o) {
    o.Int("media_chunk_bytes", &media.chunk_bytes,
          "Size of the chunks of new uploads; as base64 in JSON, one must fit into the gateway's message_max_bytes.",
          {.min = 64 << 10, .max = 3 << 20});
    o.Int("media_picture_bytes_max", &media.picture_bytes_max, "Largest picture or document.", {.min = 1 << 10, .max = 1 << 30});
    o.Int("media_video_bytes_max", &media.video_bytes_max, "Largest video.", {.min = 1 << 10, .max = int64_t{64} << 30});
    o.Int("media_uploads_max", &media.quota.uploads_max, "Uploads under way in one workspace.", {.min = 1, .max = 10'000});
    o.Int("media_workspace_bytes_max", &media.quota.bytes_max, "Bytes of media that one workspace may keep.",
          {.min = 1 << 20, .max = int64_t{1} << 50});
    o.Duration("media_upload_keep", &media.upload_keep, "How long an unfinished upload waits for its next chunk.",
               absl::Minutes(1), absl::Hours(24 * 30));
    o.Duration("media_unused_keep", &media.unused_keep,
               "How long media are kept after their upload, or after a post last needed them.", absl::Minutes(1),
               absl::Hours(24 * 3650));
    o.Duration("media_sweep_every", &media_sweeper.every, "How often media whose time has ended are looked for.",
               absl::Milliseconds(50), absl::Hours(1));
    o.Int("media_conversions_max", &media.quota.conversions_max, "Conversions of videos waiting or under way in one workspace.",
          {.min = 1, .max = 10'000});
    o.Duration("media_convert_every", &media_converter.every, "How often videos that wait to be converted are looked for.",
               absl::Milliseconds(50), absl::Minutes(10));
    o.Duration("media_convert_lease", &media_converter.lease,
               "How long after the death of a replica another one takes up the videos that it was converting.", absl::Seconds(5),
               absl::Minutes(30));
    o.Duration("media_convert_retry", &media_converter.retry_wait,
               "How long a video waits whose conversion failed for what may pass by itself.", absl::Milliseconds(100), absl::Hours(1));
    o.Duration("media_convert_give_up", &media_converter.give_up, "A video that is not converted so long after it was asked for is refused.",
               absl::Minutes(1), absl::Hours(24));
    o.Int("media_convert_tries_max", &media_converter.tries_max, "A video is refused whose conversion so many replicas died of.",
          {.min = 1, .max = 100});
    o.Int("media_sweep_batch", &media_sweeper.batch, "Media deleted in one step.", {.min = 1, .max = 1000});
    o.String("media_public_url", &media_addresses.public_url,
             "Where the internet reaches the gateway: \"https://media.brand.example\". Networks that fetch media themselves get "
             "addresses of kept media below it; without it they take only media with an address of their own.");
    o.String("media_address_key_file", &media_addresses.key_file,
             "File with the key that these addresses are signed with; needed with media_public_url.");
    o.String("media_address_previous_key_file", &media_addresses.previous_key_file,
             "File with the key before the last rotation; what it signed is good until it expires.");
    o.Duration("media_address_valid", &media_addresses.valid,
               "How long such an address is good: as long as a network may take to fetch the medium.", absl::Minutes(1),
               absl::Hours(24));
  }
};

}  // namespace parvis::publishing
