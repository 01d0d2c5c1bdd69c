#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include "platform/rpc/client.h"

namespace parvis::rpc {
namespace {

TEST(StatusTest, EverythingSurvivesTheWire) {
  const Error error{.code = Code::kInvalidArgument,
                    .reason = "TEXT_TOO_LONG",
                    .message = "too long",
                    .violations = {{"post.text", "at most 280", "TEXT_TOO_LONG"}, {"post.link", "missing", ""}},
                    .metadata = {{"limit", "280"}},
                    .retry_after = absl::Milliseconds(1500)};
  const Error back = ToError(FromGrpc(ToGrpc(ToStatus(error), "inbox.parvis.dev")));
  EXPECT_EQ(back.code, error.code);
  EXPECT_EQ(back.reason, error.reason);
  EXPECT_EQ(back.message, error.message);
  EXPECT_EQ(back.violations, error.violations);
  EXPECT_EQ(back.metadata, error.metadata);
  EXPECT_EQ(back.retry_after, error.retry_after);
  EXPECT_TRUE(ToGrpc(absl::OkStatus(), "d").ok());
  EXPECT_TRUE(FromGrpc(grpc::Status::OK).ok());
}

TEST(StatusTest, TooManyDetailsAreShortenedAndSaidToBe) {
  std::vector<Violation> violations;
  for (int i = 0; i < 1000; ++i) violations.push_back({"f" + std::to_string(i), std::string(100, 'x'), "R"});
  const grpc::Status status = ToGrpc(InvalidFields(violations), "d");
  EXPECT_LT(status.error_details().size() + status.error_message().size(), 7500u);
  const Error back = ToError(FromGrpc(status));
  ASSERT_GT(back.violations.size(), 10u);
  EXPECT_EQ(back.violations.back().reason, "MORE_VIOLATIONS");
  EXPECT_EQ(back.violations.back().description, "and " + std::to_string(1001 - back.violations.size()) + " more");
}

TEST(StatusTest, AStatusOfSomebodyElse) {
  const Error error = ToError(FromGrpc(grpc::Status(grpc::StatusCode::UNAVAILABLE, "connection refused")));
  EXPECT_EQ(error.code, Code::kUnavailable);
  EXPECT_EQ(error.reason, "UNAVAILABLE");
  EXPECT_EQ(error.message, "connection refused");
}

TEST(ServiceTokenTest, RoundTripAndRefusals) {
  const Secret key("k1"), other("k2");
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  const std::string token = MakeServiceToken("inbox", key, now);
  EXPECT_EQ(CheckServiceToken(token, key, now).value(), "inbox");
  EXPECT_EQ(CheckServiceToken(token, key, now + absl::Seconds(59)).value(), "inbox");
  EXPECT_EQ(ReasonOf(CheckServiceToken(token, key, now + absl::Seconds(60)).status()), "TOKEN_EXPIRED");
  EXPECT_EQ(ReasonOf(CheckServiceToken(token, other, now).status()), "TOKEN_UNKNOWN");
  EXPECT_EQ(ReasonOf(CheckServiceToken(token, Secret(), now).status()), "TOKEN_UNKNOWN");
  EXPECT_EQ(ReasonOf(CheckServiceToken(token, key, now - absl::Hours(1)).status()),
            "TOKEN_UNKNOWN");  // from the future
  for (const std::string& bad :
       {std::string("svc."), std::string("svc.a.b"), std::string("x"), token.substr(0, token.size() - 3)}) {
    EXPECT_EQ(ReasonOf(CheckServiceToken(bad, key, now).status()), "TOKEN_UNKNOWN") << bad;
  }
}

}  // namespace
}  // namespace parvis::rpc
