#include "platform/rpc/server.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "platform/base/clock.h"
#include "platform/obs/log.h"
#include "platform/rpc/tenants.h"
#include "platform/rpc/testdata/echo.h"
#include "platform/testing/wait.h"

namespace parvis::rpc {
namespace {

using rpctest::v1::EchoRequest;
using rpctest::v1::EchoResponse;
using testing::Context;
using testing::EchoServer;
using testing::Gate;
using testing::kOther;
using testing::kWorkspace;
using testing::ThingName;

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(echo_.started.ok()) << echo_.started; }
  Status Ask(const std::string& token, const EchoRequest& request = {}) {
    Context context(token);
    return FromGrpc(stub_->Echo(&context, request, &response_));
  }
  // The serialized HealthCheckResponse, or the code's name.
  std::string Health(const std::string& service) {
    grpc::GenericStub stub(echo_.Channel());
    const std::string bytes = std::string("\x0a") + static_cast<char>(service.size()) + service;
    const grpc::Slice slice(bytes);
    grpc::ByteBuffer request(&slice, 1), response;
    Context context("");
    Gate done;
    grpc::Status status;
    stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", {}, &request, &response, [&](grpc::Status s) {
      status = std::move(s);
      done.Open();
    });
    if (!done.Wait()) return "no answer";
    grpc::Slice answer;
    return status.ok() && response.DumpToSingleSlice(&answer).ok()
               ? std::string(reinterpret_cast<const char*>(answer.begin()), answer.size())
               : status.error_message();
  }
  static ServerConfig Config() {
    ServerConfig config;
    config.threads = 2;
    config.queue_max = 1;
    config.deadline_max = absl::Seconds(5);
    return config;
  }
  EchoServer echo_{Config()};
  std::unique_ptr<rpctest::v1::EchoService::Stub> stub_ = echo_.Stub();
  EchoResponse response_;
};

TEST_F(ServerTest, TheBodyKnowsWhoAsksAndWhere) {
  EchoRequest request;
  request.set_text("hello");
  request.set_parent(std::string("workspaces/") + kWorkspace);
  Context context("owner");
  context.AddMetadata("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  const grpc::Status status = stub_->Echo(&context, request, &response_);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response_.text(), "hello");
  EXPECT_EQ(response_.workspace(), kWorkspace);
  EXPECT_EQ(response_.member(), "member-owner");
  EXPECT_EQ(response_.trace_id(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_NE(echo_.metrics.Expose().find("parvis_rpc_server_duration_seconds_count{code=\"OK\",method=\"Echo\","
                                        "service=\"parvis.rpctest.v1.EchoService\"} 1"),
            std::string::npos)
      << echo_.metrics.Expose();
}

TEST_F(ServerTest, WithoutAGoodToken) {
  EXPECT_EQ(ReasonOf(Ask("")), "TOKEN_MISSING");
  EXPECT_EQ(ReasonOf(Ask("nobody")), "TOKEN_UNKNOWN");
  EXPECT_EQ(ReasonOf(Ask("svc.forged.token")), "TOKEN_UNKNOWN");
  EXPECT_EQ(ReasonOf(Ask(std::string(5000, 'x'))), "TOKEN_MALFORMED");
  grpc::ClientContext basic;
  basic.AddMetadata("authorization", "Basic abc");
  EXPECT_EQ(ReasonOf(FromGrpc(stub_->Echo(&basic, {}, &response_))), "TOKEN_MALFORMED");
}

TEST_F(ServerTest, WhatAnyoneMayCallAsksForNoToken) {
  EchoRequest request;
  request.set_name(ThingName(kOther));
  for (const char* key : {"", "nobody", "owner"}) {
    Context context(key);
    const grpc::Status status = stub_->Open(&context, request, &response_);
    ASSERT_TRUE(status.ok()) << key << ": " << status.error_message();
    EXPECT_EQ(response_.workspace(), kOther);
    EXPECT_EQ(response_.member(), "") << "who shows a key is nobody either";
  }
}

TEST_F(ServerTest, RoleAndWorkspaceAreChecked) {
  EXPECT_EQ(Ask("analyst").code(), Code::kPermissionDenied);
  EXPECT_EQ(ReasonOf(Ask("analyst")), "ROLE_MISSING");
  EchoRequest request;
  request.mutable_thing()->set_name(ThingName(kOther));
  EXPECT_EQ(ReasonOf(Ask("moderator", request)), "WORKSPACE_MISMATCH");
  EXPECT_EQ(ReasonOf(Ask("wide", request)), "WORKSPACE_MISMATCH");
}

TEST_F(ServerTest, TheDeadlineIsCappedAndPassedOn) {
  Context far("owner", absl::Hours(1));
  ASSERT_TRUE(stub_->Echo(&far, {}, &response_).ok());
  EXPECT_LE(response_.remaining_millis(), 5100);
  EXPECT_GT(response_.remaining_millis(), 1000);
  Context near("owner", absl::Seconds(2));
  ASSERT_TRUE(stub_->Echo(&near, {}, &response_).ok());
  EXPECT_LE(response_.remaining_millis(), 2100);  // the wire rounds it up
}

TEST_F(ServerTest, ErrorsCarryTheirDetails) {
  echo_.service.on_echo = [](const Call&, const EchoRequest&) {
    return InvalidFields({{"a", "is wrong", "A_WRONG"}, {"b", "is missing", "B_MISSING"}});
  };
  const Error error = ToError(Ask("owner"));
  EXPECT_EQ(error.code, Code::kInvalidArgument);
  EXPECT_EQ(error.reason, "A_WRONG");
  EXPECT_EQ(error.violations.size(), 2u);
}

TEST_F(ServerTest, InternalErrorsAreLoggedAndHidden) {
  std::mutex mutex;
  std::vector<std::string> lines;
  obs::SetLogSink([&](std::string_view line) {
    std::lock_guard lock(mutex);
    lines.emplace_back(line);
  });
  echo_.service.on_echo = [](const Call&, const EchoRequest&) -> Status { throw std::runtime_error("SELECT secret"); };
  const Error error = ToError(Ask("owner"));
  obs::SetLogSink(nullptr);
  EXPECT_EQ(error.code, Code::kInternal);
  EXPECT_EQ(error.reason, "UNCAUGHT_EXCEPTION");
  EXPECT_EQ(error.message.find("SELECT"), std::string::npos);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("SELECT secret"), std::string::npos);
}

TEST_F(ServerTest, OverloadIsRefusedAtOnceAndHealthAnswersMeanwhile) {
  Gate release;
  std::atomic<int> running{0};
  Gate runs[2];
  echo_.service.on_echo = [&](const Call&, const EchoRequest&) {
    if (const int n = running++; n < 2) runs[n].Open();
    release.Wait();
    return absl::OkStatus();
  };
  // Two run, one waits, the fourth and later are refused.
  std::atomic<int> refused{0}, served{0};
  Gate refusal;
  std::vector<std::thread> callers;
  for (int i = 0; i < 6; ++i) {
    if (i == 1 || i == 2) {  // a thread has taken the one before from the queue
      ASSERT_TRUE(runs[i - 1].Wait());
    }
    callers.emplace_back([&] {
      EchoResponse response;
      Context context("owner");
      const Status status = FromGrpc(stub_->Echo(&context, {}, &response));
      if (status.ok()) ++served;
      if (ReasonOf(status) == "OVERLOADED" && ToError(status).retry_after && ++refused == 3) refusal.Open();
    });
  }
  EXPECT_TRUE(refusal.Wait());
  EXPECT_EQ(Health("parvis.rpctest.v1.EchoService"), "\x08\x01");  // SERVING
  release.Open();
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(refused, 3);
  EXPECT_EQ(served, 3);
}

TEST(ServerShareTest, WhoFloodsIsRefusedAndTheOthersAreServed) {
  ServerConfig config;
  config.threads = 3;
  config.tenant_threads_max = 2;
  config.tenant_queue_max = 1;
  EchoServer echo(config);
  ASSERT_TRUE(echo.started.ok()) << echo.started;
  const auto stub = echo.Stub();
  const auto ask = [&](const std::string& token, const std::string& text, bool wants_tenant = true) {
    EchoRequest request;
    EchoResponse response;
    request.set_text(text);
    Context context(token);
    if (wants_tenant) context.AddMetadata(kAskTenantMetadata, "1");
    const Status status = FromGrpc(stub->Echo(&context, request, &response));
    const auto& trailers = context.GetServerTrailingMetadata();
    const auto tenant = trailers.find(kTenantMetadata);
    return std::pair(status, tenant == trailers.end() ? "" : std::string(tenant->second.data(), tenant->second.size()));
  };
  // Two keys of one workspace are one tenant, once they have been seen.
  EXPECT_EQ(ask("owner", "").second, std::string("workspaces/") + kWorkspace);
  EXPECT_EQ(ask("moderator", "").second, std::string("workspaces/") + kWorkspace);
  EXPECT_EQ(ask("nobody", "").second, "");
  EXPECT_EQ(ask("owner", "", false).second, "");  // only who asks is told
  Gate release, refusal;
  std::atomic<int> running{0}, refused{0};
  echo.service.on_echo = [&](const Call&, const EchoRequest& request) {
    if (request.text() != "slow") return absl::OkStatus();
    ++running;
    release.Wait();
    return absl::OkStatus();
  };
  std::vector<std::thread> flood;
  for (int i = 0; i < 8; ++i) {
    if (i == 1 || i == 2) {  // a thread has taken the one before from the queue
      ASSERT_TRUE(parvis::testing::WaitFor([&] { return running == i; }, absl::Seconds(10)));
    }
    flood.emplace_back([&, i] {
      const Status status = ask(i % 2 ? "owner" : "moderator", "slow").first;
      if (ReasonOf(status) == "TENANT_OVERLOADED" && ToError(status).retry_after && ++refused == 5) refusal.Open();
    });
  }
  EXPECT_TRUE(refusal.Wait());
  for (int i = 0; i < 50; ++i) {
    const Status status = ask("wide", "").first;
    EXPECT_TRUE(status.ok()) << status;
  }
  release.Open();
  for (std::thread& caller : flood) caller.join();
  EXPECT_EQ(refused, 5);
}

TEST_F(ServerTest, ACallThatIsDeadBeforeItRunsIsSkipped) {
  Gate release, running[2];
  std::atomic<int> bodies{0};
  echo_.service.on_echo = [&](const Call&, const EchoRequest&) {
    if (const int n = bodies++; n < 2) running[n].Open();
    release.Wait();
    return absl::OkStatus();
  };
  std::vector<std::thread> callers;
  for (int i = 0; i < 2; ++i) {
    callers.emplace_back([&] {
      EchoResponse response;
      Context context("owner");
      (void)stub_->Echo(&context, {}, &response);
    });
    ASSERT_TRUE(running[i].Wait());
  }
  Context hasty("owner", absl::Milliseconds(100));
  const RealClock clock;
  const Instant asked = clock.Now();
  EXPECT_EQ(FromGrpc(stub_->Echo(&hasty, {}, &response_)).code(), Code::kDeadlineExceeded);
  // The server counts from the arrival: its deadline comes a little after the client's.
  ASSERT_TRUE(
      parvis::testing::WaitFor([&] { return clock.Now() - asked > absl::Milliseconds(300); }, absl::Seconds(10)));
  release.Open();
  for (std::thread& caller : callers) caller.join();
  echo_.server.Stop(absl::Seconds(5));
  EXPECT_EQ(bodies, 2);
}

TEST_F(ServerTest, StopLetsCallsFinishAndTakesNoNewOnes) {
  Gate running, release;
  echo_.service.on_echo = [&](const Call&, const EchoRequest&) {
    running.Open();
    release.Wait();
    return absl::OkStatus();
  };
  Status first;
  std::thread caller([&] { first = Ask("owner"); });
  ASSERT_TRUE(running.Wait());
  std::thread stopper([&] { echo_.server.Stop(absl::Seconds(20)); });
  // New calls are refused while the first still runs.
  Status second;
  const absl::Time give_up = absl::Now() + absl::Seconds(10);
  do {
    EchoResponse response;
    Context context("nobody", absl::Seconds(2));
    second = FromGrpc(echo_.Stub()->Echo(&context, {}, &response));
  } while (second.code() == Code::kUnauthenticated && absl::Now() < give_up);
  EXPECT_NE(second.code(), Code::kUnauthenticated);
  release.Open();
  caller.join();
  stopper.join();
  EXPECT_TRUE(first.ok()) << first;
}

TEST_F(ServerTest, StopCancelsWhatTakesTooLong) {
  Gate running;
  echo_.service.on_echo = [&](const Call&, const EchoRequest&) {
    running.Open();
    Gate never;
    never.Wait(absl::Seconds(1));  // longer than the stop allows
    return absl::OkStatus();
  };
  std::thread caller([&] { (void)Ask("owner"); });
  ASSERT_TRUE(running.Wait());
  const Instant began = RealClock().Now();
  echo_.server.Stop(absl::Milliseconds(200));
  EXPECT_LT(RealClock().Now() - began, absl::Seconds(10));
  caller.join();
}

TEST_F(ServerTest, AnAddressInUseIsSaid) {
  ServerConfig config;
  config.address = echo_.server.address();
  EchoServer second(config);
  EXPECT_EQ(ReasonOf(second.started), "ADDRESS_IN_USE");
}

// Every bound is a setting, and none of them can be switched off.
TEST(ServerConfigTest, EveryBoundIsASetting) {
  ServerConfig config;
  app::Options options;
  config.Declare(options);
  EXPECT_TRUE(app::Parse("test", options, {}, {}).ok());
  for (const char* name : {"threads", "queue_max", "tenant_threads_max", "tenant_queue_max", "tenant_streams_max",
                           "streams_max", "stream_queue_max", "message_max_bytes"}) {
    const Error error = ToError(app::Parse("test", options, {std::string("--rpc_") + name + "=0"}, {}));
    ASSERT_EQ(error.violations.size(), 1u) << name;
    EXPECT_EQ(error.violations[0].field, std::string("--rpc_") + name);
  }
}

TEST(ServerStartTest, RefusesAMethodWithoutRole) {
  RealClock clock;
  obs::Metrics metrics;
  testing::FakeAuthenticator authenticator;
  Runtime runtime("rpctest", {}, authenticator, clock, metrics);
  rpctest::v1::BareService::CallbackService bare;
  Server server({}, runtime, {&bare});
  const Status status = server.Start();
  EXPECT_EQ(ReasonOf(status), "METHOD_WITHOUT_ROLE");
  EXPECT_NE(ToError(status).message.find("parvis.rpctest.v1.BareService.Bare"), std::string::npos);
}

TEST(ServerStartTest, RefusesAnUnreadableKeyFile) {
  ServerConfig config;
  config.service_key_file = "/nonexistent/key";
  EchoServer echo(config);
  EXPECT_EQ(ReasonOf(echo.started), "SECRET_FILE_UNREADABLE");
}

}  // namespace
}  // namespace parvis::rpc
