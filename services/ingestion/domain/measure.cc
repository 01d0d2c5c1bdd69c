#include "ingestion/domain/measure.h"

#include <algorithm>

#include "ingestion/domain/waits.h"
#include "platform/base/ids.h"

namespace parvis::ingestion {
namespace {

constexpr size_t kCountersMax = 64, kCounterNameMax = 64;

}  // namespace

absl::Duration NextMeasure(absl::Duration age, int misses, const MeasureOptions& options, double uniform) {
  if (misses >= kMissesMax) return absl::InfiniteDuration();
  absl::Duration interval = std::max(age / 10, options.interval_min);
  for (int i = 0; i < misses; ++i) interval = std::min(interval * 2, options.interval_max);
  interval = Jittered(std::min({interval, options.interval_max, kPlannedMax / 2.5}), uniform);
  return age + interval > options.follow_for ? absl::InfiniteDuration() : interval;
}

Sample MakeSample(const MeasureJob& job, std::string post_remote_id, absl::Time measured,
                  std::map<std::string, int64_t> counters) {
  std::erase_if(counters, [](const auto& one) { return one.first.empty() || one.first.size() > kCounterNameMax; });
  while (counters.size() > kCountersMax) counters.erase(std::prev(counters.end()));
  Sample sample{.id = UuidOfName("sample/" + job.binding.channel_id + "/" +
                                 std::to_string(absl::ToUnixMicros(measured)) + "/" + post_remote_id),
                .binding = job.binding,
                .network = job.network,
                .post_remote_id = std::move(post_remote_id),
                .measured = absl::FromUnixMicros(absl::ToUnixMicros(measured)),
                .counters = std::move(counters)};
  return sample;
}

Status FollowPosts(const StreamPositions& positions, std::vector<PostChange> changes,
                   const std::function<bool(const std::string& network)>& counts_posts, const MeasureOptions& options,
                   const Clock& clock, const std::function<double()>& uniform, MeasureStore& store) {
  const absl::Time now = clock.WallNow();
  for (PostChange& change : changes) {
    if (change.deleted) continue;
    const absl::Duration age = std::max(now - change.published, absl::ZeroDuration());
    change.first_in = NextMeasure(age, 0, options, uniform());
  }
  std::erase_if(changes, [&](const PostChange& change) {
    return !change.deleted && (change.first_in == absl::InfiniteDuration() || !counts_posts(change.network));
  });
  return store.Follow(positions, changes);
}

MeasureEnd AfterRefusal(const MeasureJob& job, const Status& why, const MeasureOptions& options, double uniform) {
  MeasureEnd end;
  end.failures = job.failures + 1;
  const bool refused = why.code() == Code::kUnauthenticated || why.code() == Code::kPermissionDenied;
  const absl::Duration doubled = absl::Seconds(5) * (int64_t{1} << std::min(job.failures, 16));
  end.pause = Jittered(refused ? options.failure_max : std::min(options.failure_max, doubled), uniform);
  if (const std::optional<absl::Duration> asked = ToError(why).retry_after) {
    end.pause = std::max(end.pause, AskedWait(*asked, options.wait_max, uniform));
  }
  return end;
}

Call Measurer::CallFor(const MeasureJob& job) const {
  Call call = BackgroundCall("ingestion", job.binding.workspace_id);
  call.deadline = clock_.Now() + options_.call_max;
  return call;
}

StatusOr<MeasureResult> Measurer::Measure(const MeasureJob& job) {
  MeasureEnd end;
  MeasureResult result;
  Status status;
  if (!job.posts.empty()) status = MeasurePosts(job, end, result);
  const auto budget_wait = [&] { return BudgetWait(result.rate, options_.wait_max, uniform_()); };
  end.pause = budget_wait();
  if (status.ok() && job.own && !stopping_ && end.pause == absl::ZeroDuration()) {
    status = MeasureOwn(job, end, result);
    end.pause = budget_wait();
  }
  if (!status.ok()) {
    // A missing permission may be one to measure only, so accounts is not told of it.
    if (status.code() == Code::kUnauthenticated) meter_.ReportBroken(CallFor(job), job, status);
    const MeasureEnd refused = AfterRefusal(job, status, options_, uniform_());
    end.failures = refused.failures;
    end.pause = std::max(end.pause, refused.pause);
  }
  Status released = store_.Release(job, end);
  if (!status.ok()) return status;
  PARVIS_RETURN_IF_ERROR(released);
  return result;
}

Status Measurer::MeasurePosts(const MeasureJob& job, MeasureEnd& end, MeasureResult& result) {
  const size_t part = std::max<size_t>(job.posts.size() >> std::min(job.failures, 6), 1);
  const std::vector<MeasuredPost> asked(job.posts.begin(), job.posts.begin() + static_cast<std::ptrdiff_t>(part));
  std::vector<std::string> ids;
  for (const MeasuredPost& post : asked) ids.push_back(post.remote_id);
  PARVIS_ASSIGN_OR_RETURN(ChannelMeter::Reading read, meter_.Measure(CallFor(job), job, ids));
  result.rate = read.rate;
  const absl::Time now = clock_.WallNow();
  std::map<std::string, std::map<std::string, int64_t>> by_id;
  for (ChannelMeter::Counted& one : read.counted) by_id[one.remote_id] = std::move(one.counters);
  std::vector<Sample> samples;
  std::vector<MeasureEnd::Post> posts;
  for (const MeasuredPost& post : asked) {
    auto it = by_id.find(post.remote_id);
    const int misses = it == by_id.end() ? post.misses + 1 : 0;
    posts.push_back({post.remote_id, NextMeasure(now - post.published, misses, options_, uniform_()), misses});
    if (it != by_id.end()) samples.push_back(MakeSample(job, post.remote_id, now, std::move(it->second)));
  }
  PARVIS_RETURN_IF_ERROR(sink_.Send(samples));
  end.posts = std::move(posts);
  result.samples += static_cast<int>(samples.size());
  result.missing += static_cast<int>(asked.size() - samples.size());
  return absl::OkStatus();
}

Status Measurer::MeasureOwn(const MeasureJob& job, MeasureEnd& end, MeasureResult& result) {
  PARVIS_ASSIGN_OR_RETURN(ChannelMeter::Reading read, meter_.Measure(CallFor(job), job, {}));
  result.rate = read.rate;
  std::vector<Sample> samples;
  if (!read.counted.empty()) {
    samples.push_back(MakeSample(job, "", clock_.WallNow(), std::move(read.counted.front().counters)));
    PARVIS_RETURN_IF_ERROR(sink_.Send(samples));
  }
  end.own_next_in = Jittered(std::min(options_.channel_every, kPlannedMax / 2.5), uniform_());
  result.samples += static_cast<int>(samples.size());
  return absl::OkStatus();
}

}  // namespace parvis::ingestion
