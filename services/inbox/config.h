// The settings of the inbox.
#pragma once

#include "inbox/domain/upkeep.h"
#include "inbox/domain/watch.h"
#include "inbox/storage/conversation_store.h"
#include "inbox/transport/inbox_service.h"
#include "platform/app/config.h"
#include "platform/app/process.h"
#include "platform/bus/producer.h"
#include "platform/db/pool.h"
#include "platform/rpc/authenticator.h"
#include "platform/rpc/client.h"
#include "platform/rpc/server.h"

namespace parvis::inbox {

struct InboxConfig {
  app::ProcessConfig process;
  rpc::ServerConfig rpc;
  rpc::ClientConfig accounts;
  rpc::AuthenticatorConfig authentication;
  db::PoolConfig db_api = storage::RequestPool(), db_stream = db::PoolConfig::ForStreams();
  parvis::bus::BusConfig bus;
  ServiceOptions service;
  WatchOptions watch;
  UpkeepOptions upkeep;

  void Declare(app::Options& o) {
    process.Declare(o);
    rpc.Declare(o);
    accounts.Declare(o, "accounts_");
    authentication.Declare(o);
    db_api.Declare(o, "db_api_");
    db_stream.Declare(o, "db_stream_");
    bus.Declare(o);
    o.Int("page_default", &service.page_default, "Items on a page when the caller does not say.",
          {.min = 1, .max = 1000});
    o.Int("page_max", &service.page_max, "Items on a page at most.", {.min = 1, .max = 1000});
    o.Duration("claim_lease", &service.claim_lease, "How long a claim lasts unless it is renewed.", absl::Seconds(1),
               absl::Hours(24));
    o.Duration("case_due", &service.case_due, "When a case is due if whoever opens it does not say.", absl::Minutes(1),
               absl::Hours(24 * 365));
    o.Int("reply_text_max", &service.reply.text_max, "Characters of an answer at most, whatever the network allows.",
          {.min = 1, .max = 100'000});
    o.Duration("reply_expire", &service.reply.expire, "An answer that could not be sent by then is not sent.",
               absl::Minutes(1), absl::Hours(24 * 7));
    o.Duration("watch_poll", &watch.poll, "Longest between looks for events of other replicas, while somebody watches.",
               absl::Milliseconds(2), absl::Seconds(10));
    o.Int("watch_ring", &watch.ring, "Events kept in memory of each workspace that is watched.",
          {.min = 1, .max = 100'000});
    o.Duration("watch_slow_max", &watch.slow_max, "A watcher that takes nothing for so long is ended.",
               absl::Seconds(1), absl::Minutes(10));
    o.Duration("watch_sign_of_life", &watch.sign_of_life, "A watcher hears something at least this often.",
               absl::Seconds(1), absl::Minutes(10));
    o.Int("watch_watchers_max", &watch.watchers_max, "Callers that may watch at once.", {.min = 1, .max = 100'000});
    o.Duration("upkeep_interval", &upkeep.interval, "Between looks for claims that have run out and old events.",
               absl::Milliseconds(100), absl::Minutes(10));
    o.Duration("feed_keep", &upkeep.feed_keep, "How long events can be resumed from.", absl::Seconds(1),
               absl::Hours(24 * 30));
    o.Duration("absent_keep", &upkeep.absent_keep, "How long an edit or removal waits for the message it belongs to.",
               absl::Hours(1), absl::Hours(24 * 365));
  }
};

}  // namespace parvis::inbox
