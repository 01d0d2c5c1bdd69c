#include "gateway/transport/connect_error.h"

#include <gtest/gtest.h>

#include "platform/rpc/client.h"

namespace parvis::gateway {
namespace {

TEST(ConnectErrorTest, CodesAsTheProtocolListsThem) {
  const std::pair<const char*, int> table[] = {{"canceled", 499},
                                               {"unknown", 500},
                                               {"invalid_argument", 400},
                                               {"deadline_exceeded", 504},
                                               {"not_found", 404},
                                               {"already_exists", 409},
                                               {"permission_denied", 403},
                                               {"resource_exhausted", 429},
                                               {"failed_precondition", 400},
                                               {"aborted", 409},
                                               {"out_of_range", 400},
                                               {"unimplemented", 501},
                                               {"internal", 500},
                                               {"unavailable", 503},
                                               {"data_loss", 500},
                                               {"unauthenticated", 401}};
  for (int code = 1; code <= 16; ++code) {
    EXPECT_EQ(ConnectCode(code), table[code - 1].first);
    EXPECT_EQ(HttpStatusOf(code), table[code - 1].second);
  }
  EXPECT_EQ(ConnectCode(77), "unknown");
  EXPECT_EQ(HttpStatusOf(-1), 500);
}

TEST(ConnectErrorTest, DetailsForProgramsAndForPeople) {
  const ConnectError error =
      RenderError(rpc::ToGrpc(ToStatus({.code = Code::kInvalidArgument,
                                        .reason = "TEXT_TOO_LONG",
                                        .message = "too \"long\"",
                                        .violations = {{"post.text", "at most 280", "TEXT_TOO_LONG"}},
                                        .retry_after = absl::Milliseconds(1500)}),
                              "d"));
  EXPECT_EQ(error.http_status, 400);
  EXPECT_EQ(error.retry_after_seconds, 2);
  EXPECT_EQ(
      error.json.rfind(
          R"({"code":"invalid_argument","message":"too \"long\"","details":[{"type":"google.rpc.ErrorInfo","value":")",
          0),
      0u)
      << error.json;
  EXPECT_NE(error.json.find(R"("debug":{"reason":"TEXT_TOO_LONG","domain":"d"}})"), std::string::npos) << error.json;
  EXPECT_NE(error.json.find(R"("debug":{"fieldViolations":[{"field":"post.text","description":"at most 280")"),
            std::string::npos)
      << error.json;
  EXPECT_EQ(error.json.find('='), std::string::npos) << "base64 is written without padding";
}

TEST(ConnectErrorTest, WhatGrpcSaysAboutConnectionsStaysInside) {
  const grpc::Status status =
      FromBackend({grpc::StatusCode::UNAVAILABLE, "failed to connect to ipv4:10.0.0.7:8443"}, "parvis.inbox.v1");
  EXPECT_EQ(status.error_message(), "parvis.inbox.v1 cannot be reached; try again");
  EXPECT_EQ(ReasonOf(rpc::FromGrpc(status)), "BACKEND_UNAVAILABLE");
  const grpc::Status own = rpc::ToGrpc(MakeError(Code::kUnavailable, "BUSY", "busy"), "d");
  EXPECT_EQ(FromBackend(own, "p").error_message(), "busy");
  EXPECT_TRUE(FromBackend(grpc::Status::OK, "p").ok());
}

}  // namespace
}  // namespace parvis::gateway
