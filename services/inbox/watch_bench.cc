// parvis-watch-bench: how long after a change is committed the watchers of a workspace are told, in microseconds, as
// the 99th percentile over all watchers and changes of a slice. Watchers are gRPC streams of this process.
//   ours      a note on PostgreSQL, the hub, the adapter's streams
//   against   a bare server of the callback API that writes the same message to as many streams
//
//   parvis-watch-bench --watchers=1000
#include <grpcpp/grpcpp.h>

#include <atomic>

#include "inbox/bus/encode.h"
#include "inbox/domain/resolve.h"
#include "inbox/domain/testing/scenario.h"
#include "inbox/storage/conversation_store.h"
#include "inbox/storage/feed_store.h"
#include "inbox/storage/fold_store.h"
#include "inbox/transport/convert.h"
#include "inbox/transport/inbox_service.h"
#include "parvis/inbox/v1/inbox_service.grpc.pb.h"
#include "platform/db/stream_tables.h"
#include "platform/testing/bench.h"
#include "platform/testing/postgres.h"
#include "platform/testing/wait.h"

namespace parvis::inbox {
namespace {

constexpr int kChanges = 20, kConnections = 8;
constexpr absl::Duration kTold = absl::Seconds(20);  // nobody waits longer
using testing::kWorkspace;

class Everybody : public rpc::Authenticator {
 public:
  StatusOr<Principal> Authenticate(const std::string& token) override {
    Principal principal;
    principal.member_id = token;
    principal.key_id = "key";
    principal.workspace_id = kWorkspace;
    principal.roles = {Role::kModerator};
    return principal;
  }
};

// Writes one message to every stream; nothing else.
class BareService : public v1::InboxService::CallbackService {
 public:
  grpc::ServerWriteReactor<v1::WatchConversationsResponse>* WatchConversations(
      grpc::CallbackServerContext*, const v1::WatchConversationsRequest*) override {
    auto* stream = new OneStream(under_way_);
    ++under_way_;
    stream->StartWrite(&first_);  // as ours says where it begins
    const std::lock_guard lock(mutex_);
    streams_.push_back(stream);
    return stream;
  }
  // A stream takes one write at a time.
  bool Ready() const {
    return parvis::testing::WaitFor([this] { return under_way_.load() == 0; }, kTold);
  }
  void Tell(const v1::WatchConversationsResponse& message) {
    const std::lock_guard lock(mutex_);
    under_way_ = static_cast<int>(streams_.size());
    for (OneStream* stream : streams_) stream->StartWrite(&message);
  }
  void End() {
    const std::lock_guard lock(mutex_);
    for (OneStream* stream : streams_) stream->Finish(grpc::Status::OK);
  }

 private:
  struct OneStream : grpc::ServerWriteReactor<v1::WatchConversationsResponse> {
    explicit OneStream(std::atomic<int>& of_all) : under_way(of_all) {}
    void OnWriteDone(bool) override { --under_way; }
    void OnDone() override { delete this; }
    std::atomic<int>& under_way;
  };
  std::atomic<int> under_way_{0};
  const v1::WatchConversationsResponse first_;
  std::mutex mutex_;
  std::vector<OneStream*> streams_;
};

// Many readers of one server. All functions but the readers' callbacks are the bench's thread's.
class Readers {
 public:
  Readers(const std::string& address, int count, const Clock& clock) : clock_(clock), count_(count) {
    request_.set_parent(std::string("workspaces/") + kWorkspace);
    for (int i = 0; i < kConnections; ++i) {
      grpc::ChannelArguments arguments;
      arguments.SetInt("parvis.connection", i);
      stubs_.push_back(
          v1::InboxService::NewStub(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments)));
    }
    for (int i = 0; i < count; ++i) readers_.push_back(std::make_unique<Reader>(*this, *stubs_[i % kConnections]));
    if (!parvis::testing::WaitFor([this] { return begun_.load() >= count_; }, kTold)) {
      parvis::testing::BenchCheck(MakeError(Code::kInternal, "NOT_WATCHING", std::to_string(begun_.load()) + " watch"));
    }
  }
  ~Readers() {
    for (auto& reader : readers_) reader->context.TryCancel();
    parvis::testing::WaitFor([this] { return ended_.load() == count_; });
  }

  // From here on the next message of every reader is timed from Committed() on.
  void Expect() { told_ = 0; }
  void Committed() { committed_ = clock_.Now().nanos; }
  void Await(int64_t sequence) {
    if (!parvis::testing::WaitFor([this] { return told_.load() >= count_; }, kTold)) {
      parvis::testing::BenchCheck(MakeError(Code::kDeadlineExceeded, "NOT_TOLD",
                                            std::to_string(told_.load()) + " of " + std::to_string(count_) +
                                                " were told of " + std::to_string(sequence)));
    }
  }
  void Collect(std::vector<absl::Duration>& all) const {
    for (const std::atomic<int64_t>& at : arrivals_) all.push_back(absl::Nanoseconds(at.load() - committed_.load()));
  }

 private:
  struct Reader : grpc::ClientReadReactor<v1::WatchConversationsResponse> {
    Reader(Readers& of, v1::InboxService::Stub& stub) : all(of), number(of.next_++) {
      context.AddMetadata("authorization", "Bearer watcher");
      stub.async()->WatchConversations(&context, &of.request_, this);
      StartRead(&response);
      StartCall();
    }
    void OnReadDone(bool ok) override {
      if (!ok) return;
      if (response.has_event()) {  // not the first word, nor a sign of life
        all.arrivals_[static_cast<size_t>(number)] = all.clock_.Now().nanos;
        ++all.told_;
      } else {
        ++all.begun_;
      }
      StartRead(&response);
    }
    void OnDone(const grpc::Status&) override { ++all.ended_; }
    Readers& all;
    const int number;
    grpc::ClientContext context;
    v1::WatchConversationsResponse response;
  };

  const Clock& clock_;
  const int count_;
  int next_ = 0;
  v1::WatchConversationsRequest request_;
  std::vector<std::unique_ptr<v1::InboxService::Stub>> stubs_;
  std::vector<std::atomic<int64_t>> arrivals_ = std::vector<std::atomic<int64_t>>(static_cast<size_t>(count_));
  std::atomic<int64_t> committed_{0};
  std::atomic<int> told_{0}, begun_{0}, ended_{0};
  std::vector<std::unique_ptr<Reader>> readers_;
};

class Bench {
 public:
  explicit Bench(int watchers) {
    // Everybody is of one workspace and comes at once.
    rpc_.streams_max = rpc_.tenant_streams_max = rpc_.queue_max = rpc_.tenant_queue_max = 2 * watchers;
    watch_options_.watchers_max = 2 * watchers;
    MakeConversation();
    watch_ = std::make_unique<WatchHub>(feeds_, watch_options_, clock_);
    runtime_ = std::make_unique<rpc::Runtime>("inbox", rpc_, everybody_, clock_, metrics_);
    service_ = MakeInboxService({*runtime_, store_, *watch_, ids_, clock_}, {});
    server_ = std::make_unique<rpc::Server>(rpc_, *runtime_, std::vector<grpc::Service*>{service_.get()});
    watch_->Start();
    parvis::testing::BenchCheck(server_->Start());
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&bare_service_);
    bare_ = builder.BuildAndStart();
    ours_ = std::make_unique<Readers>(server_->address(), watchers, clock_);
    theirs_ = std::make_unique<Readers>("127.0.0.1:" + std::to_string(port), watchers, clock_);
  }
  ~Bench() {
    ours_.reset();
    watch_->Stop();
    server_->Stop(absl::Seconds(1));
    runtime_->StopExecutor();
    bare_service_.End();
    theirs_.reset();
    bare_->Shutdown(std::chrono::system_clock::now());
  }

  double Ours() {
    return Slice(*ours_, [this](Readers&) {
      parvis::testing::BenchCheck(
          CreateNote(store_, call_, conversation_, "Called back, all is well.", ids_.New()).status());
    });
  }
  double Against() {
    message_.set_sequence(message_.sequence() + 1);
    return Slice(*theirs_, [this](Readers& readers) {
      if (!bare_service_.Ready()) parvis::testing::BenchCheck(MakeError(Code::kInternal, "NOT_WRITTEN", "writes hang"));
      readers.Committed();
      bare_service_.Tell(message_);
    });
  }

 private:
  double Slice(Readers& readers, const std::function<void(Readers&)>& change) {
    std::vector<absl::Duration> all;
    for (int i = 0; i < kChanges; ++i) {
      readers.Expect();
      change(readers);
      readers.Await(i);
      readers.Collect(all);
    }
    return parvis::testing::PercentileMicros(all, 0.99);
  }

  void MakeConversation() {
    StreamPosition position = *db::OffsetTable(db_.stream(), "inbox").Claim("inbox.fold", "bench", 0);
    ++position.next;
    storage::PgFoldStore folds(db_.stream(), Encoders(), [] {});
    parvis::testing::BenchCheck(
        FoldBatch(folds, position, {testing::Comment("a", "1", 1, "Does it come with a dimmer?")}));
    conversation_ = ConversationId(kWorkspace, testing::kChannel, "a");
    const auto events = feeds_.Read(call_, 0, 1);
    parvis::testing::BenchCheck(events.status());
    if (events->empty() || !message_.mutable_event()->ParseFromString(events->front().payload)) {
      parvis::testing::BenchCheck(MakeError(Code::kInternal, "NO_EVENT", "the fold wrote no event"));
    }
  }
  static storage::Encoders Encoders() {
    return {.event = EncodeEvent, .delivery = bus::CommandRecord};
  }
  static Call MemberCall() {
    Call call = BackgroundCall("bench", kWorkspace);
    call.principal.member_id = "0190a0b1-0000-7000-8000-0000000000aa";
    return call;
  }

  RealClock clock_;
  Ids ids_{clock_};
  obs::Metrics metrics_;
  Everybody everybody_;
  parvis::testing::ServiceDatabase db_{"inbox"};
  const Call call_ = MemberCall();
  std::string conversation_;
  v1::WatchConversationsResponse message_;
  storage::PgFeedStore feeds_{db_.api(), db_.stream()};
  // Called right after the commit, on the thread that asked for the change: the time runs from here.
  storage::PgConversationStore store_{db_.api(), Encoders(), [this] {
                                        if (ours_) ours_->Committed();
                                        watch_->Wake();
                                      }};
  WatchOptions watch_options_;
  rpc::ServerConfig rpc_;
  std::unique_ptr<WatchHub> watch_;
  std::unique_ptr<rpc::Runtime> runtime_;
  std::unique_ptr<grpc::Service> service_;
  std::unique_ptr<rpc::Server> server_;
  BareService bare_service_;
  std::unique_ptr<grpc::Server> bare_;
  std::unique_ptr<Readers> ours_, theirs_;
};

}  // namespace
}  // namespace parvis::inbox

int main(int argc, char** argv) {
  parvis::inbox::Bench bench(static_cast<int>(parvis::testing::BenchOption(argc, argv, "watchers", 1000)));
  return parvis::testing::ServeBench(
      {{"ours", [&] { return bench.Ours(); }}, {"against", [&] { return bench.Against(); }}});
}
