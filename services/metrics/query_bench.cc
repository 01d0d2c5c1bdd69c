// parvis-metrics-bench: answers per second to "this metric by the day over 90 days", from the sums ("ours") and by
// counting the facts ("against"). Both must say the same, exactly: see "notes".
//
//   parvis-metrics-bench --facts=1000000
//
// The facts are those of ten posts a day; what people write below a post falls within six hours after it. They are
// folded as they come from Kafka, one in fifty of them twice, `--batch` (2000) at once; the notes say what that cost.
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <sstream>

#include "metrics/storage/pg_fact_store.h"
#include "metrics/storage/pg_query_store.h"
#include "platform/base/ids.h"
#include "platform/db/stream_tables.h"
#include "platform/testing/bench.h"
#include "platform/testing/postgres.h"

namespace parvis::metrics {
namespace {

constexpr char kWorkspace[] = "0190a0b1-0000-7000-8000-000000000001";
constexpr int kDays = 90, kPostsADay = 10, kChannels = 3;
constexpr absl::Duration kSlice = absl::Milliseconds(300);

class Bench {
 public:
  Bench(int64_t facts, int64_t batch_size) {
    for (int i = 0; i < kChannels; ++i) channels_.push_back(ids_.New());
    const double began = FoldCpuSeconds();
    std::vector<ActivityFact> batch;
    for (int64_t i = 0; i < facts; ++i) {
      batch.push_back(Fact(i, facts));
      if (i % 50 == 0) batch.push_back(batch.back());
      if (static_cast<int64_t>(batch.size()) >= batch_size || i + 1 == facts) {
        position_.next += static_cast<int64_t>(batch.size());
        testing::BenchCheck(facts_.FoldActivities(position_, batch));
        batch.clear();
      }
    }
    fold_cpu_micros_ = (FoldCpuSeconds() - began) * 1e6 / static_cast<double>(facts);
    for (const std::string table : {"activity_facts", "channel_rollups", "post_rollups"}) {
      postgres_.Script("VACUUM ANALYZE metrics." + table, db_.database());
    }
  }

  double Ours() {
    return Rate([this] { return Sums("comments").status(); });
  }
  double Against() {
    return Rate([this] { return Counted("comments").status(); });
  }

  // Whether sums and facts agree in every metric, by the hour too.
  std::string Notes() {
    bool equal = true;
    for (const std::string& metric : MetricNames()) {
      const auto sums = Sums(metric), counted = Counted(metric);
      testing::BenchCheck(sums.status());
      testing::BenchCheck(counted.status());
      std::vector<Point> shown;
      for (const Point& point : *sums) {
        if (point.value != 0) shown.push_back(point);
      }
      equal = equal && shown == *counted;
    }
    const auto recount = queries_.RecountRollups(call_);
    testing::BenchCheck(recount.status());
    equal = equal && recount->changed == 0;
    return std::string("{\"equal\": ") + (equal ? "true" : "false") + ", \"facts\": " + std::to_string(recount->facts) +
           ", \"sums\": " + std::to_string(recount->rollups) +
           ", \"fold_cpu_us_per_fact\": " + std::to_string(fold_cpu_micros_) + "}";
  }

 private:
  // Processor time so far of the connection that folds (there is one) and of this process, making the facts included.
  double FoldCpuSeconds() {
    int64_t pid = 0;
    testing::BenchCheck(stream_.Run(BackgroundCall("bench"), [&](db::Tx& tx) -> Status {
      PARVIS_ASSIGN_OR_RETURN(const db::Rows rows, tx.Query("SELECT pg_backend_pid()"));
      pid = rows.Int(0, 0);
      return absl::OkStatus();
    }));
    // utime and stime are the 14th and 15th field: proc(5).
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    std::getline(file, text);
    std::istringstream fields(text.substr(text.rfind(')') + 2));
    for (int i = 3; i < 14; ++i) fields >> text;
    double user = 0, system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK)) +
           static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  }
  ActivityFact Fact(int64_t number, int64_t facts) const {
    const int64_t post = number * kDays * kPostsADay / facts;
    ActivityFact fact;
    fact.workspace_id = kWorkspace;
    fact.channel_id = channels_[static_cast<size_t>(post % kChannels)];
    fact.network = "facebook";
    fact.kind = number % 40 == 7 ? "edit" : number % 10 == 3 ? "reaction" : "comment";
    fact.remote_id = "r" + std::to_string(number);
    fact.fact_id = ActivityFactId(fact.kind, fact.channel_id, fact.remote_id, "a" + std::to_string(number));
    fact.post_remote_id = "post-" + std::to_string(post);
    // The nearer to the post the more: the square of an evenly spread number.
    const double share = static_cast<double>(number * 7919 % 10007) / 10007;
    fact.occurred_time = start_ + absl::Hours(24) * post / kPostsADay + absl::Hours(6) * (share * share);
    fact.action = number % 20 == 0 ? "hide" : number % 33 == 0 ? "hold" : "allow";
    fact.rules = {fact.action == "allow" ? "" : "insults"};
    fact.language = number % 2 == 0 ? "fr" : "en";
    fact.intent = number % 5 == 0 ? "question" : number % 9 == 0 ? "complaint" : "other";
    return fact;
  }

  StatusOr<std::vector<Point>> Sums(const std::string& metric) {
    return QueryTimeseries(call_,
                           {.metric = metric,
                            .channel_id = "",
                            .campaign_id = "",
                            .start = start_,
                            .end = start_ + absl::Hours(24 * kDays),
                            .step = Step::kDay},
                           10'000, queries_);
  }
  // By the view that says what each fact adds to which sum; other metrics' facts are left out by its own conditions.
  StatusOr<std::vector<Point>> Counted(const std::string& metric) {
    std::vector<Point> points;
    PARVIS_RETURN_IF_ERROR(api_.Run(call_, [&](db::Tx& tx) -> Status {
      points.clear();
      PARVIS_ASSIGN_OR_RETURN(
          const db::Rows rows,
          tx.Query(
              "SELECT date_trunc('day', minute, 'UTC') AS day, count(*) FROM activity_counts WHERE workspace_id = $1 "
              "AND metric = $2 AND minute >= $3 AND minute < $4 GROUP BY 1 ORDER BY 1",
              {kWorkspace, metric, start_, start_ + absl::Hours(24 * kDays)}));
      for (int i = 0; i < rows.size(); ++i) points.push_back({rows.Time(i, 0), rows.Int(i, 1)});
      return absl::OkStatus();
    }));
    return points;
  }

  static db::PoolConfig Patient(db::PoolConfig config) {
    config.statement_max = absl::Minutes(5);
    return config;
  }

  double Rate(const std::function<Status()>& one) {
    const Instant began = clock_.Now();
    int answers = 0;
    do {
      testing::BenchCheck(one());
      ++answers;
    } while (clock_.Now() - began < kSlice);
    return answers / absl::ToDoubleSeconds(clock_.Now() - began);
  }

  RealClock clock_;
  Ids ids_{clock_};
  testing::Postgres postgres_{/*durable=*/false, "shared_buffers = 512MB\nmax_wal_size = 2GB"};
  testing::ServiceDatabase db_{"metrics", "", postgres_};
  // As in main.cc: the plans of a batch's statements are reused.
  db::Pool stream_{db_.StreamConfig(), clock_, db_.metrics()};
  PgFactStore facts_{stream_};
  // Counting everything again may take longer than a request is given.
  db::Pool api_{Patient(db_.ApiConfig()), clock_, db_.metrics()};
  PgQueryStore queries_{api_};
  StreamPosition position_ = *db::OffsetTable(db_.stream(), "metrics").Claim("metrics.fold.assessment", "bench", 0);
  const Call call_ = BackgroundCall("bench", kWorkspace);
  const absl::Time start_ = absl::FromUnixSeconds(1'780'012'800);  // a midnight in UTC
  std::vector<std::string> channels_;
  double fold_cpu_micros_ = 0;
};

}  // namespace
}  // namespace parvis::metrics

int main(int argc, char** argv) {
  parvis::metrics::Bench bench(parvis::testing::BenchOption(argc, argv, "facts", 1'000'000),
                               parvis::testing::BenchOption(argc, argv, "batch", 2000));
  return parvis::testing::ServeBench(
      {{"ours", [&] { return bench.Ours(); }}, {"against", [&] { return bench.Against(); }}},
      [&] { return bench.Notes(); });
}
