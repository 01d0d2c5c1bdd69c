// Members of a group that have a name: killed, started again, stopped, and doubled. Sessions are so long that whoever
// waits for one fails.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>

#include <absl/strings/str_split.h>

#include "platform/bus/rdkafka.h"
#include "platform/bus/testdata/consumer_fixture.h"

extern char** environ;

namespace parvis::bus {
namespace {

constexpr absl::Duration kSession = absl::Seconds(60), kDeadline = absl::Seconds(20);
constexpr char kChild[] = "PARVIS_TEST_MEMBER";  // "brokers topic group instance" for the process that is to be killed

BusConfig LongSession(const std::string& brokers, const std::string& instance) {
  BusConfig config;
  config.brokers = brokers;
  config.session_max = kSession;
  config.instance = instance;
  return config;
}

// A consumer that only counts what it owns and gets.
class Member {
 public:
  Member(const BusConfig& config, const std::string& topic, const std::string& group)
      : producer_(config, metrics_),
        consumer_(
            config,
            {.group = group,
             .topics = {topic},
             .offsets = Consumer::Offsets::kKafka,
             .on_assignment = [this](const std::string&, const std::vector<StreamPosition>& p) { owned = p.size(); }},
            nullptr, producer_, clock_, metrics_, [this](const StreamPositions&, const std::vector<Received>& batch) {
              handled += batch.size();
              return absl::OkStatus();
            }) {}
  Consumer& consumer() { return consumer_; }
  std::atomic<size_t> owned{0}, handled{0};

 private:
  RealClock clock_;
  obs::Metrics metrics_;
  Producer producer_;
  Consumer consumer_;
};

// Another process (this binary again) that is a member until it is killed.
class Child {
 public:
  explicit Child(const std::string& member) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    setenv(kChild, member.c_str(), 1);
    const char* arguments[] = {"/proc/self/exe", "--gtest_filter=MemberProcess.Runs", nullptr};
    EXPECT_EQ(posix_spawn(&pid_, arguments[0], &actions, nullptr, const_cast<char**>(arguments), environ), 0);
    unsetenv(kChild);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    out_ = fdopen(ends[0], "r");
  }
  ~Child() { Kill(); }
  void AwaitPartitions() {
    char line[256];
    while (fgets(line, sizeof line, out_)) {
      if (std::string_view(line) == "owns 3\n") return;
    }
    ADD_FAILURE() << "the other process has ended";
  }
  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(std::exchange(pid_, 0), nullptr, 0);
    fclose(out_);
  }

 private:
  pid_t pid_ = 0;
  FILE* out_ = nullptr;
};

TEST(MemberProcess, Runs) {
  const char* what = std::getenv(kChild);
  if (!what) return;  // it is the other process of the tests below, and nothing by itself
  const std::vector<std::string> words = absl::StrSplit(what, ' ');
  Member member(LongSession(words.at(0), words.at(3)), words.at(1), words.at(2));
  ASSERT_TRUE(member.consumer().Start().ok());
  ASSERT_TRUE(WaitFor([&] { return member.owned == 3; }, kDeadline));
  std::printf("owns 3\n");
  std::fflush(stdout);
  pause();  // until killed
}

class MembershipTest : public ConsumerTest {
 protected:
  std::unique_ptr<Member> Join(const std::string& instance, absl::Duration retry = absl::Minutes(1)) {
    BusConfig config = LongSession(Kafka::Shared().brokers(), instance);
    config.instance_retry = retry;
    auto member = std::make_unique<Member>(config, topic_, group_);
    EXPECT_TRUE(member->consumer().Start().ok());
    return member;
  }
  std::string ForChild(const std::string& instance) {
    return Kafka::Shared().brokers() + " " + topic_ + " " + group_ + " " + instance;
  }
  // The group's state and members, as the broker has them.
  std::pair<std::string, int> Group() {
    const HandlePtr rk(
        *MakeHandle(RD_KAFKA_PRODUCER, MakeConf({{"bootstrap.servers", Kafka::Shared().brokers()}}, nullptr)));
    const rd_kafka_group_list* list = nullptr;
    if (rd_kafka_list_groups(rk.get(), group_.c_str(), &list, 5000) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    std::pair<std::string, int> group;
    if (list->group_cnt == 1) group = {list->groups[0].state, list->groups[0].member_cnt};
    rd_kafka_group_list_destroy(list);
    return group;
  }
};

// gtest runs suites of this name first: nothing of Kafka is there yet.
TEST(AbandonedDeathTest, TheProcessEndsAsMeantAndTearsNothingDown) {
  const auto end = [] {
    std::atexit([] { std::abort(); });   // what statics' destructors would find
    EndWithoutTeardown();
    EndWithoutTeardown();
    std::exit(3);
  };
  EXPECT_EXIT(end(), ::testing::ExitedWithCode(3), "");
}

TEST_F(MembershipTest, AKilledProcessThatIsStartedAgainHasItsPartitionsBackAtOnce) {
  Child child(ForChild("inbox-0"));
  child.AwaitPartitions();
  child.Kill();
  ASSERT_EQ(Group().second, 1) << "the broker has not noticed";
  const auto member = Join("inbox-0");
  ASSERT_TRUE(WaitFor([&] { return member->owned == 3; }, kDeadline));
  EXPECT_EQ(Group(), (std::pair<std::string, int>("Stable", 1)));
  Produce(0, 100);
  ASSERT_TRUE(WaitFor([&] { return member->handled == 100; }, kDeadline));
  EXPECT_TRUE(member->consumer().Ready().ok());
  member->consumer().Stop(absl::Seconds(10));
}

TEST_F(MembershipTest, WithoutANameTheOldSessionIsWaitedFor) {
  Child child(ForChild(""));
  child.AwaitPartitions();
  child.Kill();
  const auto member = Join("");
  ASSERT_TRUE(WaitFor([&] { return Group().first == "PreparingRebalance"; }, kDeadline));
  EXPECT_EQ(member->owned, 0u);
  member->consumer().Stop(absl::Seconds(10));
}

TEST_F(MembershipTest, AStopAndAStartTakeNoRebalance) {
  auto first = Join("inbox-0");
  auto other = Join("inbox-1");
  ASSERT_TRUE(
      WaitFor([&] { return first->owned + other->owned == 3 && first->owned > 0 && other->owned > 0; }, kDeadline));
  const size_t owned = first->owned, others = other->owned;
  first->consumer().Stop(absl::Seconds(10));
  EXPECT_EQ(Group(), (std::pair<std::string, int>("Stable", 2))) << "its place is kept";
  EXPECT_EQ(other->owned, others);
  first = Join("inbox-0");
  ASSERT_TRUE(WaitFor([&] { return first->owned == owned; }, kDeadline));
  EXPECT_EQ(other->owned, others);
  first->consumer().Stop(absl::Seconds(10));
  other->consumer().Stop(absl::Seconds(10));
}

TEST_F(MembershipTest, WhoFindsItsNameTakenLeavesLoudlyAndStaysOut) {
  const auto first = Join("inbox-0");
  ASSERT_TRUE(WaitFor([&] { return first->owned == 3; }, kDeadline));
  const auto second = Join("inbox-0");
  ASSERT_TRUE(WaitFor([&] { return second->owned == 3; }, kDeadline));
  // Each takes the name back a few times, and learns with its next heartbeat that it has lost it.
  ASSERT_TRUE(WaitFor([&] { return ReasonOf(first->consumer().Ready()) == "INSTANCE_FENCED"; }, 3 * kDeadline));
  EXPECT_EQ(first->owned, 0u);
  ASSERT_TRUE(WaitFor([&] { return second->owned == 3; }, kDeadline));
  const size_t before = first->handled;
  Produce(0, 100);
  ASSERT_TRUE(WaitFor([&] { return second->handled == 100; }, kDeadline));
  EXPECT_EQ(first->handled, before);
  EXPECT_TRUE(second->consumer().Ready().ok());
  EXPECT_EQ(Group(), (std::pair<std::string, int>("Stable", 1)));
  const absl::Time began = absl::Now();
  first->consumer().Stop(absl::Seconds(10));
  EXPECT_LT(absl::Now() - began, absl::Seconds(5));
  second->consumer().Stop(absl::Seconds(10));
}

TEST_F(MembershipTest, WhoWasOutComesBackOnceTheOtherHasGone) {
  const auto first = Join("inbox-0", absl::Seconds(5)), second = Join("inbox-0", absl::Seconds(5));
  const auto out = [](Member& member) { return ReasonOf(member.consumer().Ready()) == "INSTANCE_FENCED"; };
  ASSERT_TRUE(WaitFor([&] { return out(*first) || out(*second); }, 3 * kDeadline));
  Member& fenced = out(*first) ? *first : *second;
  Member& other = out(*first) ? *second : *first;
  other.consumer().Stop(absl::Seconds(10));
  Produce(0, 100);
  EXPECT_TRUE(WaitFor([&] { return fenced.handled >= 100 && fenced.consumer().Ready().ok(); }, 3 * kDeadline));
  fenced.consumer().Stop(absl::Seconds(10));
}

TEST_F(MembershipTest, ANameThatKafkaWouldNotTakeIsRefused) {
  Member member(LongSession(Kafka::Shared().brokers(), "inbox 0"), topic_, group_);
  EXPECT_EQ(ReasonOf(member.consumer().Start()), "BUS_INSTANCE");
}

}  // namespace
}  // namespace parvis::bus
