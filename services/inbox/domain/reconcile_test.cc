#include "inbox/domain/reconcile.h"

#include <gtest/gtest.h>

namespace parvis::inbox {
namespace {

Accepted Item(const std::string& workspace, const std::string& id, int64_t offset) {
  return {.workspace_id = workspace,
          .channel_id = "c",
          .remote_key = "r" + id,
          .activity_id = id,
          .partition = 0,
          .offset = offset};
}

TEST(ReconcileTest, EveryDifferenceIsExplained) {
  Stages stages;
  stages.assessed = {{0, 5}};
  stages.folded = {{2, 10}};
  stages.assessments = {{"waits", {2, 10}}, {"folded", {2, 9}}, {"elsewhere", {3, 0}}};
  stages.dead = {"poison"};
  const std::vector<Accepted> accepted = {Item("w1", "stored", 0),   Item("w1", "waits", 1),   Item("w1", "folded", 2),
                                          Item("w1", "poison", 3),   Item("w1", "dropped", 4), Item("w1", "new", 5),
                                          Item("w2", "elsewhere", 1)};
  const auto tallies = Reconcile(accepted, {true, false, false, false, false, false, false}, stages);
  const Tally& one = tallies.at("w1");
  EXPECT_EQ(one.accepted, 6);
  EXPECT_EQ(one.stored, 1);
  EXPECT_EQ(one.dead, 1);
  EXPECT_EQ(one.in_flight, 2) << "not assessed yet; assessed and not folded yet";
  ASSERT_EQ(one.missing.size(), 2u);
  EXPECT_EQ(one.missing[0].activity_id, "folded");
  EXPECT_EQ(one.missing[1].activity_id, "dropped") << "moderation says it is done, and there is no assessment";
  EXPECT_FALSE(one.Balanced());
  EXPECT_TRUE(tallies.at("w2").Balanced()) << "nobody has folded that partition yet";
}

}  // namespace
}  // namespace parvis::inbox
