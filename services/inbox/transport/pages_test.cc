#include "inbox/transport/pages.h"

#include <gtest/gtest.h>

#include "inbox/domain/testing/scenario.h"

namespace parvis::inbox {
namespace {

StatusOr<Page> PageFor(const v1::ListConversationsRequest& r) { return MakePage(r, r.page_size(), r.page_token(), 50, 200); }

TEST(Pages, ATokenBelongsToItsQuery) {
  v1::ListConversationsRequest r;
  r.set_parent("workspaces/w");
  const auto first = PageFor(r);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->size, 50);
  EXPECT_FALSE(first->after);
  r.set_page_token(rpc::EncodePageToken(first->digest, KeysetOf(testing::At(3), testing::RequestId(1))));
  r.set_page_size(500);
  const auto second = PageFor(r);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->size, 200);
  EXPECT_EQ(TimePositionOf(*second->after)->time, testing::At(3));
  r.set_language("fr");
  EXPECT_EQ(ReasonOf(PageFor(r).status()), "PAGE_TOKEN_OF_ANOTHER_QUERY");
  r.set_page_token("garbage");
  EXPECT_EQ(ReasonOf(PageFor(r).status()), "PAGE_TOKEN_INVALID");
  r.clear_page_token();
  r.set_page_size(-1);
  EXPECT_EQ(PageFor(r).status().code(), Code::kInvalidArgument);
}

TEST(Pages, MadeUpPositionsAreRefused) {
  for (const auto& keyset : std::vector<std::vector<std::string>>{
           {"x", testing::RequestId(1)}, {"", testing::RequestId(1)}, {"1", "'; DROP TABLE"},
           {"9223372036854775807", testing::RequestId(1)}, {"-9223372036854775808", testing::RequestId(1)}}) {
    EXPECT_EQ(ReasonOf(TimePositionOf(keyset).status()), "PAGE_TOKEN_INVALID") << keyset[0] << " " << keyset[1];
  }
}

TEST(Pages, FiltersAreChecked) {
  v1::ListConversationsRequest r;
  r.set_state(static_cast<v1::Conversation::State>(7));
  EXPECT_EQ(ReasonOf(FilterOf(r).status()), "UNKNOWN_VALUE");
  r.set_state(v1::Conversation::STATE_OPEN);
  r.set_kind(static_cast<v1::Conversation::Kind>(-1));
  EXPECT_EQ(ReasonOf(FilterOf(r).status()), "UNKNOWN_VALUE");
  r.set_kind(v1::Conversation::KIND_QUESTION);
  r.set_channel_id("x");
  EXPECT_EQ(ReasonOf(FilterOf(r).status()), "NOT_AN_ID");
  r.set_channel_id(testing::kChannel);
  r.set_assignee("a");
  r.set_unassigned(true);
  EXPECT_EQ(ReasonOf(FilterOf(r).status()), "CONTRADICTION");
  r.clear_assignee();
  r.set_language(std::string(101, 'x'));
  EXPECT_EQ(ReasonOf(FilterOf(r).status()), "TOO_LONG");
  r.set_language("fr");
  const auto filter = FilterOf(r);
  ASSERT_TRUE(filter.ok()) << filter.status();
  EXPECT_EQ(filter->assignee, "");
  EXPECT_EQ(filter->state, State::kOpen);
  EXPECT_EQ(filter->kind, Kind::kQuestion);
}

}  // namespace
}  // namespace parvis::inbox
