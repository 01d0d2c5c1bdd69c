// The test service and a server around it.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "parvis/platform/rpctest/v1/echo_service.grpc.pb.h"
#include "platform/rpc/client.h"
#include "platform/rpc/server.h"
#include "platform/rpc/stream.h"
#include "platform/rpc/unary.h"

namespace parvis::rpc::testing {

inline constexpr char kWorkspace[] = "0190a0b1-0000-7000-8000-000000000001";
inline constexpr char kOther[] = "0190a0b1-0000-7000-8000-000000000002";

inline std::string ThingName(const std::string& workspace) { return "workspaces/" + workspace + "/things/x"; }

class FakeAuthenticator : public Authenticator {
 public:
  FakeAuthenticator() {
    const auto member = [&](const std::string& token, Role role, const std::string& workspace) {
      Principal principal;
      principal.workspace_id = workspace;
      principal.organization_id = "org";
      principal.member_id = "member-" + token;
      principal.key_id = "key-" + token;
      principal.roles = {role};
      principals[token] = principal;
    };
    member("moderator", Role::kModerator, kWorkspace);
    member("owner", Role::kOwner, kWorkspace);
    member("analyst", Role::kAnalyst, kWorkspace);
    member("wide", Role::kOwner, "");
  }
  StatusOr<Principal> Authenticate(const std::string& token) override {
    const auto it = principals.find(token);
    if (it == principals.end()) return MakeError(Code::kUnauthenticated, "TOKEN_UNKNOWN", "unknown key");
    return it->second;
  }
  std::map<std::string, Principal> principals;
};

// Opens once.
class Gate {
 public:
  void Open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    wake_.notify_all();
  }
  bool Wait(absl::Duration limit = absl::Seconds(20)) {
    std::unique_lock lock(mutex_);
    return wake_.wait_for(lock, absl::ToChronoNanoseconds(limit), [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool open_ = false;
};

class EchoService : public rpctest::v1::EchoService::CallbackService {
 public:
  explicit EchoService(Runtime& runtime) : runtime_(runtime) {}

  // What Echo does besides echoing; by text.
  std::function<Status(const Call&, const rpctest::v1::EchoRequest&)> on_echo;
  std::function<void(std::shared_ptr<StreamSink>)> on_watch;

  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const rpctest::v1::EchoRequest* request,
                                 rpctest::v1::EchoResponse* response) override {
    return Unary(context, runtime_, "parvis.rpctest.v1.EchoService/Echo", *request, *response,
                 [this](const Call& call, const auto& r, auto& out) { return Answer(call, r, out); });
  }
  grpc::ServerUnaryReactor* Internal(grpc::CallbackServerContext* context, const rpctest::v1::EchoRequest* request,
                                     rpctest::v1::EchoResponse* response) override {
    return Unary(context, runtime_, "parvis.rpctest.v1.EchoService/Internal", *request, *response,
                 [this](const Call& call, const auto& r, auto& out) { return Answer(call, r, out); });
  }
  grpc::ServerUnaryReactor* Open(grpc::CallbackServerContext* context, const rpctest::v1::EchoRequest* request,
                                 rpctest::v1::EchoResponse* response) override {
    return Unary(context, runtime_, "parvis.rpctest.v1.EchoService/Open", *request, *response,
                 [this](const Call& call, const auto& r, auto& out) { return Answer(call, r, out); });
  }
  grpc::ServerWriteReactor<rpctest::v1::EchoResponse>* Watch(grpc::CallbackServerContext* context,
                                                             const rpctest::v1::EchoRequest* request) override {
    return Stream<rpctest::v1::EchoResponse>(
        context, runtime_, "parvis.rpctest.v1.EchoService/Watch", *request,
        [this](const Call& call, const rpctest::v1::EchoRequest& r, std::shared_ptr<StreamSink> sink) -> Status {
          if (r.text() == "refuse") return MakeError(Code::kFailedPrecondition, "REFUSED", "no stream today");
          for (int i = 0; i < r.count(); ++i) {
            auto message = std::make_shared<rpctest::v1::EchoResponse>();
            message->set_sequence(i);
            message->set_text(r.text());
            message->set_workspace(call.workspace_id);
            if (const Status sent = sink->Send(message); !sent.ok()) break;
          }
          if (r.close()) {
            sink->Finish(r.text() == "fail" ? MakeError(Code::kAborted, "BROKEN", "it broke") : absl::OkStatus());
          }
          if (on_watch) on_watch(sink);
          return absl::OkStatus();
        });
  }

 private:
  Status Answer(const Call& call, const rpctest::v1::EchoRequest& r, rpctest::v1::EchoResponse& out) {
    if (on_echo) PARVIS_RETURN_IF_ERROR(on_echo(call, r));
    out.set_text(r.text());
    out.set_workspace(call.workspace_id);
    out.set_member(call.principal.member_id);
    out.set_service(call.principal.service);
    out.set_trace_id(call.trace.trace_id);
    out.set_remaining_millis(absl::ToInt64Milliseconds(call.Remaining(RealClock())));
    out.set_kind(r.kind());
    out.set_big_number(r.big_number());
    return absl::OkStatus();
  }
  Runtime& runtime_;
};

// A running server.
struct EchoServer {
  explicit EchoServer(ServerConfig config = {})
      : runtime("rpctest", config, authenticator, clock, metrics),
        service(runtime),
        server(config, runtime, {&service}) {
    started = server.Start();
  }
  std::shared_ptr<grpc::Channel> Channel() const {
    return grpc::CreateChannel(server.address(), grpc::InsecureChannelCredentials());
  }
  std::unique_ptr<rpctest::v1::EchoService::Stub> Stub() const {
    return rpctest::v1::EchoService::NewStub(std::shared_ptr<grpc::ChannelInterface>(Channel()));
  }
  RealClock clock;
  obs::Metrics metrics;
  FakeAuthenticator authenticator;
  Runtime runtime;
  EchoService service;
  Server server;
  Status started;
};

// One call's context with a key and a deadline.
struct Context : grpc::ClientContext {
  explicit Context(const std::string& token, absl::Duration deadline = absl::Seconds(20)) {
    if (!token.empty()) AddMetadata("authorization", "Bearer " + token);
    set_deadline(absl::ToChronoTime(absl::Now() + deadline));
  }
};

}  // namespace parvis::rpc::testing
