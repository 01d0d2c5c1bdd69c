// The desk before a real gRPC server that plays accounts.
#include "ingestion/clients/accounts_desk.h"

#include <atomic>
#include <functional>
#include <mutex>

#include <absl/strings/str_cat.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "parvis/accounts/v1/channel_directory_service.grpc.pb.h"
#include "platform/base/executor.h"
#include "platform/testing/wait.h"

namespace parvis::ingestion {
namespace {

namespace pb = ::parvis::accounts::v1;

// Answers what the test said; remembers what it was asked. Errors travel as accounts itself would send them.
class FakeAccounts final : public pb::ChannelDirectoryService::Service {
 public:
  grpc::Status GetChannelCredentials(grpc::ServerContext* context, const pb::GetChannelCredentialsRequest* request,
                                     pb::ChannelCredentials* response) override {
    if (const Status status = Enter(context, request->name()); !status.ok()) return rpc::ToGrpc(status, "accounts");
    response->set_network("facebook");
    response->set_remote_id("111");
    response->set_base_url("https://graph.example/v23.0");
    response->set_credentials_version(4);
    (*response->mutable_credentials())["access_token"] = "sesame";
    return grpc::Status::OK;
  }
  grpc::Status FindChannels(grpc::ServerContext* context, const pb::FindChannelsRequest* request,
                            pb::FindChannelsResponse* response) override {
    std::string what = request->network();
    for (const std::string& id : request->remote_ids()) what += " " + id;
    if (const Status status = Enter(context, what); !status.ok()) return rpc::ToGrpc(status, "accounts");
    for (const std::string& id : request->remote_ids()) {
      if (id == "nobody") continue;
      for (const char* workspace : {"w1", "w2"}) {
        pb::ChannelBinding* binding = response->add_bindings();
        binding->set_workspace_id(workspace);
        binding->set_channel_id(absl::StrCat("c-", workspace, "-", id));
        binding->set_network(request->network());
        binding->set_remote_id(id);
      }
    }
    return grpc::Status::OK;
  }
  grpc::Status ListChannelBindings(grpc::ServerContext* context, const pb::ListChannelBindingsRequest* request,
                                   pb::ListChannelBindingsResponse* response) override {
    const std::string what = absl::StrCat(request->page_size(), " after \"", request->page_token(), "\"");
    if (const Status status = Enter(context, what); !status.ok()) return rpc::ToGrpc(status, "accounts");
    pb::ChannelBinding* binding = response->add_channel_bindings();
    binding->set_workspace_id("w1");
    binding->set_channel_id(request->page_token().empty() ? "c1" : "c2");
    binding->set_network("x");
    binding->set_remote_id("10");
    binding->set_credentials_version(7);
    if (request->page_token().empty()) response->set_next_page_token("more");
    return grpc::Status::OK;
  }
  grpc::Status ReportChannelHealth(grpc::ServerContext* context, const pb::ReportChannelHealthRequest* request,
                                   pb::ReportChannelHealthResponse*) override {
    return rpc::ToGrpc(
        Enter(context, absl::StrCat(request->name(), " v", request->credentials_version(), " ", request->broken(), " ",
                                    request->reason(), ": ", request->message())),
        "accounts");
  }
  // The next calls end so, one each; afterwards calls are answered.
  void Fail(std::vector<Status> statuses) {
    std::lock_guard lock(mutex_);
    failures_ = std::move(statuses);
  }
  // Calls are answered only when the caller has given up.
  void Stall() { stalled_ = true; }
  std::vector<std::string> asked() const {
    std::lock_guard lock(mutex_);
    return asked_;
  }
  absl::Duration remaining() const { return absl::Nanoseconds(remaining_.load()); }  // of the last call's deadline

 private:
  Status Enter(grpc::ServerContext* context, const std::string& what) {
    remaining_ = absl::ToInt64Nanoseconds(absl::FromChrono(context->deadline()) - absl::Now());
    if (stalled_) testing::WaitFor([&] { return context->IsCancelled(); });
    std::lock_guard lock(mutex_);
    asked_.push_back(what);
    if (failures_.empty()) return absl::OkStatus();
    const Status status = failures_.front();
    failures_.erase(failures_.begin());
    return status;
  }
  mutable std::mutex mutex_;
  std::vector<std::string> asked_;
  std::vector<Status> failures_;
  std::atomic<bool> stalled_ = false;
  std::atomic<int64_t> remaining_ = 0;
};

Status Away() { return MakeError(Code::kUnavailable, "AWAY", "restarting"); }

class AccountsDeskTest : public ::testing::Test {
 protected:
  AccountsDeskTest() {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&accounts_);
    server_ = builder.BuildAndStart();
    rpc::ClientConfig config;
    config.address = absl::StrCat("127.0.0.1:", port);
    config.call_max = absl::Seconds(5);
    client_ = std::make_unique<rpc::Client>("ingestion", config, clock_, metrics_);
    desk_ = std::make_unique<AccountsDesk>(*client_, clock_, absl::Seconds(2));
  }
  ~AccountsDeskTest() override { Stop(); }
  void Stop() {
    if (server_) server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
    server_.reset();
  }
  Call In(absl::Duration left) {
    Call call = BackgroundCall("ingestion", "w1");
    call.deadline = clock_.Now() + left;
    return call;
  }
  // All tries of a call end so: UNAVAILABLE is tried again.
  void FailAlways(const Status& status) { accounts_.Fail(std::vector<Status>(3, status)); }
  std::string OpenFails(const Status& status) {
    FailAlways(status);
    const Status got = desk_->Open(In(absl::Seconds(4)), {"w1", "c1"}).status();
    accounts_.Fail({});
    return absl::StrCat(absl::StatusCodeToString(got.code()), " ", ReasonOf(got));
  }

  RealClock clock_;
  obs::Metrics metrics_;
  FakeAccounts accounts_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<rpc::Client> client_;
  std::unique_ptr<AccountsDesk> desk_;
};

TEST_F(AccountsDeskTest, OpensAChannel) {
  const auto opened = desk_->Open(In(absl::Seconds(4)), {"w1", "c1"});
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->network, "facebook");
  EXPECT_EQ(opened->remote_id, "111");
  EXPECT_EQ(opened->base_url, "https://graph.example/v23.0");
  EXPECT_EQ(opened->credentials_version, 4);
  EXPECT_EQ(opened->credentials.at("access_token").Reveal(), "sesame");
  EXPECT_EQ(accounts_.asked(), std::vector<std::string>{"workspaces/w1/channels/c1/credentials"});
  EXPECT_LE(accounts_.remaining(), absl::Seconds(4));  // the caller's deadline travels
}

TEST_F(AccountsDeskTest, OnlyWhatAccountsSaysOfTheChannelIsPassedOn) {
  EXPECT_EQ(OpenFails(NotFound("workspaces/w1/channels/c1")), "NOT_FOUND NOT_FOUND");
  EXPECT_EQ(OpenFails(MakeError(Code::kFailedPrecondition, "CHANNEL_DISCONNECTED", "gone")),
            "FAILED_PRECONDITION CHANNEL_DISCONNECTED");
  // "You are not let in" is about this service, never about the channel's credentials at the network.
  for (const Code code : {Code::kUnauthenticated, Code::kPermissionDenied, Code::kInternal, Code::kUnavailable,
                          Code::kResourceExhausted, Code::kInvalidArgument}) {
    EXPECT_EQ(OpenFails(MakeError(code, "SOMETHING", "because")), "UNAVAILABLE ACCOUNTS_UNAVAILABLE");
  }
  // When to come again is kept.
  FailAlways(ToStatus(
      {.code = Code::kResourceExhausted, .reason = "OVERLOADED", .message = "busy", .retry_after = absl::Seconds(7)}));
  EXPECT_EQ(ToError(desk_->Open(In(absl::Seconds(4)), {"w1", "c1"}).status()).retry_after, absl::Seconds(7));
}

TEST_F(AccountsDeskTest, AShortAbsenceIsNotNoticedALongOneIsUnavailable) {
  accounts_.Fail({Away(), Away()});
  EXPECT_TRUE(desk_->Open(In(absl::Seconds(4)), {"w1", "c1"}).ok());
  EXPECT_EQ(accounts_.asked().size(), 3u);
  Stop();
  EXPECT_EQ(ReasonOf(desk_->Open(In(absl::Seconds(2)), {"w1", "c1"}).status()), "ACCOUNTS_UNAVAILABLE");
  EXPECT_EQ(ReasonOf(desk_->FindChannels("x", {"1"}).status()), "ACCOUNTS_UNAVAILABLE");
}

TEST_F(AccountsDeskTest, NobodyWaitsBeyondTheDeadline) {
  accounts_.Stall();
  const Instant began = clock_.Now();
  const Status late = desk_->Open(In(absl::Milliseconds(100)), {"w1", "c1"}).status();
  EXPECT_EQ(late.code(), Code::kUnavailable) << late;
  EXPECT_EQ(ReasonOf(late), "ACCOUNTS_UNAVAILABLE");
  AccountsDesk hasty(*client_, clock_, absl::Milliseconds(100));  // FindChannels has no caller: its own limit holds
  EXPECT_EQ(ReasonOf(hasty.FindChannels("x", {"1"}).status()), "ACCOUNTS_UNAVAILABLE");
  EXPECT_LT(clock_.Now() - began, absl::Seconds(5));
}

TEST_F(AccountsDeskTest, ReportsBrokenCredentials) {
  ASSERT_TRUE(desk_->ReportBroken(In(absl::Seconds(4)), {"w1", "c1"}, 4, "TOKEN_EXPIRED", "code 190").ok());
  EXPECT_EQ(accounts_.asked(), std::vector<std::string>{"workspaces/w1/channels/c1 v4 1 TOKEN_EXPIRED: code 190"});
  accounts_.Fail({NotFound("workspaces/w1/channels/c1")});
  EXPECT_EQ(desk_->ReportBroken(In(absl::Seconds(4)), {"w1", "c1"}, 4, "R", "m").code(), Code::kNotFound);
}

TEST_F(AccountsDeskTest, ListsByPages) {
  std::string token;
  const auto first = desk_->List(In(absl::Seconds(4)), token);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->size(), 1u);
  EXPECT_EQ((*first)[0].binding.channel_id, "c1");
  EXPECT_EQ((*first)[0].network, "x");
  EXPECT_EQ((*first)[0].credentials_version, 7);
  EXPECT_EQ(token, "more");
  accounts_.Fail({Away(), Away(), Away()});
  EXPECT_EQ(desk_->List(In(absl::Seconds(4)), token).status().code(), Code::kUnavailable);
  EXPECT_EQ(token, "more");  // a page that failed is asked for again, not passed over
  accounts_.Fail({Away()});  // tried again: the page once, not twice
  EXPECT_EQ(desk_->List(In(absl::Seconds(4)), token)->size(), 1u);
  EXPECT_EQ(token, "");
}

TEST_F(AccountsDeskTest, FindsAllChannelsOfAnAccount) {
  accounts_.Fail({Away()});
  const auto found = desk_->FindChannels("x", {"10", "nobody"});
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->size(), 2u);
  EXPECT_EQ(found->count("10"), 2u);
  EXPECT_EQ(found->count("nobody"), 0u);
  EXPECT_EQ(accounts_.asked().back(), "x 10 nobody");
  EXPECT_LE(accounts_.remaining(), absl::Seconds(2));
}

// The cache over the desk, as the webhook path uses it.
class CachedDeskTest : public AccountsDeskTest {
 protected:
  ~CachedDeskTest() override { executor_.Stop(); }
  // "w1/c1,w2/c2" of the account, or the error's reason.
  std::string Of(const std::string& account) {
    std::mutex mutex;
    std::string got;
    std::atomic<bool> done = false;
    cache_.Lookup("x", {account}, [&](StatusOr<BindingCache::Answer> answer) {
      std::lock_guard lock(mutex);
      if (!answer.ok()) {
        got = ReasonOf(answer.status());
      } else {
        for (const Binding& b : *answer->at(account)) absl::StrAppend(&got, b.workspace_id, "/", b.channel_id, " ");
      }
      done = true;
    });
    EXPECT_TRUE(testing::WaitFor([&] { return done.load(); }));
    std::lock_guard lock(mutex);
    return got;
  }
  FakeClock cache_clock_;
  Executor executor_{{.name = "bindings", .threads = 2, .queue_max = 10}};
  BindingCache cache_{*desk_, executor_, cache_clock_, {}};
};

TEST_F(CachedDeskTest, AnswersAreRememberedAndRenewed) {
  const std::string both = "w1/c-w1-10 w2/c-w2-10 ";
  EXPECT_EQ(Of("10"), both);
  EXPECT_EQ(Of("10"), both);
  EXPECT_EQ(accounts_.asked().size(), 1u);
  cache_clock_.Advance(absl::Seconds(31));
  EXPECT_EQ(Of("10"), both);
  EXPECT_EQ(accounts_.asked().size(), 2u);
}

TEST_F(CachedDeskTest, KnownBindingsOutliveAnAbsenceForAnHourAndNobodysDoNot) {
  const std::string both = "w1/c-w1-10 w2/c-w2-10 ";
  EXPECT_EQ(Of("10"), both);
  EXPECT_EQ(Of("nobody"), "");
  Stop();
  EXPECT_EQ(Of("nobody"), "");  // for two seconds
  cache_clock_.Advance(absl::Minutes(59));
  EXPECT_EQ(Of("10"), both);
  EXPECT_EQ(Of("nobody"), "ACCOUNTS_UNAVAILABLE");  // may have been connected meanwhile: the network must come again
  EXPECT_EQ(Of("never asked"), "ACCOUNTS_UNAVAILABLE");
  cache_clock_.Advance(absl::Minutes(2));
  EXPECT_EQ(Of("10"), "ACCOUNTS_UNAVAILABLE");
}

}  // namespace
}  // namespace parvis::ingestion
