// What networks count, on a real PostgreSQL: samples doubled and in any order.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>

#include "metrics/domain/fakes.h"
#include "metrics/domain/store_contract.h"
#include "metrics/storage/pg_fact_store.h"
#include "metrics/storage/pg_query_store.h"
#include "platform/db/stream_tables.h"
#include "platform/testing/postgres.h"

namespace parvis::metrics {
namespace {

testing::ServiceDatabase& Database() {
  static testing::ServiceDatabase database("metrics");
  return database;
}

class PgCounters : public ::testing::Test {
 protected:
  void SetUp() override { Database().Clear(); }
  static std::function<StreamPosition()> Positions(const std::string& topic = "t") {
    return [position = *db::OffsetTable(Database().stream(), "metrics").Claim("g", topic, 0)]() mutable {
      ++position.next;
      return position;
    };
  }
  // Samples as a network gives them: of three channels with some posts, levels that mostly rise, over three days.
  static std::vector<SampleFact> Samples(std::mt19937_64& random) {
    std::vector<SampleFact> samples;
    for (int channel = 0; channel < 3; ++channel) {
      for (const char* post : {"", "post-1", "post-2", "post-3"}) {
        int64_t likes = 0;
        for (absl::Time at = kNoon; at < kNoon + absl::Hours(72);) {
          at += absl::Minutes(static_cast<int64_t>(random() % 300 + 1));
          likes += static_cast<int64_t>(random() % 20) - 3;
          SampleFact sample = Sample(post, at, {{"likes", likes}});
          sample.channel_id = UuidOfName("channel " + std::to_string(channel));
          sample.network = channel == 2 ? "x" : "facebook";
          if (random() % 2 == 0) sample.counters["views"] = likes * 10;
          samples.push_back(std::move(sample));
        }
      }
    }
    return samples;
  }
  const Call call_ = BackgroundCall("test", kWorkspace);
  PgFactStore facts_{Database().stream()};
  PgQueryStore queries_{Database().api()};
};

TEST_F(PgCounters, DoubledAndReorderedSamplesLeaveWhatTheFakeSays) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::vector<SampleFact> samples = Samples(random);
  FakeStore fake;
  ASSERT_TRUE(fake.FoldSamples(StreamPosition{.next = 1}, samples).ok());
  const size_t once = samples.size();
  for (size_t i = 0; i < once / 2; ++i) samples.push_back(samples[random() % once]);
  std::shuffle(samples.begin(), samples.end(), random);
  const auto next = Positions();
  for (size_t from = 0; from < samples.size(); from += 50) {
    const auto begin = samples.begin() + static_cast<std::ptrdiff_t>(from);
    const auto end = samples.begin() + static_cast<std::ptrdiff_t>(std::min(from + 50, samples.size()));
    ASSERT_TRUE(facts_.FoldSamples(next(), {begin, end}).ok());
  }
  DeliveryFact delivered = Post("d", 1, "delivered", "post-1");
  delivered.channel_id = UuidOfName("channel 2");
  delivered.network = "x";
  ASSERT_TRUE(facts_.FoldDeliveries(next(), {delivered}).ok());
  ASSERT_TRUE(fake.FoldDeliveries(StreamPosition{.next = 2}, {delivered}).ok());
  int compared = 0;
  for (const CounterSubject subject : {CounterSubject::kPosts, CounterSubject::kChannels}) {
    for (const std::string& channel : {std::string(), UuidOfName("channel 1")}) {
      for (const std::string& campaign : {std::string(), kCampaign}) {
        if (subject == CounterSubject::kChannels && !campaign.empty()) continue;
        for (const Step step : {Step::kHour, Step::kDay}) {
          const absl::Time start = kNoon + absl::Minutes(static_cast<int64_t>(random() % 5000) - 600);
          const CounterQuery query{.subject = subject,
                                   .channel_id = channel,
                                   .campaign_id = campaign,
                                   .post_remote_id = "",
                                   .range = CounterQuery::Range{start, start + absl::Hours(30), step}};
          const auto ours = QueryCounters(call_, query, 10'000, queries_),
                     theirs = QueryCounters(call_, query, 10'000, fake);
          ASSERT_TRUE(ours.ok() && theirs.ok()) << ours.status() << theirs.status();
          EXPECT_EQ(*ours, *theirs) << static_cast<int>(subject) << " " << channel << " " << campaign;
          compared += static_cast<int>(ours->size());
        }
      }
    }
  }
  EXPECT_GT(compared, 20);
  const auto report = GetCampaignReport(call_, kCampaign, Database().clock(), queries_);
  ASSERT_TRUE(report.ok()) << report.status();
  const auto latest = QueryCounters(call_, {.campaign_id = kCampaign}, 10, fake);
  ASSERT_EQ(report->networks.size(), 1u);
  EXPECT_EQ(report->networks[0].posts.network, "x");
  for (const CounterSeries& one : *latest) EXPECT_EQ(report->total.counters.at(one.counter), one.value);
}

TEST_F(PgCounters, FoldsOfTheSamePostsAtOnceLeaveTheLatest) {
  std::vector<std::thread> folders;
  for (int folder = 0; folder < 4; ++folder) {
    folders.emplace_back([this, folder] {
      const auto next = Positions("topic " + std::to_string(folder));
      for (int batch = 0; batch < 25; ++batch) {
        std::vector<SampleFact> samples;
        for (int post = 0; post < 10; ++post) {
          const int64_t minute = batch * 4 + (folder + post) % 4;
          samples.push_back(Sample("post-" + std::to_string((post * 7 + folder) % 10), kNoon + absl::Minutes(minute),
                                   {{"likes", minute}, {"views", minute * 2}}));
        }
        EXPECT_TRUE(facts_.FoldSamples(next(), samples).ok());
      }
    });
  }
  for (std::thread& folder : folders) folder.join();
  EXPECT_EQ(Database().Number("SELECT count(*) FROM counters"), 20);
  EXPECT_EQ(Database().Number("SELECT count(*) FROM counters WHERE value <> extract(epoch FROM measured_time - "
                              "timestamptz '2026-03-01 12:00:00Z') / 60 * CASE counter WHEN 'likes' THEN 1 ELSE 2 END"),
            0);
  EXPECT_EQ(Database().Number("SELECT count(*) FROM counters c JOIN counter_steps s USING (workspace_id, channel_id, "
                              "post_remote_id, counter) WHERE s.step_minutes = 1440 AND s.value = c.value"),
            20);
}

}  // namespace
}  // namespace parvis::metrics
