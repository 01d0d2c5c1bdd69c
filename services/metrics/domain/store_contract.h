// What every pair of FactStore and RollupStore promises; runs on the fake and on PostgreSQL.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "metrics/domain/counters.h"
#include "metrics/domain/facts.h"
#include "metrics/domain/timeseries.h"
#include "platform/base/ids.h"

namespace parvis::metrics {

inline const std::string kWorkspace = UuidOfName("workspace");
inline const std::string kOtherWorkspace = UuidOfName("other workspace");
inline const std::string kChannel = UuidOfName("channel");
inline const std::string kCampaign = UuidOfName("campaign");
inline const absl::Time kNoon = absl::FromCivil(absl::CivilSecond(2026, 3, 1, 12, 0, 0), absl::UTCTimeZone());

inline ActivityFact Comment(const std::string& remote_id, absl::Time at = kNoon, const std::string& post = "post-1") {
  ActivityFact fact{.workspace_id = kWorkspace, .channel_id = kChannel, .network = "facebook", .kind = "comment", .remote_id = remote_id,
                    .post_remote_id = post, .occurred_time = at, .action = "allow", .language = "fr", .intent = "other"};
  fact.fact_id = ActivityFactId(fact.kind, fact.channel_id, remote_id, "activity " + remote_id);
  return fact;
}
inline DeliveryFact Post(const std::string& id, int64_t sequence, const std::string& state, const std::string& remote_id = "",
                         absl::Duration late = absl::ZeroDuration()) {
  DeliveryFact fact{.workspace_id = kWorkspace, .delivery_id = id, .sequence = sequence, .channel_id = kChannel, .network = "facebook",
                    .kind = "post", .state = state, .campaign_id = kCampaign, .post_id = UuidOfName(id), .remote_id = remote_id,
                    .due_time = kNoon, .event_time = kNoon + late};
  if (state == "delivered") fact.delivered_time = kNoon + late;
  return fact;
}
inline ConversationFact Conversation(const std::string& event_id, int64_t sequence, const std::string& type, const std::string& conversation) {
  return {.workspace_id = kWorkspace, .event_id = event_id, .sequence = sequence, .type = type, .event_time = kNoon,
          .conversation_id = UuidOfName(conversation), .channel_id = kChannel, .network = "facebook", .post_remote_id = "post-1",
          .first_message_time = kNoon};
}

inline SampleFact Sample(const std::string& post, absl::Time at, std::map<std::string, int64_t> counters) {
  return {.workspace_id = kWorkspace, .channel_id = kChannel, .network = "facebook", .post_remote_id = post, .measured_time = at,
          .counters = std::move(counters)};
}

// Value-parameterized by a factory of stores, both empty and the same behind.
struct Stores {
  std::shared_ptr<FactStore> facts;
  std::shared_ptr<RollupStore> rollups;
  std::shared_ptr<CounterStore> counters;
  std::function<StreamPosition()> next;   // a position that the store accepts, further on at every call
};
class StoreContract : public ::testing::TestWithParam<std::function<Stores()>> {
 protected:
  void SetUp() override { stores_ = GetParam()(); }
  int64_t Total(const std::string& metric, const std::string& campaign = "", const std::string& workspace = kWorkspace) {
    Call call = BackgroundCall("test", workspace);
    const TimeseriesQuery query{.metric = metric, .campaign_id = campaign, .start = kNoon - absl::Hours(48),
                                .end = kNoon + absl::Hours(48), .step = Step::kDay};
    const auto points = stores_.rollups->Sum(call, query);
    EXPECT_TRUE(points.ok()) << points.status();
    int64_t total = 0;
    for (const Point& point : *points) total += point.value;
    return total;
  }
  // What `counter` of the posts, or as `query` says, stands at; -1 if there is none.
  int64_t Latest(const std::string& counter, const CounterQuery& query = {}, const std::string& workspace = kWorkspace) {
    const auto all = QueryCounters(BackgroundCall("test", workspace), query, 100, *stores_.counters);
    EXPECT_TRUE(all.ok()) << all.status();
    for (const CounterSeries& one : *all) {
      if (one.counter == counter) return one.value;
    }
    return -1;
  }
  Stores stores_;
};

}  // namespace parvis::metrics
