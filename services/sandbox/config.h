// What can be set about the sandbox.
#pragma once

#include <string>

#include "platform/app/config.h"
#include "platform/net/http_client.h"
#include "platform/net/http_server.h"
#include "sandbox/domain/world.h"
#include "sandbox/network/webhooks.h"

namespace parvis::sandbox {

struct SandboxConfig {
  app::ProcessConfig process;
  net::HttpServerConfig http;
  net::HttpClientConfig client;
  WorldLimits world;
  Webhooks::Config webhooks;
  std::string journal_file;
  bool journal_fsync = false;
  int64_t journal_entries_max = 4'000'000;
  int audiences_max = 16;
  int faults_max = 200;

  void Declare(app::Options& o) {
    http.body_max_bytes = 16 << 20;
    client.request_max = absl::Seconds(10);  // what X waits for an answer
    client.allowed_networks = {"127.0.0.0/8", "::1/128"};
    process.Declare(o);
    http.Declare(o);
    client.Declare(o);
    o.Int("accounts_max", &world.accounts_max, "Accounts that may exist.", {1, 100'000});
    o.Int("items_max", &world.items_max, "Posts and comments that may exist; more are answered with an error.",
          {1, 100'000'000});
    o.String("journal_file", &journal_file, "File that the journal is written to (NDJSON); empty: in memory only.");
    o.Bool("journal_fsync", &journal_fsync, "Whether every journal entry is on the disk before it counts.");
    o.Int("journal_entries_max", &journal_entries_max, "Entries the journal may have.", {1, 100'000'000});
    o.Int("webhook_targets_max", &webhooks.targets_max, "Webhook targets that may be set.", {1, 1000});
    o.Int("webhook_queue_max", &webhooks.queue_max, "Events that may wait for one target.", {1, 10'000'000});
    o.Int("audiences_max", &audiences_max, "Audiences that may run at once.", {1, 100});
    o.Int("faults_max", &faults_max, "Fault rules that may be set.", {1, 10'000});
  }
};

}  // namespace parvis::sandbox
