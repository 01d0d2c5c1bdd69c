// The settings of moderation.
#pragma once

#include "moderation/domain/policies.h"
#include "platform/app/config.h"
#include "platform/app/process.h"
#include "platform/bus/producer.h"
#include "platform/db/pool.h"
#include "platform/rpc/authenticator.h"
#include "platform/rpc/client.h"
#include "platform/rpc/server.h"

namespace parvis::moderation {

struct ModerationConfig {
  app::ProcessConfig process;
  rpc::ServerConfig rpc;
  rpc::ClientConfig accounts;
  rpc::AuthenticatorConfig authentication;
  bus::BusConfig bus;
  db::PoolConfig db_api, db_stream = db::PoolConfig::ForStreams();
  absl::Duration policy_fresh = absl::Seconds(1);
  int policies_max = 1000;
  absl::Duration claim_time = absl::Minutes(10);
  int64_t policy_max_bytes = 256 << 10;
  int policy_rules_max = 500;
  int policy_literals_max = 20'000;
  int policy_regexes_max = 200;
  int policy_list_items_max = 1'000;
  PolicyQuota quota;

  void Declare(app::Options& o) {
    process.Declare(o);
    rpc.Declare(o);
    accounts.Declare(o, "accounts_");
    authentication.Declare(o);
    bus.Declare(o);
    db_api.Declare(o, "db_api_");
    db_stream.Declare(o, "db_stream_");
    o.Duration("policy_fresh", &policy_fresh, "For how long the stream uses a workspace's policy before it asks again.",
               absl::Milliseconds(10), absl::Seconds(30));
    o.Int("policies_max", &policies_max, "Compiled policies kept in memory.", {.min = 10, .max = 100'000});
    o.Duration("claim_time", &claim_time, "How long a claimed review belongs to who claimed it.", absl::Seconds(1),
               absl::Hours(24));
    o.Int("policy_max_bytes", &policy_max_bytes, "Largest source of a policy, in bytes.",
          {.min = 1024, .max = 4 << 20});
    o.Int("policy_rules_max", &policy_rules_max, "Rules of a policy.", {.min = 1, .max = 10'000});
    o.Int("policy_literals_max", &policy_literals_max, "Words and phrases of a policy.", {.min = 1, .max = 200'000});
    o.Int("policy_regexes_max", &policy_regexes_max, "Regular expressions of a policy.", {.min = 0, .max = 2'000});
    o.Int("policy_list_items_max", &policy_list_items_max,
          "Items of one list of a rule: handles, ids, channels, networks, domains, languages.",
          {.min = 1, .max = 10'000});
    o.Int("policies_per_workspace_max", &quota.policies, "Policies of a workspace.", {.min = 1, .max = 10'000});
    o.Int("policy_versions_max", &quota.versions, "Versions of a policy.", {.min = 1, .max = 100'000});
  }

  PolicyLimits Limits() const {
    PolicyLimits limits;
    limits.source_bytes = static_cast<size_t>(policy_max_bytes);
    limits.rules = static_cast<size_t>(policy_rules_max);
    limits.literals = static_cast<size_t>(policy_literals_max);
    limits.regexes = static_cast<size_t>(policy_regexes_max);
    limits.list_items = static_cast<size_t>(policy_list_items_max);
    return limits;
  }
};

}  // namespace parvis::moderation
