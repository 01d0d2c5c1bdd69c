// The settings of ingestion.
#pragma once

#include <map>
#include <string>

#include "ingestion/domain/binding_cache.h"
#include "ingestion/domain/measure_runner.h"
#include "ingestion/domain/hub_keeper.h"
#include "ingestion/domain/poll.h"
#include "ingestion/domain/runner.h"
#include "ingestion/domain/stream_keeper.h"
#include "platform/app/config.h"
#include "platform/bus/producer.h"
#include "platform/db/pool.h"
#include "platform/net/http_client.h"
#include "platform/net/http_server.h"
#include "platform/net/stream_client.h"
#include "platform/rpc/authenticator.h"
#include "platform/rpc/client.h"
#include "platform/rpc/server.h"

namespace parvis::ingestion {

struct IngestionConfig {
  IngestionConfig() {
    http.body_max_bytes = 768 << 10;      // a part that cannot be parsed must fit into a record of the bus
    bus.linger = absl::Milliseconds(1);   // a network waits for the acknowledgement
    bus.delivery_max = absl::Seconds(8);  // X wants its answer within 10 s (facts 3.4)
    db_stream.size = 4;
    db_api.size = 4;
  }
  app::ProcessConfig process;
  rpc::ServerConfig rpc;
  rpc::ClientConfig accounts;
  rpc::AuthenticatorConfig authentication;
  db::PoolConfig db_api, db_stream = db::PoolConfig::ForStreams();
  bus::BusConfig bus;
  net::HttpServerConfig http;
  net::HttpClientConfig http_client;
  net::StreamClientConfig stream_client;
  std::string jetstream_url, x_bearer_token_file, x_stream_url = "https://api.x.com";
  std::map<std::string, std::string> webhook_secret_files, webhook_previous_secret_files, verify_token_files;
  std::map<std::string, std::string> replay_max;  // network -> seconds
  absl::Duration replay_max_default = absl::Hours(48);
  int64_t inflight_max_bytes = 64 << 20;
  absl::Duration retry_after = absl::Seconds(5);
  absl::Duration refusal_hold = absl::Milliseconds(100);
  BindingCache::Options bindings;
  int binding_threads = 4;
  absl::Duration find_channels_max = absl::Seconds(3);
  PollOptions poll;
  Runner::Options runner;
  absl::Duration poll_late_max = absl::Minutes(5);
  MeasureOptions measure;
  MeasureRunner::Options measure_runner;
  StreamKeeper::Options streams;
  int shared_stream_channels_max = 10'000;
  std::string public_url, hub_key_file, hub_previous_key_file;
  HubKeeper::Options hubs;

  void Declare(app::Options& o) {
    process.Declare(o);
    rpc.Declare(o);
    accounts.Declare(o, "accounts_");
    authentication.Declare(o);
    db_api.Declare(o, "db_api_");
    db_stream.Declare(o, "db_stream_");
    bus.Declare(o);
    http.Declare(o);
    http_client.Declare(o);
    stream_client.Declare(o);
    o.String("jetstream_url", &jetstream_url,
             "Bluesky's Jetstream, such as wss://jetstream2.us-east.bsky.network: all posts of the network, once for all "
             "channels (about 4 GB a day); empty: notifications are polled instead.");
    o.String("x_bearer_token_file", &x_bearer_token_file,
             "File with the bearer token of the app at X, for its filtered stream: one connection for all channels, a rule "
             "each; empty: none.");
    o.String("x_stream_url", &x_stream_url, "Where X has the filtered stream; the token above is shown there alone.");
    DeclareWebhooks(o);
    DeclarePolling(o);
    DeclareMeasuring(o);
    DeclareStreams(o);
    DeclareHubs(o);
  }

 private:
  void DeclareWebhooks(app::Options& o) {
    o.Map("webhook_secret_files", &webhook_secret_files,
          "File with the app secret that signs a network's webhooks, by network; a network without one takes none.");
    o.Map("webhook_previous_secret_files", &webhook_previous_secret_files,
          "File with the app secret before the last rotation, by network; taken too.");
    o.Map("verify_token_files", &verify_token_files,
          "File with the verify token of a network's handshake, by network.");
    o.Map("replay_max_seconds", &replay_max,
          "How old something may be that a webhook tells of, by network, in seconds: as long as the network may still "
          "send it. Not said here: facebook 133200 (37 h), x 435600 (121 h).");
    o.Duration("replay_max_default", &replay_max_default, "The same for all other networks.", absl::Minutes(1));
    o.Int("webhook_inflight_max_bytes", &inflight_max_bytes,
          "Bytes of webhook calls that may wait for their acknowledgement; beyond: 503. A workspace that has more of "
          "them than are left is answered 429.",
          {.min = 1 << 20});
    o.Duration("webhook_retry_after", &retry_after, "What a 429 or 503 asks the network to wait.", absl::Seconds(1));
    o.Duration("webhook_refusal_hold", &refusal_hold,
               "How much later such an answer is sent: a sender that comes again at once then costs little.",
               absl::ZeroDuration(), absl::Seconds(10));
    o.Int("bindings_max", &bindings.entries_max, "Accounts whose channels are remembered.", {.min = 1});
    o.Int("bindings_waiting_max", &bindings.waiting_max, "Webhook calls that may wait for accounts.", {.min = 1});
    o.Duration("bindings_found_for", &bindings.found_for, "For how long the channels of an account are remembered.");
    o.Duration("bindings_unknown_for", &bindings.unknown_for,
               "For how long it is remembered that an account has none.");
    o.Duration("bindings_stale_for", &bindings.stale_for, "For how long old answers are used while accounts is away.");
    o.Int("binding_threads", &binding_threads, "Threads that ask accounts.", {.min = 1, .max = 64});
    o.Duration("find_channels_max", &find_channels_max, "Longest question to accounts on behalf of a webhook.");
  }
  void DeclarePolling(app::Options& o) {
    const absl::Duration least = absl::Milliseconds(100);
    o.Duration("poll_interval_min", &poll.interval_min,
               "Shortest time between polls of a channel whose comments no webhook brings.", least);
    o.Duration("poll_interval_max", &poll.interval_max,
               "Longest time between polls of a channel whose comments no webhook brings.", least, kPlannedMax / 2);
    o.Duration("poll_second_way_min", &poll.second_way_min, "The shortest where webhooks are the first way.", least);
    o.Duration("poll_second_way_max", &poll.second_way_max, "The longest where webhooks are the first way.", least,
               kPlannedMax / 2);
    o.Duration("poll_failure_max", &poll.failure_max, "Longest wait after polls that failed.", absl::Seconds(1),
               kPlannedMax / 2);
    o.Duration("poll_lease", &poll.lease, "How long a poll belongs to a replica without progress.", absl::Seconds(5));
    o.Duration("poll_call_max", &poll.call_max, "Longest wait for one page.", absl::Seconds(1));
    o.Int("poll_page_size", &poll.page_size, "Items asked for at once.", {.min = 1, .max = 1000});
    o.Int("poll_pages_max", &poll.pages_max, "Pages read before it is another channel's turn.",
          {.min = 1, .max = 1000});
    o.Duration("poll_wait_max", &poll.wait_max, "Longest wait before the next poll that a network may ask for.",
               absl::Minutes(1), kPlannedMax / 2);
    o.Duration("poll_late_max", &poll_late_max,
               "How late the most overdue channel may be; beyond, the degraded mode polls_late says so.",
               absl::Seconds(1));
    o.Int("polls_at_once", &runner.polls.at_once,
          "Polls at the same time; enough are: channels / interval * the time that a poll takes.",
          {.min = 1, .max = 256});
    o.Int("polls_per_host_max", &runner.polls.per_host,
          "Polls of one host at the same time. A channel that was never read counts for its network instead.",
          {.min = 1, .max = 256});
    o.Int(
        "poll_window", &runner.polls.window,
        "Channels that are due and kept in memory, an equal part of every workspace; the others wait in the database.",
        {.min = 1, .max = 100'000});
    o.Duration("poll_tick", &runner.tick, "How often due polls are looked for.", absl::Milliseconds(10));
    o.Duration("channels_sync_every", &runner.sync_every, "How often accounts is asked for all channels.", least);
    o.Duration("webhook_note_every", &runner.note_every, "How often webhook times are written to the sources.", least);
    o.Duration("first_lookback", &runner.first_lookback, "How far back the first poll of a new channel reads.");
  }
  void DeclareMeasuring(app::Options& o) {
    o.Duration("measure_interval_min", &measure.interval_min,
               "Shortest time between two readings of a post's counters; in between it is a tenth of the post's age.",
               absl::Seconds(1), kPlannedMax / 4);
    o.Duration("measure_interval_max", &measure.interval_max, "The longest.", absl::Seconds(1), kPlannedMax / 4);
    o.Duration("measure_for", &measure.follow_for, "For how long a post's counters are read.", absl::Minutes(1));
    o.Duration("measure_channel_every", &measure.channel_every, "How often a channel's own counters are read.",
               absl::Seconds(1), kPlannedMax / 4);
    o.Int("measure_batch", &measure.batch, "Posts of one channel in one call.", {.min = 1, .max = kMeasureBatchMax});
    o.Duration("measure_call_max", &measure.call_max, "Longest wait for the counters of one batch.", absl::Seconds(1));
    o.Duration("measure_lease", &measure.lease,
               "How long a channel belongs to a replica while it is measured: more than two calls take.",
               absl::Seconds(5));
    o.Duration("measure_failure_max", &measure.failure_max, "Longest wait after counters could not be read.",
               absl::Seconds(1), kPlannedMax / 4);
    o.Duration("measure_wait_max", &measure.wait_max, "Longest wait that a network may ask for.", absl::Minutes(1),
               kPlannedMax / 4);
    o.Int("measures_at_once", &measure_runner.at_once, "Channels measured at the same time.", {.min = 1, .max = 64});
    o.Duration("measure_tick", &measure_runner.tick, "How often channels with counters due are looked for.",
               absl::Milliseconds(10));
    o.Duration("measure_sync_every", &measure_runner.sync_every, "How often channels to be measured are looked for.",
               absl::Milliseconds(100));
  }
  void DeclareStreams(app::Options& o) {
    StreamOptions& one = streams.stream;
    o.Int("streams_max", &streams.places,
          "Streams of single channels that this replica reads at the same time, a thread each; channels beyond the "
          "places of all replicas are polled. 0: none.",
          {.min = 0, .max = 1024});
    o.Int("shared_stream_channels_max", &shared_stream_channels_max,
          "Channels that are heard by one stream of their network (Bluesky, X), beside streams_max; where the network "
          "has room for fewer (X: 1000 rules, or what the plan has) so many. Others are polled. 0: none.",
          {.min = 0, .max = 100'000});
    o.Int("stream_changes_max", &streams.change_max, "Streams begun, or handed to other replicas, in one round.",
          {.min = 1, .max = 1024});
    o.Duration("stream_round", &streams.round, "How often streams are looked for and leases renewed.",
               absl::Milliseconds(100), absl::Minutes(1));
    o.Duration("stream_lease", &streams.lease,
               "How long a stream belongs to a replica that is not heard of; several rounds.", absl::Seconds(2));
    o.Duration("stream_save_every", &one.save_every, "How often the place in a stream is saved while something comes.",
               absl::Milliseconds(100), absl::Minutes(10));
    o.Duration("stream_open_max", &one.open_max, "Longest wait for a stream to open.", absl::Seconds(1),
               absl::Minutes(1));
    o.Duration("stream_steady", &one.steady, "A stream that has lived for so long has not failed in a row.",
               absl::Seconds(1));
    o.Duration("stream_failure_max", &one.failure_max, "Longest wait after streams that failed.", absl::Seconds(1),
               kPlannedMax / 2);
    o.Duration("stream_refused_wait", &one.refused_wait,
               "Wait where the network has no stream for a channel, or not for us.", absl::Seconds(1), kPlannedMax / 2);
  }
  void DeclareHubs(app::Options& o) {
    o.String(
        "public_url", &public_url,
        "Where the internet reaches our webhooks: \"https://hooks.brand.example\". Without it nothing is subscribed to "
        "at WebSub hubs.");
    o.String("hub_key_file", &hub_key_file,
             "File with the key from which the secrets of WebSub subscriptions are derived; needed with public_url.");
    o.String("hub_previous_key_file", &hub_previous_key_file,
             "File with the key before the last rotation; taken too, for as long as subscriptions last.");
    o.Duration("hub_ask_for", &hubs.ask_for, "For how long a subscription is asked for; the hub decides.",
               absl::Minutes(5), absl::Hours(24 * 90));
    o.Duration("hub_round", &hubs.round, "How often subscriptions are looked for that must be asked for or renewed.",
               absl::Milliseconds(100), absl::Minutes(10));
    o.Int("hub_threads", &hubs.threads, "Hubs asked at the same time.", {.min = 1, .max = 64});
    o.Duration("hub_failure_max", &hubs.failure_max, "Longest wait after a hub that could not be asked.",
               absl::Seconds(1), kPlannedMax / 2);
  }
};

}  // namespace parvis::ingestion
