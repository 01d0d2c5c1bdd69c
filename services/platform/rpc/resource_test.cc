#include "platform/rpc/resource.h"

#include <gtest/gtest.h>

#include "parvis/platform/rpctest/v1/echo_service.pb.h"

namespace parvis::rpc {
namespace {

constexpr char kId[] = "0190a0b1-0000-7000-8000-000000000001";

TEST(ParseNameTest, SplitsByThePattern) {
  const auto ids = ParseName("name", std::string("workspaces/") + kId + "/things/" + kId, "workspaces/*/things/*");
  ASSERT_TRUE(ids.ok());
  EXPECT_EQ(*ids, (std::vector<std::string>{kId, kId}));
}

TEST(ParseNameTest, RefusesAllElse) {
  for (const std::string& name :
       {std::string(), std::string("workspaces"), std::string("workspaces/x"), std::string("things/") + kId,
        std::string("workspaces/") + kId + "/", std::string("workspaces/") + "0190A0B1-0000-7000-8000-000000000001"}) {
    const auto ids = ParseName("parent", name, "workspaces/*");
    ASSERT_FALSE(ids.ok()) << name;
    const Error error = ToError(ids.status());
    EXPECT_EQ(error.reason, "INVALID_NAME");
    EXPECT_EQ(error.code, Code::kInvalidArgument);
    ASSERT_EQ(error.violations.size(), 1u);
    EXPECT_EQ(error.violations[0].field, "parent");
  }
}

TEST(PageTokenTest, RoundTrip) {
  const std::vector<std::string> keyset = {"2026-01-01T00:00:00Z", "", std::string("\0\xff", 2)};
  const auto back = DecodePageToken(EncodePageToken("q", keyset), "q");
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, keyset);
}

TEST(PageTokenTest, OfAnotherQuery) {
  EXPECT_EQ(ReasonOf(DecodePageToken(EncodePageToken("q", {"a"}), "p").status()), "PAGE_TOKEN_OF_ANOTHER_QUERY");
}

TEST(PageTokenTest, Rubbish) {
  std::string changed = EncodePageToken("q", {"abcdef"});
  changed[changed.size() / 2] = changed[changed.size() / 2] == 'A' ? 'B' : 'A';
  for (const std::string& token :
       {std::string("x"), std::string("!!!!"), std::string(5000, 'A'), changed, std::string()}) {
    EXPECT_EQ(ReasonOf(DecodePageToken(token, "q").status()), "PAGE_TOKEN_INVALID") << token.substr(0, 20);
  }
}

TEST(QueryDigestTest, IgnoresTheWindowAndNothingElse) {
  rpctest::v1::EchoRequest a, b;
  a.set_parent("p");
  b.set_parent("p");
  b.set_page_size(7);
  b.set_page_token("t");
  EXPECT_EQ(QueryDigest(a), QueryDigest(b));
  b.set_text("x");
  EXPECT_NE(QueryDigest(a), QueryDigest(b));
}

TEST(PageSizeTest, DefaultsAndCaps) {
  EXPECT_EQ(PageSize(0, 50, 200).value(), 50);
  EXPECT_EQ(PageSize(7, 50, 200).value(), 7);
  EXPECT_EQ(PageSize(1000, 50, 200).value(), 200);
  EXPECT_EQ(ReasonOf(PageSize(-1, 50, 200).status()), "PAGE_SIZE");
}

TEST(RequestIdTest, AUuidOrNothing) {
  EXPECT_TRUE(CheckRequestId("").ok());
  EXPECT_TRUE(CheckRequestId(kId).ok());
  EXPECT_EQ(ReasonOf(CheckRequestId("1")), "REQUEST_ID");
}

}  // namespace
}  // namespace parvis::rpc
