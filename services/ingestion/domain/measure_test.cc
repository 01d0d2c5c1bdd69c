// Measuring, on fakes.
#include "ingestion/domain/measure.h"

#include <gtest/gtest.h>

#include "ingestion/domain/measure_contract.h"
#include "ingestion/domain/measure_fakes.h"
#include "ingestion/domain/measure_runner.h"
#include "platform/testing/wait.h"

namespace parvis::ingestion {
namespace {

struct FakeMeasureBackend {
  FakeClock clock;
  FakeMeasureStore fake{clock};
  int64_t next = 0;
  MeasureStore& store() { return fake; }
  void Source(const Binding& binding, const std::string& network, bool active, const std::string& host) {
    fake.SetSource(binding, network, active, host);
  }
  StreamPosition Next() { return {.group = "g", .topic = "t", .next = ++next}; }
  void Pass(absl::Duration d) { clock.Advance(d); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Fake, MeasureContract, FakeMeasureBackend);

TEST(NextMeasure, IsATenthOfTheAgeWithinBounds) {
  const MeasureOptions options;
  EXPECT_EQ(NextMeasure(absl::ZeroDuration(), 0, options, 0.5), absl::Minutes(5));
  EXPECT_EQ(NextMeasure(absl::Hours(10), 0, options, 0.5), absl::Hours(1));
  EXPECT_EQ(NextMeasure(absl::Hours(24 * 20), 0, options, 0.5), absl::Hours(12));
  EXPECT_GT(NextMeasure(absl::Hours(10), 0, options, 0), absl::Minutes(53));
  EXPECT_LT(NextMeasure(absl::Hours(10), 0, options, 0), absl::Minutes(55));
  EXPECT_EQ(NextMeasure(absl::Hours(24 * 30), 0, options, 0.5), absl::InfiniteDuration());
}

TEST(NextMeasure, MeetsAPostAboutAHundredTimes) {
  const MeasureOptions options;
  absl::Duration age;
  int times = 0;
  for (;; ++times) {
    const absl::Duration next = NextMeasure(age, 0, options, 0.5);
    if (next == absl::InfiniteDuration()) break;
    age += next;
  }
  EXPECT_GT(times, 80);
  EXPECT_LT(times, 150);
}

TEST(NextMeasure, WhatIsMissingIsAskedForEverMoreRarelyAndThenNoMore) {
  const MeasureOptions options;
  EXPECT_EQ(NextMeasure(absl::ZeroDuration(), 1, options, 0.5), absl::Minutes(10));
  EXPECT_EQ(NextMeasure(absl::ZeroDuration(), 5, options, 0.5), absl::Minutes(160));
  EXPECT_EQ(NextMeasure(absl::ZeroDuration(), kMissesMax, options, 0.5), absl::InfiniteDuration());
}

class MeasureTest : public ::testing::Test {
 protected:
  MeasureTest() { store_.SetSource(page_, "x"); }
  Status Follow(std::vector<PostChange> changes) {
    return FollowPosts(
        StreamPosition{.group = "g", .topic = "t", .next = ++next_}, std::move(changes),
        [](const std::string& network) { return network != "wordpress"; }, options_, clock_, [] { return 0.5; },
        store_);
  }
  PostChange Delivered(const std::string& id, absl::Duration ago = {}, const std::string& network = "x") {
    return {.binding = page_,
            .network = network,
            .post_remote_id = id,
            .published = clock_.WallNow() - ago,
            .first_in = {}};
  }
  StatusOr<MeasureResult> MeasureDue() {
    auto jobs = store_.Claim(1, 50, absl::ZeroDuration(), absl::Minutes(3), {});
    if (jobs->empty()) return MakeError(Code::kNotFound, "NOT_DUE", "nothing is due");
    return measurer_.Measure(jobs->front());
  }
  static Status Limited(absl::Duration wait) {
    Error limited{.code = Code::kResourceExhausted, .reason = "RATE_LIMITED", .message = ""};
    limited.retry_after = wait;
    return ToStatus(limited);
  }

  const Binding page_{"w1", "c1"};
  FakeClock clock_;
  MeasureOptions options_;
  FakeMeasureStore store_{clock_};
  FakeMeter meter_;
  FakeSampleSink sink_;
  Measurer measurer_{store_, meter_, sink_, clock_, options_, [] { return 0.5; }};
  int64_t next_ = 0;
};

TEST_F(MeasureTest, APostIsMeasuredWhenItsTimeHasCome) {
  meter_.Set("1", {{"likes", 3}, {"shares", 1}});
  ASSERT_TRUE(Follow({Delivered("1")}).ok());
  EXPECT_EQ(ReasonOf(MeasureDue().status()), "NOT_DUE");
  clock_.Advance(absl::Minutes(5));
  const auto result = MeasureDue();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->samples, 1);
  const std::vector<Sample> samples = sink_.samples();
  ASSERT_EQ(samples.size(), 1u);
  EXPECT_EQ(samples[0].binding, page_);
  EXPECT_EQ(samples[0].post_remote_id, "1");
  EXPECT_EQ(samples[0].measured, clock_.WallNow());
  EXPECT_EQ(samples[0].counters, (std::map<std::string, int64_t>{{"likes", 3}, {"shares", 1}}));
  EXPECT_EQ(ReasonOf(MeasureDue().status()), "NOT_DUE");
  clock_.Advance(absl::Minutes(5));
  ASSERT_TRUE(MeasureDue().ok());
  EXPECT_NE(sink_.samples().at(1).id, samples[0].id);
}

TEST_F(MeasureTest, NothingMovesOnBeforeTheSamplesAreSafe) {
  meter_.Set("1", {{"likes", 3}});
  ASSERT_TRUE(Follow({Delivered("1")}).ok());
  clock_.Advance(absl::Minutes(5));
  sink_.Fail(MakeError(Code::kUnavailable, "BUS_UNAVAILABLE", "away"));
  EXPECT_EQ(ReasonOf(MeasureDue().status()), "BUS_UNAVAILABLE");
  sink_.Fail(absl::OkStatus());
  clock_.Advance(absl::Seconds(6));
  ASSERT_TRUE(MeasureDue().ok()) << "it is still due";
  EXPECT_EQ(sink_.samples().size(), 1u);
}

TEST_F(MeasureTest, OldPostsOtherNetworksAndDeletedPostsAreLeftOut) {
  PostChange deleted{.binding = page_, .network = "", .post_remote_id = "4", .deleted = true, .first_in = {}};
  ASSERT_TRUE(Follow({Delivered("1"), Delivered("2", absl::Hours(24 * 31)), Delivered("3", {}, "wordpress"),
                      Delivered("4"), deleted})
                  .ok());
  clock_.Advance(absl::Hours(1));
  ASSERT_TRUE(MeasureDue().ok());
  EXPECT_EQ(meter_.asked(), (std::vector<std::vector<std::string>>{{"1"}}));
}

TEST_F(MeasureTest, APostThatIsGoneIsGivenUpAfterAWhile) {
  ASSERT_TRUE(Follow({Delivered("1")}).ok());
  for (int i = 0; i < 100; ++i) {
    clock_.Advance(absl::Minutes(30));
    (void)MeasureDue();
  }
  EXPECT_EQ(meter_.asked().size(), static_cast<size_t>(kMissesMax));
  EXPECT_TRUE(sink_.samples().empty());
}

TEST_F(MeasureTest, WhatTheNetworkAsksToWaitIsWaited) {
  meter_.Set("1", {{"likes", 3}});
  ASSERT_TRUE(Follow({Delivered("1")}).ok());
  clock_.Advance(absl::Minutes(5));
  meter_.Fail(Limited(absl::Minutes(15)));
  EXPECT_EQ(ReasonOf(MeasureDue().status()), "RATE_LIMITED");
  meter_.Fail(absl::OkStatus());
  clock_.Advance(absl::Minutes(15));
  EXPECT_EQ(ReasonOf(MeasureDue().status()), "NOT_DUE");
  clock_.Advance(absl::Minutes(1));
  EXPECT_TRUE(MeasureDue().ok());
  EXPECT_EQ(AfterRefusal({}, Limited(absl::Hours(1000)), options_, 0).pause, options_.wait_max);
}

TEST_F(MeasureTest, ABudgetThatIsUsedUpIsWaitedForAfterASuccess) {
  meter_.Set("1", {{"likes", 3}});
  meter_.Set("", {{"followers", 12}});
  ASSERT_TRUE(Follow({Delivered("1")}).ok());
  ASSERT_TRUE(store_.AddChannels({"x"}, absl::ZeroDuration()).ok());
  clock_.Advance(absl::Minutes(5));
  meter_.Tell({.remaining = 0, .reset_in = absl::Minutes(30), .retry_after = {}});
  const auto result = MeasureDue();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->samples, 1) << "what was answered counts";
  EXPECT_EQ(meter_.asked(), (std::vector<std::vector<std::string>>{{"1"}})) << "the channel itself would be refused";
  clock_.Advance(absl::Minutes(30));
  EXPECT_EQ(ReasonOf(MeasureDue().status()), "NOT_DUE") << "a little longer: not all at once";
  clock_.Advance(absl::Minutes(2));
  meter_.Tell({.remaining = 99, .reset_in = absl::Minutes(30), .retry_after = {}});
  ASSERT_TRUE(MeasureDue().ok());
  EXPECT_EQ(sink_.samples().size(), 3u) << "both were still due, and no failure has made the batch smaller";
  meter_.Tell({.remaining = {}, .reset_in = {}, .retry_after = absl::Hours(1)});
  clock_.Advance(absl::Minutes(10));
  ASSERT_TRUE(MeasureDue().ok());
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(ReasonOf(MeasureDue().status()), "NOT_DUE") << "asked for is asked for";
}

TEST_F(MeasureTest, AfterAFailureFewerPostsAreAskedForAtOnce) {
  std::vector<PostChange> posts;
  for (int i = 0; i < 40; ++i) {
    posts.push_back(Delivered(std::to_string(i)));
    meter_.Set(std::to_string(i), {{"likes", i}});
  }
  ASSERT_TRUE(Follow(posts).ok());
  clock_.Advance(absl::Minutes(6));
  meter_.Fail(MakeError(Code::kDeadlineExceeded, "TIMEOUT", "one by one"));
  EXPECT_FALSE(MeasureDue().ok());
  clock_.Advance(absl::Seconds(6));
  EXPECT_FALSE(MeasureDue().ok());
  meter_.Fail(absl::OkStatus());
  clock_.Advance(absl::Seconds(11));
  EXPECT_EQ(MeasureDue()->samples, 10);
  EXPECT_EQ(MeasureDue()->samples, 30) << "the others are still due";
  EXPECT_EQ(meter_.asked().at(1).size(), 20u);
}

TEST_F(MeasureTest, RefusedCredentialsAreReportedAndRest) {
  ASSERT_TRUE(Follow({Delivered("1")}).ok());
  clock_.Advance(absl::Minutes(5));
  meter_.Fail(MakeError(Code::kPermissionDenied, "PERMISSION_DENIED", "no insights"));
  EXPECT_FALSE(MeasureDue().ok());
  EXPECT_TRUE(meter_.reported().empty()) << "the channel may still be written to";
  clock_.Advance(absl::Minutes(59));
  EXPECT_EQ(ReasonOf(MeasureDue().status()), "NOT_DUE");
  clock_.Advance(absl::Minutes(1));
  meter_.Fail(MakeError(Code::kUnauthenticated, "TOKEN_EXPIRED", "old"));
  EXPECT_FALSE(MeasureDue().ok());
  EXPECT_EQ(meter_.reported(), std::vector<std::string>{"TOKEN_EXPIRED"});
}

TEST_F(MeasureTest, PostsCountAlsoWhenTheChannelItselfCannotBeMeasured) {
  meter_.Set("1", {{"likes", 3}});
  meter_.Set("", {{"followers", 12}});
  ASSERT_TRUE(Follow({Delivered("1")}).ok());
  ASSERT_TRUE(store_.AddChannels({"x"}, absl::ZeroDuration()).ok());
  clock_.Advance(absl::Minutes(5));
  ASSERT_TRUE(MeasureDue().ok());
  EXPECT_EQ(meter_.asked(), (std::vector<std::vector<std::string>>{{"1"}, {}}));
  ASSERT_EQ(sink_.samples().size(), 2u);
  EXPECT_EQ(sink_.samples().at(1).post_remote_id, "");
  EXPECT_EQ(sink_.samples().at(1).counters.at("followers"), 12);
  EXPECT_NE(sink_.samples().at(0).id, sink_.samples().at(1).id);
}

TEST(MakeSample, KeepsWithinBounds) {
  std::map<std::string, int64_t> many{{"", 1}, {std::string(65, 'x'), 1}};
  for (int i = 0; i < 100; ++i) many[std::to_string(i)] = i;
  EXPECT_EQ(MakeSample({}, "1", absl::UnixEpoch(), many).counters.size(), 64u);
}

TEST(MeasureRunner, TwoReplicasMeasureEveryChannelAndNeverOneAtOnce) {
  RealClock clock;
  FakeMeasureStore store(clock);
  FakeMeter meter;
  FakeSampleSink sink;
  MeasureOptions options;
  options.interval_min = options.interval_max = options.channel_every = absl::Milliseconds(5);
  meter.Set("", {{"followers", 1}});
  for (int i = 0; i < 30; ++i) store.SetSource({"w" + std::to_string(i % 3), "c" + std::to_string(i)}, "x");
  Measurer measurer(store, meter, sink, clock, options, [] { return 0.5; });
  const MeasureRunner::Options run{.at_once = 3, .tick = absl::Milliseconds(5), .sync_every = absl::Milliseconds(20)};
  const MeasureRunner::Networks networks{.channels = {"x"}, .shares_budget = [](const std::string&) { return false; }};
  MeasureRunner one(store, measurer, clock, run, networks, {}), two(store, measurer, clock, run, networks, {});
  one.Start();
  two.Start();
  EXPECT_TRUE(testing::WaitFor([&] { return sink.samples().size() >= 300; }));
  one.Stop();
  two.Stop();
  EXPECT_FALSE(meter.met());
  std::set<std::string> channels;
  for (const Sample& sample : sink.samples()) channels.insert(sample.binding.channel_id);
  EXPECT_EQ(channels.size(), 30u);
}

TEST(MeasureRunner, ASharedBudgetThatIsUsedUpPausesItsHostWithoutARefusal) {
  RealClock clock;
  FakeMeasureStore store(clock);
  FakeMeter meter;
  FakeSampleSink sink;
  meter.Set("", {{"followers", 1}});
  meter.Tell({.remaining = 0, .reset_in = absl::Hours(1), .retry_after = {}});
  for (int i = 0; i < 50; ++i) store.SetSource({"w1", "c" + std::to_string(i)}, "youtube");
  MeasureOptions options;
  Measurer measurer(store, meter, sink, clock, options, [] { return 0.5; });
  MeasureRunner runner(store, measurer, clock, {.at_once = 1},
                       {.channels = {"youtube"}, .shares_budget = [](const std::string&) { return true; }}, {});
  ASSERT_TRUE(store.AddChannels({"youtube"}, absl::ZeroDuration()).ok());
  EXPECT_EQ(runner.ClaimAndMeasure(), 1);
  EXPECT_TRUE(testing::WaitFor([&] { return sink.samples().size() == 1; }));
  runner.Stop();   // it has ended by now
  EXPECT_EQ(runner.ClaimAndMeasure(), 0) << "the other 49 are due, and their host rests";
}

TEST(MeasureRunner, ASharedBudgetPausesItsHost) {
  RealClock clock;
  FakeMeasureStore store(clock);
  FakeMeter meter;
  FakeSampleSink sink;
  Error limited{.code = Code::kResourceExhausted, .reason = "RATE_LIMITED", .message = ""};
  limited.retry_after = absl::Hours(1);
  meter.Fail(ToStatus(limited));
  for (int i = 0; i < 50; ++i) store.SetSource({"w1", "c" + std::to_string(i)}, "youtube");
  MeasureOptions options;
  Measurer measurer(store, meter, sink, clock, options, [] { return 0.5; });
  MeasureRunner runner(store, measurer, clock, {.at_once = 2},
                       {.channels = {"youtube"}, .shares_budget = [](const std::string&) { return true; }}, {});
  ASSERT_TRUE(runner.Sync().ok());
  EXPECT_EQ(runner.ClaimAndMeasure(), 2);
  EXPECT_TRUE(testing::WaitFor([&] { return runner.ClaimAndMeasure() == 0 && meter.asked().size() >= 2; }));
  runner.Stop();
  EXPECT_LE(meter.asked().size(), 4u) << "those under way when the first was refused";
}

}  // namespace
}  // namespace parvis::ingestion
