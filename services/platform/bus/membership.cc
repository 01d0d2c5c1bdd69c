#include "platform/bus/membership.h"

#include <absl/strings/ascii.h>

#include <algorithm>

#include "platform/obs/log.h"

namespace parvis::bus {
namespace {

constexpr absl::Duration kCloseMax = absl::Seconds(5);
constexpr size_t kNameTries = 3;  // to have our name back, within
constexpr absl::Duration kNameWindow = absl::Minutes(1);
constexpr size_t kInstanceMax = 100;  // Kafka's limit is 249 for it with the group

// As Kafka's own clients demand it: what may be in a topic's name.
bool IsInstance(const std::string& name) {
  return name.size() <= kInstanceMax && std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
         });
}

Status Subscribe(rd_kafka_t* rk, const std::vector<std::string>& topics) {
  const ListPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(topics.size())));
  for (const std::string& topic : topics)
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  const auto err = rd_kafka_subscribe(rk, list.get());
  return err ? BusUnavailable("BUS_SUBSCRIBE", err) : absl::OkStatus();
}

}  // namespace

bool NameLosses::Note(Instant now) {
  std::erase_if(times_, [&](Instant at) { return now - at > kNameWindow; });
  times_.push_back(now);
  return times_.size() > kNameTries;
}

StatusOr<rd_kafka_t*> JoinGroup(const BusConfig& config, const Consumer::Options& options,
                                const MemberCallbacks& callbacks) {
  if (!IsInstance(config.instance)) {
    return InvalidField("bus_instance", "BUS_INSTANCE",
                        "has at most 100 letters, digits, dots, hyphens and underscores");
  }
  const auto millis = [](absl::Duration d) { return std::to_string(absl::ToInt64Milliseconds(d)); };
  Settings settings = {{"bootstrap.servers", config.brokers},
                       {"client.id", "parvis"},
                       {"group.id", options.group},
                       {"enable.auto.commit", "false"},
                       {"enable.auto.offset.store", "false"},
                       {"auto.offset.reset", "error"},  // see offset_guard.h
                       {"partition.assignment.strategy", "cooperative-sticky"},
                       {"session.timeout.ms", millis(config.session_max)},
                       {"heartbeat.interval.ms", millis(std::min(config.session_max / 4, absl::Seconds(3)))},
                       {"max.poll.interval.ms", millis(std::max(config.poll_max, config.session_max))},
                       {"queued.min.messages", "10000"},
                       {"queued.max.messages.kbytes", "16384"},
                       {"fetch.error.backoff.ms", "100"},
                       // A path that swallows everything is noticed by fetches that are not answered.
                       {"socket.timeout.ms", "10000"},
                       {"socket.connection.setup.timeout.ms", "10000"},
                       {"reconnect.backoff.ms", "50"},
                       {"reconnect.backoff.max.ms", "1000"},
                       {"topic.metadata.refresh.interval.ms", "30000"},
                       {"allow.auto.create.topics", "false"}};
  // A name of its own in every group: one process may be in several.
  if (!config.instance.empty()) settings.emplace_back("group.instance.id", config.instance + "." + options.group);
  rd_kafka_conf_t* conf = MakeConf(settings, callbacks.opaque);
  rd_kafka_conf_set_rebalance_cb(conf, callbacks.rebalance);
  rd_kafka_conf_set_error_cb(conf, callbacks.error);
  PARVIS_ASSIGN_OR_RETURN(rd_kafka_t * rk, MakeHandle(RD_KAFKA_CONSUMER, conf));
  rd_kafka_poll_set_consumer(rk);
  if (const Status subscribed = Subscribe(rk, options.topics); !subscribed.ok()) {
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return subscribed;
  }
  return rk;
}

void LeaveGroup(rd_kafka_t* rk, const std::string& group, const Clock& clock) {
  if (rd_kafka_fatal_error(rk, nullptr, 0) !=
      RD_KAFKA_RESP_ERR_NO_ERROR) {  // refuses to be closed; it is no member any more
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return;
  }
  rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(rk);
  rd_kafka_error_t* error = rd_kafka_consumer_close_queue(rk, queue);
  const Instant until = clock.Now() + kCloseMax;
  while (!error && !rd_kafka_consumer_closed(rk) && clock.Now() < until) {
    const MessagePtr dropped(rd_kafka_consumer_poll(rk, 20));  // serves the rebalance
  }
  rd_kafka_queue_destroy(queue);
  if (!error && rd_kafka_consumer_closed(rk)) {
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  } else {
    obs::Warn("a consumer could not leave its group in time and is abandoned", {{"group", group}});
    EndWithoutTeardown();
  }
  if (error) rd_kafka_error_destroy(error);
}

}  // namespace parvis::bus
