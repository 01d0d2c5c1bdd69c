#include "platform/rpc/stream.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "platform/rpc/testdata/echo.h"

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

class StreamTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(echo_.started.ok()) << echo_.started; }
  static ServerConfig Config() {
    ServerConfig config;
    config.streams_max = 2;
    config.stream_queue_max = 100;
    return config;
  }
  static EchoRequest Count(int count, bool close, const std::string& text = "") {
    EchoRequest request;
    request.set_count(count);
    request.set_close(close);
    request.set_text(text);
    return request;
  }
  // Reads to the end.
  std::pair<std::vector<int64_t>, Status> Collect(const EchoRequest& request, const std::string& token = "analyst") {
    Context context(token);
    auto reader = stub_->Watch(&context, request);
    std::vector<int64_t> sequences;
    for (EchoResponse response; reader->Read(&response);) sequences.push_back(response.sequence());
    return {sequences, FromGrpc(reader->Finish())};
  }
  EchoServer echo_{Config()};
  std::unique_ptr<rpctest::v1::EchoService::Stub> stub_ = echo_.Stub();
};

TEST_F(StreamTest, EverythingInOrderThenTheEnd) {
  const auto [sequences, status] = Collect(Count(90, true));
  EXPECT_TRUE(status.ok()) << status;
  ASSERT_EQ(sequences.size(), 90u);
  for (size_t i = 0; i < sequences.size(); ++i) EXPECT_EQ(sequences[i], static_cast<int64_t>(i));
}

TEST_F(StreamTest, ErrorsBeforeAndAfterMessages) {
  EXPECT_EQ(ReasonOf(Collect(Count(0, true, "refuse")).second), "REFUSED");
  const auto [sequences, status] = Collect(Count(3, true, "fail"));
  EXPECT_EQ(sequences.size(), 3u);
  EXPECT_EQ(ReasonOf(status), "BROKEN");
  EXPECT_EQ(ReasonOf(Collect(Count(1, true), "nobody").second), "TOKEN_UNKNOWN");
  EchoRequest request = Count(1, true);
  request.set_name(ThingName(kOther));
  EXPECT_EQ(ReasonOf(Collect(request).second), "WORKSPACE_MISMATCH");
}

TEST_F(StreamTest, MessagesFromAnyThread) {
  std::vector<std::thread> senders;
  echo_.service.on_watch = [&](std::shared_ptr<StreamSink> sink) {
    senders.emplace_back([sink] {
      for (int i = 0; i < 50; ++i) {
        auto message = std::make_shared<EchoResponse>();
        message->set_sequence(i);
        EXPECT_TRUE(sink->Send(message).ok());
      }
      sink->Finish(absl::OkStatus());
      EXPECT_EQ(ReasonOf(sink->Send(std::make_shared<EchoResponse>())), "STREAM_ENDED");
    });
  };
  const auto [sequences, status] = Collect(Count(0, false));
  for (std::thread& sender : senders) sender.join();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(sequences.size(), 50u);
}

TEST_F(StreamTest, ASlowReaderIsToldToComeBack) {
  std::shared_ptr<StreamSink> sink;
  Gate opened;
  echo_.service.on_watch = [&](std::shared_ptr<StreamSink> s) {
    sink = std::move(s);
    opened.Open();
  };
  Context context("analyst");
  auto reader = stub_->Watch(&context, Count(0, false));
  ASSERT_TRUE(opened.Wait());
  // Nobody reads: flow control stops the wire, then the queue fills; memory stays bounded, nothing blocks.
  Status sent;
  int count = 0;
  EXPECT_GT(sink->Room(), 0);
  for (; count < 100000 && sent.ok(); ++count) {
    auto message = std::make_shared<EchoResponse>();
    message->set_text(std::string(10000, 'x'));
    message->set_sequence(count);
    sent = sink->Send(std::move(message));
  }
  EXPECT_EQ(ReasonOf(sent), "STREAM_SLOW");
  EXPECT_EQ(ReasonOf(sink->Send(std::make_shared<EchoResponse>())), "STREAM_ENDED");
  // Once it reads again it gets what was on the wire, without a hole, and the reason.
  int64_t next = 0;
  for (EchoResponse response; reader->Read(&response); ++next) EXPECT_EQ(response.sequence(), next);
  EXPECT_LT(next, count);
  EXPECT_EQ(ReasonOf(FromGrpc(reader->Finish())), "STREAM_SLOW");
}

TEST_F(StreamTest, TheClientLeaves) {
  Gate ended, opened;
  std::shared_ptr<StreamSink> sink;
  echo_.service.on_watch = [&](std::shared_ptr<StreamSink> s) {
    s->OnEnd([&] { ended.Open(); });
    sink = std::move(s);
    opened.Open();
  };
  Context context("analyst");
  auto reader = stub_->Watch(&context, Count(1, false));
  ASSERT_TRUE(opened.Wait());
  EchoResponse response;
  EXPECT_TRUE(reader->Read(&response));
  EXPECT_FALSE(sink->Cancelled());
  context.TryCancel();
  EXPECT_TRUE(ended.Wait());
  EXPECT_TRUE(sink->Cancelled());
  EXPECT_FALSE(sink->Send(std::make_shared<EchoResponse>()).ok());
  Gate late;
  sink->OnEnd([&] { late.Open(); });
  EXPECT_TRUE(late.Wait());
  EXPECT_EQ(FromGrpc(reader->Finish()).code(), Code::kCancelled);
}

TEST_F(StreamTest, TooManyStreams) {
  std::atomic<int> open{0};
  Gate both;
  echo_.service.on_watch = [&](std::shared_ptr<StreamSink>) {
    if (++open == 2) both.Open();
  };
  Context first("analyst"), second("analyst");
  auto a = stub_->Watch(&first, Count(0, false));
  auto b = stub_->Watch(&second, Count(0, false));
  ASSERT_TRUE(both.Wait());
  EXPECT_EQ(ReasonOf(Collect(Count(0, true)).second), "TOO_MANY_STREAMS");
  first.TryCancel();
  second.TryCancel();
  (void)a->Finish();
  (void)b->Finish();
  // The places are free again soon.
  const absl::Time give_up = absl::Now() + absl::Seconds(10);
  Status status;
  do {
    status = Collect(Count(0, true)).second;
  } while (!status.ok() && absl::Now() < give_up);
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(StreamTest, NoWorkspaceTakesAllStreams) {
  ServerConfig config;
  config.tenant_streams_max = 1;
  EchoServer echo(config);
  Gate open;
  echo.service.on_watch = [&](std::shared_ptr<StreamSink>) { open.Open(); };
  stub_ = echo.Stub();
  Context first("analyst");
  auto a = stub_->Watch(&first, Count(0, false));
  ASSERT_TRUE(open.Wait());
  const Status refused = Collect(Count(0, true), "owner").second;  // of the same workspace
  EXPECT_EQ(ReasonOf(refused), "TOO_MANY_STREAMS_OF_TENANT");
  EXPECT_TRUE(ToError(refused).retry_after);
  EXPECT_TRUE(Collect(Count(0, true), "wide").second.ok());
  first.TryCancel();
  (void)a->Finish();
  // The place is free again soon.
  const absl::Time give_up = absl::Now() + absl::Seconds(10);
  Status status;
  do {
    status = Collect(Count(0, true), "owner").second;
  } while (!status.ok() && absl::Now() < give_up);
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(StreamTest, StopEndsOpenStreams) {
  Gate opened;
  echo_.service.on_watch = [&](std::shared_ptr<StreamSink>) { opened.Open(); };
  Context context("analyst");
  auto reader = stub_->Watch(&context, Count(2, false));
  ASSERT_TRUE(opened.Wait());
  std::thread stopper([&] { echo_.server.Stop(absl::Seconds(20)); });
  int messages = 0;
  for (EchoResponse response; reader->Read(&response);) ++messages;
  EXPECT_EQ(messages, 2);
  EXPECT_EQ(ReasonOf(FromGrpc(reader->Finish())), "SHUTTING_DOWN");
  stopper.join();
}

// The same method, declared raw.
class WireEcho
    : public rpctest::v1::EchoService::WithRawCallbackMethod_Watch<rpctest::v1::EchoService::CallbackService> {
 public:
  explicit WireEcho(Runtime& runtime) : runtime_(runtime) {}
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Watch(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request) override {
    return WireStream<EchoRequest>(
        context, runtime_, "parvis.rpctest.v1.EchoService/Watch", *request,
        [this](const Call& call, const EchoRequest& r, std::shared_ptr<WireSink> sink) -> Status {
          if (r.text() == "refuse") return MakeError(Code::kFailedPrecondition, "REFUSED", "no stream today");
          auto first = std::make_shared<EchoResponse>();
          first->set_workspace(call.workspace_id);
          PARVIS_RETURN_IF_ERROR(sink->Send(first));
          on_watch(std::move(sink));
          return absl::OkStatus();
        });
  }
  std::function<void(std::shared_ptr<WireSink>)> on_watch;

 private:
  Runtime& runtime_;
};

class WireStreamTest : public ::testing::Test {
 protected:
  WireStreamTest() {
    service_.on_watch = [this](std::shared_ptr<WireSink> sink) {
      const std::lock_guard lock(mutex_);
      sinks_.push_back(std::move(sink));
      if (sinks_.size() == 2) both_.Open();
    };
  }
  void SetUp() override { ASSERT_TRUE(server_.Start().ok()); }
  void TearDown() override { server_.Stop(absl::Seconds(5)); }
  std::shared_ptr<grpc::Channel> Channel() {
    return grpc::CreateChannel(server_.address(), grpc::InsecureChannelCredentials());
  }
  RealClock clock_;
  obs::Metrics metrics_;
  testing::FakeAuthenticator authenticator_;
  const ServerConfig config_;
  Runtime runtime_{"rpctest", config_, authenticator_, clock_, metrics_};
  WireEcho service_{runtime_};
  Server server_{config_, runtime_, {&service_}};
  Gate both_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<WireSink>> sinks_;
};

TEST_F(WireStreamTest, OneEncodingForSeveralStreams) {
  auto stub = rpctest::v1::EchoService::NewStub(std::shared_ptr<grpc::ChannelInterface>(Channel()));
  Context one("analyst"), other("analyst");
  const EchoRequest request;
  auto a = stub->Watch(&one, request), b = stub->Watch(&other, request);
  ASSERT_TRUE(both_.Wait());
  EchoResponse response;
  response.set_text(std::string(1000, 'x'));
  constexpr int kMessages = 50;
  for (int i = 1; i <= kMessages; ++i) {
    response.set_sequence(i);
    const grpc::Slice slice(response.SerializeAsString());
    const auto wire = std::make_shared<const grpc::ByteBuffer>(&slice, 1);
    for (const auto& sink : sinks_) EXPECT_TRUE(sink->SendWire(wire).ok());
  }
  for (const auto& sink : sinks_) sink->Finish(absl::OkStatus());
  EXPECT_EQ(sinks_.front()->Room(), 0);
  for (auto* reader : {a.get(), b.get()}) {
    ASSERT_TRUE(reader->Read(&response));
    EXPECT_EQ(response.workspace(), kWorkspace);  // a message that was not encoded
    int64_t next = 1;
    for (; reader->Read(&response); ++next) {
      EXPECT_EQ(response.sequence(), next);
      EXPECT_EQ(response.text().size(), 1000u);
    }
    EXPECT_EQ(next, kMessages + 1);
    EXPECT_TRUE(reader->Finish().ok());
  }
}

TEST_F(WireStreamTest, TheSameChecks) {
  auto stub = rpctest::v1::EchoService::NewStub(std::shared_ptr<grpc::ChannelInterface>(Channel()));
  const auto reason = [&](const EchoRequest& request, const std::string& token) {
    Context context(token);
    return ReasonOf(FromGrpc(stub->Watch(&context, request)->Finish()));
  };
  EchoRequest request;
  EXPECT_EQ(reason(request, "nobody"), "TOKEN_UNKNOWN");
  request.set_text("refuse");
  EXPECT_EQ(reason(request, "analyst"), "REFUSED");
  request.set_name(ThingName(kOther));
  EXPECT_EQ(reason(request, "analyst"), "WORKSPACE_MISMATCH");

  // What is no request at all.
  grpc::GenericStub generic(Channel());
  Context context("analyst");
  const grpc::Slice noise("\xff\xff\xff");
  const grpc::ByteBuffer garbage(&noise, 1);
  grpc::ByteBuffer answer;
  grpc::Status status;
  Gate done;
  generic.UnaryCall(&context, "/parvis.rpctest.v1.EchoService/Watch", grpc::StubOptions(), &garbage, &answer,
                    [&](grpc::Status s) {
                      status = std::move(s);
                      done.Open();
                    });
  ASSERT_TRUE(done.Wait());
  EXPECT_EQ(ReasonOf(FromGrpc(status)), "REQUEST_UNREADABLE");
}

}  // namespace
}  // namespace parvis::rpc
