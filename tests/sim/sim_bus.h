// Kafka as its users meet it: logs by topic and partition; consumer groups whose partitions move between members, some
// of whom do not know it yet (zombies); consumers that keep their offsets in a database and behave as
// platform/bus/consumer.h says: claim the epoch, start at the database's offset, try again what is unavailable, start
// over when fenced.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "inbox/domain/activity.h"
#include "platform/base/stream.h"
#include "publishing/domain/accept_commands.h"
#include "tests/sim/oracle.h"
#include "tests/sim/sim.h"

namespace parvis::sim {

enum class Topic { kCommands = 0, kAssessments = 1, kDeliveries = 2 };
constexpr int kTopics = 3;
constexpr int kPartitions = 4;
const char* TopicName(Topic topic);

// monostate: a record that is of no concern to whom we simulate (the delivery of a post, to the inbox).
using Payload = std::variant<std::monostate, publishing::DeliveryCommand, inbox::Assessed, inbox::DeliveryUpdate>;
using Record = std::shared_ptr<const Payload>;

class SimBus {
 public:
  void Append(Topic topic, int partition, Record record);
  const std::vector<Record>& log(Topic topic, int partition) const { return logs_[Index(topic, partition)]; }
  int64_t End(Topic topic, int partition) const { return static_cast<int64_t>(log(topic, partition).size()); }
  // Called after each append.
  std::function<void(Topic)> appended;

 private:
  static size_t Index(Topic topic, int partition) {
    return static_cast<size_t>(static_cast<int>(topic) * kPartitions + partition);
  }
  std::vector<Record> logs_[kTopics * kPartitions];
};

class SimConsumer;

// The group coordinator. Members are numbered slots; a consumer is there as long as its process lives.
class SimGroup {
 public:
  using Part = std::pair<Topic, int>;
  SimGroup(Sim& sim, std::string name, std::vector<Topic> topics, int slots);
  void Join(int slot, SimConsumer* consumer);
  void Died(int slot);  // its session ends after a while
  void SetReachable(int slot, bool reachable);
  // Gives the partitions out anew; with `shuffle` to others than before.
  void Rebalance(bool shuffle);
  bool Owns(int slot, Part part) const;
  // Counts who had it before: the same owner a second time is a new assignment.
  int64_t GenerationOf(Part part) const { return owners_.at(part).generation; }
  const std::string& name() const { return name_; }
  const std::vector<Part>& parts() const { return parts_; }
  void Wake(Topic topic);  // something was appended

 private:
  void Tell(int slot, Part part);
  Sim& sim_;
  const std::string name_;
  std::vector<Part> parts_;
  struct Slot {
    SimConsumer* consumer = nullptr;
    bool member = false, reachable = true;
  };
  std::vector<Slot> slots_;
  struct Owner {
    int slot = -1;  // -1: nobody
    int64_t generation = 0;
  };
  std::map<Part, Owner> owners_;
  int rotation_ = 0;
};

class SimConsumer {
 public:
  // Applies records [begin, position.next) of one partition.
  using Handler =
      std::function<Status(const StreamPosition& position, int64_t begin, const std::vector<Record>& batch)>;
  using Assigned = std::function<void(const std::vector<StreamPosition>& owned)>;
  SimConsumer(Sim& sim, SimBus& bus, SimGroup& group, Process& process, int slot, OffsetStore& offsets, Handler handler,
              Assigned assigned);
  // Learns what the coordinator thinks of one partition. From an event of the process.
  void Sync(SimGroup::Part part);
  void Wake(absl::Duration wait);
  // Forgets all, leaves the group and joins it again. From an event of the process, but not from the handler.
  void StartOver();
  Process& process() { return process_; }

 private:
  struct Owned {
    StreamPosition position;
    int64_t generation = 0;
    bool claimed = false;
    int64_t retry_at = 0;
    int64_t batch_end =
        -1;  // of a batch that could not be applied: the same one is tried again, as the partition pauses
  };
  void Tick();
  bool Claim(SimGroup::Part part, Owned& owned);
  void Handle(SimGroup::Part part, Owned& owned);
  void Later(Owned& owned);
  void TellAssignment();

  Sim& sim_;
  SimBus& bus_;
  SimGroup& group_;
  Process& process_;
  const int slot_;
  OffsetStore& offsets_;
  const Handler handler_;
  const Assigned assigned_;
  std::map<SimGroup::Part, Owned> owned_;
  bool fenced_ = false;
  int64_t tick_at_ = -1;
};

// ---- the outbox and its relay ---------------------------------------------------------------------------------------

class SimRelay;

// The outbox table of one service's database.
struct SimOutbox {
  struct Row {
    int64_t id = 0;
    Topic topic = Topic::kCommands;
    int partition = 0;
    Record record;
  };
  void Append(Topic topic, int partition, const std::string& key, Record record);
  Oracle::Outbox* watch = nullptr;
  std::deque<Row> rows;
  int64_t next_id = 1;
  const SimRelay* lock = nullptr;  // the advisory lock that keeps two relays from publishing at once
  std::vector<SimRelay*> relays;
};

// What platform/bus/outbox_relay.h and db::OutboxTable::Drain do: read a batch, publish it, delete exactly these rows.
class SimRelay {
 public:
  SimRelay(Sim& sim, SimBus& bus, SimOutbox& outbox, Database& database, Process& process);
  ~SimRelay();
  void Wake(absl::Duration wait);

 private:
  void Tick();
  bool Publish(const std::vector<SimOutbox::Row>& rows);
  void Delete(const std::vector<SimOutbox::Row>& rows);
  void Commit(const std::vector<SimOutbox::Row>& rows);
  Sim& sim_;
  SimBus& bus_;
  SimOutbox& outbox_;
  Database& database_;
  Process& process_;
  bool pending_ = false;
};

}  // namespace parvis::sim
