// parvis-poll-bench: polls a second of 10,000 channels of 50 workspaces (the largest has fifty times as many as the
// smallest) by one replica, on a private PostgreSQL; the network and the bus answer at once. Everything is due all the
// time.
//   ours      the runner: lists what is due, lets the schedule choose, claims, polls, releases
//   against   the bare loop: as many threads claim one channel after the other, poll and release; nobody chooses
// notes: what the schedule is for, none of it a speed: fairness, memory, how late polls are when there is time for all,
// and how soon all have been polled that were due at once.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <random>
#include <thread>

#include <absl/strings/str_format.h>

#include "ingestion/domain/runner.h"
#include "ingestion/storage/pg_sources.h"
#include "platform/base/ids.h"
#include "platform/testing/bench.h"
#include "platform/testing/postgres.h"
#include "platform/testing/wait.h"

namespace parvis::ingestion {
namespace {

constexpr int kWorkspaces = 50, kHosts = 40, kWorkers = 32;
constexpr absl::Duration kSlice = absl::Seconds(2);

// The network: one poll in ten brings something.
class BenchReader : public ChannelReader {
 public:
  StatusOr<ReadPage> Read(const Call&, const Source& source, const std::string& cursor, absl::Time, int) override {
    ReadPage page;
    page.cursor = cursor;
    page.host = source.remote_id;
    if (reads_.fetch_add(1, std::memory_order_relaxed) % 10 == 0) {
      Happening& happening = page.happenings.emplace_back();
      happening.remote_id = happening.thread = "1";
      happening.text = "Bonjour, où puis-je trouver cette lampe ?";
      happening.occurred_at = absl::FromUnixSeconds(1'790'000'000);
    }
    return page;
  }
  void ReportBroken(const Call&, const Source&, const Status&) override {}

 private:
  std::atomic<int64_t> reads_{0};
};

class BenchSink : public ActivitySink {
 public:
  void Send(const Trace&, std::vector<Activity>, std::vector<RawPart>, const std::string&, Done done) override {
    done(absl::OkStatus());
  }
};

// Nobody connects or disconnects anything meanwhile.
class BenchDesk : public ChannelDesk {
 public:
  StatusOr<OpenedChannel> Open(const Call&, const Binding&) override { return NotFound("channel"); }
  Status ReportBroken(const Call&, const Binding&, int64_t, const std::string&, const std::string&) override {
    return absl::OkStatus();
  }
  StatusOr<std::vector<BoundChannel>> List(const Call&, std::string&) override {
    return MakeError(Code::kUnavailable, "ACCOUNTS_UNAVAILABLE", "not in this bench");
  }
};

// What happened in one run.
struct Seen {
  std::map<std::string, int64_t> polls;  // by workspace
  std::vector<absl::Duration> late;
  int64_t all = 0;
};

// The real store, which counts what is claimed.
class CountingStore : public SourceStore {
 public:
  explicit CountingStore(SourceStore& store) : store_(store) {}
  StatusOr<std::vector<Claimed>> Claim(const std::vector<Binding>& wanted, absl::Duration lease) override {
    StatusOr<std::vector<Claimed>> claimed = store_.Claim(wanted, lease);
    testing::BenchCheck(claimed.status());
    std::lock_guard lock(mutex_);
    for (const Claimed& one : *claimed) {
      ++seen_.polls[one.source.binding.workspace_id];
      if (keeps_late_) seen_.late.push_back(one.late);
      ++seen_.all;
    }
    return claimed;
  }
  StatusOr<DueList> ListDue(int limit, const std::vector<std::string>& paused) override {
    return store_.ListDue(limit, paused);
  }
  Status Save(const Claimed& c, const Progress& p, absl::Duration l) override { return store_.Save(c, p, l); }
  Status Release(const Claimed& c, const PollEnd& e) override { return store_.Release(c, e); }
  StatusOr<Source> GetSource(const Call& call, const std::string& id) override { return store_.GetSource(call, id); }
  StatusOr<std::vector<Source>> ListSources(const Call& call, const std::string& after, int limit) override {
    return store_.ListSources(call, after, limit);
  }
  StatusOr<Source> StartBackfill(const Call& call, const std::string& id, absl::Time from) override {
    return store_.StartBackfill(call, id, from);
  }
  Status Sync(const std::vector<KnownChannel>& channels, absl::Time from) override {
    return store_.Sync(channels, from);
  }
  Status Detach(const std::string& after, const std::string& last, const std::vector<std::string>& ids) override {
    return store_.Detach(after, last, ids);
  }
  Status NoteHeard(const std::vector<Heard>& heard) override { return store_.NoteHeard(heard); }
  Status PollNow(const std::vector<Binding>& bindings) override { return store_.PollNow(bindings); }

  void KeepLate(bool keeps) { keeps_late_ = keeps; }
  Seen Take() {
    std::lock_guard lock(mutex_);
    return std::exchange(seen_, {});
  }
  int64_t all() {
    std::lock_guard lock(mutex_);
    return seen_.all;
  }

 private:
  SourceStore& store_;
  std::mutex mutex_;
  Seen seen_;
  std::atomic<bool> keeps_late_{false};
};

double RssMegabytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t size = 0, resident = 0;
  statm >> size >> resident;
  return static_cast<double>(resident * sysconf(_SC_PAGESIZE)) / 1e6;
}

double CpuSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Largest by smallest of what the workspaces got.
double Spread(const Seen& seen) {
  int64_t least = INT64_MAX, most = 0;
  for (const auto& [workspace, polls] : seen.polls) {
    least = std::min(least, polls);
    most = std::max(most, polls);
  }
  return seen.polls.size() < kWorkspaces ? 1e9 : static_cast<double>(most) / static_cast<double>(least);
}

class Bench {
 public:
  explicit Bench(int channels) : channels_(channels) {
    double parts = 0;
    for (int i = 0; i < kWorkspaces; ++i) parts += 1.0 / (i + 1);
    std::vector<KnownChannel> known;
    for (int i = 0; i < kWorkspaces; ++i) {
      const std::string workspace = ids_.New();
      const int size = i == 0 ? 0 : std::max(1, static_cast<int>(channels / parts / (i + 1)));
      for (int c = 0; c < size; ++c) known.push_back(Channel(workspace));
      if (i == 0) largest_ = workspace;
    }
    while (static_cast<int>(known.size()) < channels) known.push_back(Channel(largest_));
    testing::BenchCheck(store_.Sync(known, clock_.WallNow() - absl::Hours(24)));
    database_.Script("UPDATE ingestion.sources SET host = remote_id; ANALYZE ingestion.sources");
    for (const KnownChannel& channel : known) bindings_.push_back(channel.binding);
    std::shuffle(bindings_.begin(), bindings_.end(), std::mt19937(1));
  }

  double Ours() {
    MakeAllDue();
    return WithRunner(absl::Seconds(1), [&] { return Rate(kSlice); });
  }

  double Against() {
    MakeAllDue();
    Poller poller = MakePoller(absl::Seconds(1));
    std::atomic<bool> over{false};
    std::atomic<size_t> next{0};
    std::vector<std::thread> workers;
    for (int i = 0; i < kWorkers; ++i) {
      workers.emplace_back([&] {
        while (!over) {
          auto claimed = store_.Claim({bindings_[next++ % bindings_.size()]}, absl::Minutes(2));
          for (const Claimed& one : *claimed) (void)poller.Poll(one);
        }
      });
    }
    const double rate = Rate(kSlice);
    over = true;
    for (std::thread& worker : workers) worker.join();
    return rate;
  }

  std::string Notes() {
    Ours();  // pools, arenas and connections are there: what grows now is the schedule and the polls
    const double rss_before = RssMegabytes(), cpu_before = CpuSeconds();
    MakeAllDue();
    double rss_after = 0, per_core = 0;
    Seen ours;
    const double rate = WithRunner(absl::Seconds(1), [&] {
      const double measured = Rate(absl::Seconds(10));
      rss_after = RssMegabytes();
      ours = store_.Take();
      per_core = static_cast<double>(ours.all) / (CpuSeconds() - cpu_before);
      return measured;
    });
    Against();
    const double bare = Spread(store_.Take());
    return absl::StrFormat(
        "{\"channels\": %d, \"workspaces\": %d, \"workers\": %d, \"polls_per_second\": %.0f, "
        "\"polls_per_processor_second\": %.0f, \"rss_before_mb\": %.1f, \"rss_after_mb\": %.1f, \"bytes_per_channel\": "
        "%.0f, "
        "\"largest_by_smallest_part\": %.3f, \"the_same_of_the_bare_loop\": %.1f, %s, %s}",
        channels_, kWorkspaces, kWorkers, rate, per_core, rss_before, rss_after,
        std::max(0.0, rss_after - rss_before) * 1e6 / channels_, Spread(ours), bare, Lateness(), Crowd());
  }

 private:
  KnownChannel Channel(const std::string& workspace) {
    return {{workspace, ids_.New()}, "feed", absl::StrFormat("host%d.example", next_host_++ % kHosts), 1, true,
            absl::Seconds(1)};
  }

  Poller MakePoller(absl::Duration interval) {
    PollOptions options;
    options.interval_min = options.interval_max = interval;
    return Poller(
        store_, reader_, sink_, clock_, options, [](const std::string&) { return false; },
        [this] {
          std::lock_guard lock(random_mutex_);
          return std::uniform_real_distribution<double>(0, 1)(random_);
        });
  }

  // Runs `measured` while a runner polls every `interval`.
  double WithRunner(absl::Duration interval, const std::function<double()>& measured) {
    Poller poller = MakePoller(interval);
    HeardBook heard(10);
    Runner::Options options;
    options.polls.at_once = kWorkers;
    options.sync_every = absl::Hours(1);
    Runner runner(store_, desk_, poller, heard, clock_, options,
                  {[](const std::string&) { return true; }, [](const std::string&) { return false; }}, {});
    testing::BenchCheck(runner.Start());
    const double figure = measured();
    runner.Stop();
    return figure;
  }

  void MakeAllDue() {
    database_.Script(
        "UPDATE ingestion.sources SET next_poll = now() - random() * interval '1 s', lease_until = NULL, interval_ms = "
        "1000, "
        "last_poll = now()");
    (void)store_.Take();
  }

  double Rate(absl::Duration time) {
    const Instant began = clock_.Now();
    const int64_t before = store_.all();
    (void)testing::WaitFor([&] { return clock_.Now() - began >= time; }, 2 * time);
    return static_cast<double>(store_.all() - before) / absl::ToDoubleSeconds(clock_.Now() - began);
  }

  // Every channel each 30 s, spread evenly: there is time for all of them.
  std::string Lateness() {
    constexpr absl::Duration kInterval = absl::Seconds(30);
    database_.Script(
        "UPDATE ingestion.sources SET next_poll = now() + random() * interval '30 s', lease_until = NULL, "
        "interval_ms = 30000, last_poll = now()");
    (void)store_.Take();
    store_.KeepLate(true);
    const double rate = WithRunner(kInterval, [&] { return Rate(kInterval * 1.5); });
    Seen seen = store_.Take();
    store_.KeepLate(false);
    const double micros = absl::ToDoubleMicroseconds(kInterval);
    return absl::StrFormat(
        "\"late_of_interval_p50\": %.5f, \"late_of_interval_p99\": %.5f, \"late_of_interval_max\": %.5f, "
        "\"polls_per_second_then\": %.0f",
        testing::PercentileMicros(seen.late, 0.5) / micros, testing::PercentileMicros(seen.late, 0.99) / micros,
        testing::PercentileMicros(seen.late, 1) / micros, rate);
  }

  // After an outage all are due at once: how soon all have been polled, and how many fall on the busiest second then.
  std::string Crowd() {
    database_.Script(
        "UPDATE ingestion.sources SET next_poll = now() - interval '1 h', lease_until = NULL, interval_ms = 60000, "
        "last_poll = now() - interval '1 h'");
    (void)store_.Take();
    const double seconds = WithRunner(absl::Minutes(1), [&] {
      const Instant began = clock_.Now();
      (void)testing::WaitFor([&] { return store_.all() >= channels_; }, absl::Minutes(2));
      return absl::ToDoubleSeconds(clock_.Now() - began);
    });
    return absl::StrFormat("\"crowd_polled_in_seconds\": %.1f, \"busiest_second_afterwards\": %d", seconds,
                           database_.Number("SELECT max(n) FROM (SELECT count(*) AS n FROM ingestion.sources "
                                            "GROUP BY date_trunc('second', next_poll)) AS by_second"));
  }

  const int channels_;
  testing::ServiceDatabase database_{"ingestion"};
  RealClock clock_;
  Ids ids_{clock_};
  PgSourceStore pg_{database_.api(), database_.stream()};
  CountingStore store_{pg_};
  BenchReader reader_;
  BenchSink sink_;
  BenchDesk desk_;
  std::string largest_;
  int next_host_ = 0;
  std::vector<Binding> bindings_;
  std::mutex random_mutex_;
  std::mt19937_64 random_{1};
};

}  // namespace
}  // namespace parvis::ingestion

int main(int argc, char** argv) {
  const auto channels = static_cast<int>(parvis::testing::BenchOption(argc, argv, "channels", 10'000));
  parvis::ingestion::Bench bench(channels);
  return parvis::testing::ServeBench(
      {{"ours", [&] { return bench.Ours(); }}, {"against", [&] { return bench.Against(); }}},
      [&] { return bench.Notes(); });
}
