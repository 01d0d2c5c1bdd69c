// The service as a caller sees it: over gRPC, on the store in memory.
#include "inbox/transport/inbox_service.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "inbox/domain/testing/memory_store.h"
#include "inbox/domain/testing/scenario.h"
#include "parvis/inbox/v1/inbox_service.grpc.pb.h"
#include "platform/rpc/client.h"

namespace parvis::inbox {
namespace {

using testing::IdOf;
using testing::kOtherWorkspace;
using testing::kWorkspace;
using testing::RequestId;

// The token is the member: "amelie" and "ben" moderate, "ana" only reads, "eve" moderates another workspace.
class Members : public rpc::Authenticator {
 public:
  StatusOr<Principal> Authenticate(const std::string& token) override {
    Principal principal;
    principal.member_id = token;
    principal.key_id = "key-" + token;
    principal.workspace_id = token == "eve" ? kOtherWorkspace : kWorkspace;
    principal.roles = {token == "ana" ? Role::kAnalyst : Role::kModerator};
    if (token == "nobody") return MakeError(Code::kUnauthenticated, "TOKEN_UNKNOWN", "unknown key");
    return principal;
  }
};

struct As : grpc::ClientContext {
  explicit As(const std::string& member) {
    AddMetadata("authorization", "Bearer " + member);
    set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  }
};

class InboxServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    watch_.Start();
    ASSERT_TRUE(server_.Start().ok());
    stub_ = v1::InboxService::NewStub(grpc::CreateChannel(server_.address(), grpc::InsecureChannelCredentials()));
  }
  void TearDown() override {
    watch_.Stop();
    server_.Stop(absl::Seconds(5));
    runtime_.StopExecutor();
  }
  void Happen(const std::vector<FoldInput>& inputs) {
    StreamPosition position = *store_.Claim("g", "t", 0);
    position.next += 1;
    ASSERT_TRUE(FoldBatch(store_, position, inputs).ok());
    watch_.Wake();
  }
  // One unary call as `member`.
  template <class Response, class Method, class Request>
  StatusOr<Response> Do(Method method, const Request& request, const std::string& member = "amelie") {
    As context(member);
    Response response;
    const Status status = rpc::FromGrpc(((*stub_).*method)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }
  static std::string Name(const std::string& conversation) { return ConversationNameOf(IdOf(conversation)); }
  static std::string ConversationNameOf(const std::string& id) {
    return std::string("workspaces/") + kWorkspace + "/conversations/" + id;
  }
  StatusOr<v1::Conversation> Claim(const std::string& conversation, const std::string& member) {
    v1::ClaimConversationRequest r;
    r.set_name(Name(conversation));
    return Do<v1::Conversation>(&v1::InboxService::Stub::ClaimConversation, r, member);
  }
  static v1::ReplyRequest ReplyTo(const std::string& conversation, int64_t token, const std::string& text) {
    v1::ReplyRequest r;
    r.set_name(Name(conversation));
    r.set_claim_token(token);
    r.set_text(text);
    r.set_request_id(RequestId(1));
    return r;
  }

  RealClock clock_;
  obs::Metrics metrics_;
  Ids ids_{clock_};
  Members members_;
  testing::MemoryStore store_{clock_};
  WatchHub watch_{store_, {.poll = absl::Milliseconds(20)}, clock_};
  rpc::ServerConfig config_;
  rpc::Runtime runtime_{"inbox", config_, members_, clock_, metrics_};
  std::unique_ptr<grpc::Service> service_ = MakeInboxService({runtime_, store_, watch_, ids_, clock_}, {.page_default = 2});
  rpc::Server server_{config_, runtime_, {service_.get()}};
  std::unique_ptr<v1::InboxService::Stub> stub_;
};

TEST_F(InboxServiceTest, ListsByPages) {
  Happen({testing::Comment("a", "1", 1), testing::Comment("b", "2", 2), testing::Comment("c", "3", 3)});
  v1::ListConversationsRequest r;
  r.set_parent(std::string("workspaces/") + kWorkspace);
  r.set_state(v1::Conversation::STATE_OPEN);
  const auto first = Do<v1::ListConversationsResponse>(&v1::InboxService::Stub::ListConversations, r, "ana");
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->conversations_size(), 2);
  EXPECT_EQ(first->conversations(0).name(), Name("c"));
  EXPECT_EQ(first->sequence(), 3);
  r.set_page_token(first->next_page_token());
  const auto second = Do<v1::ListConversationsResponse>(&v1::InboxService::Stub::ListConversations, r, "ana");
  ASSERT_EQ(second->conversations_size(), 1);
  EXPECT_EQ(second->conversations(0).name(), Name("a"));
  EXPECT_EQ(second->next_page_token(), "");
  r.set_kind(v1::Conversation::KIND_COMPLAINT);
  EXPECT_EQ(ReasonOf(Do<v1::ListConversationsResponse>(&v1::InboxService::Stub::ListConversations, r, "ana").status()),
            "PAGE_TOKEN_OF_ANOTHER_QUERY");
}

TEST_F(InboxServiceTest, TheWholeLifeOfAConversation) {
  Happen({testing::Comment("t", "1", 1, "Broken!", Kind::kComplaint)});
  const auto claimed = Claim("t", "amelie");
  ASSERT_TRUE(claimed.ok()) << claimed.status();
  EXPECT_EQ(claimed->claim().member_id(), "amelie");
  const auto lost = Claim("t", "ben").status();
  EXPECT_EQ(lost.code(), Code::kAborted);
  EXPECT_EQ(ReasonOf(lost), "CLAIM_LOST");
  EXPECT_EQ(ToError(lost).metadata["holder"], "amelie");
  const auto sent = Do<v1::Message>(&v1::InboxService::Stub::Reply, ReplyTo("t", claimed->claim().token(), "Sorry!"));
  ASSERT_TRUE(sent.ok()) << sent.status();
  EXPECT_EQ(sent->delivery().state(), v1::ReplyDelivery::STATE_SENDING);
  EXPECT_EQ(sent->remote_id(), "");
  EXPECT_EQ(store_.deliveries().size(), 1u);
  EXPECT_EQ(store_.deliveries()[0].target_remote_id, "1");

  v1::OpenCaseRequest open;
  open.set_name(Name("t"));
  open.mutable_case_()->set_title("Broken on arrival");
  const auto opened = Do<v1::Case>(&v1::InboxService::Stub::OpenCase, open);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->conversation(), Name("t"));
  EXPECT_FALSE(opened->overdue());
  v1::EscalateCaseRequest escalate;
  escalate.set_name(opened->name());
  escalate.set_reason("twice");
  EXPECT_EQ(Do<v1::Case>(&v1::InboxService::Stub::EscalateCase, escalate)->escalation_count(), 1);
  v1::ListCasesRequest cases;
  cases.set_parent(std::string("workspaces/") + kWorkspace);
  EXPECT_EQ(Do<v1::ListCasesResponse>(&v1::InboxService::Stub::ListCases, cases)->cases_size(), 1);
  v1::ResolveCaseRequest settle;
  settle.set_name(opened->name());
  settle.set_resolution("new one sent");
  EXPECT_EQ(Do<v1::Case>(&v1::InboxService::Stub::ResolveCase, settle)->state(), v1::Case::STATE_RESOLVED);
  v1::GetCaseRequest get_case;
  get_case.set_name(opened->name());
  EXPECT_EQ(Do<v1::Case>(&v1::InboxService::Stub::GetCase, get_case)->resolution(), "new one sent");

  v1::CreateNoteRequest note;
  note.set_parent(Name("t"));
  note.mutable_note()->set_text("was friendly in the end");
  EXPECT_TRUE(Do<v1::Note>(&v1::InboxService::Stub::CreateNote, note).ok());
  EXPECT_TRUE(Do<v1::Note>(&v1::InboxService::Stub::CreateNote, note).ok());   // without a request id: another one
  v1::ListNotesRequest notes;
  notes.set_parent(Name("t"));
  EXPECT_EQ(Do<v1::ListNotesResponse>(&v1::InboxService::Stub::ListNotes, notes)->notes_size(), 2);
  v1::ListMessagesRequest messages;
  messages.set_parent(Name("t"));
  EXPECT_EQ(Do<v1::ListMessagesResponse>(&v1::InboxService::Stub::ListMessages, messages)->messages_size(), 2);

  v1::AssignConversationRequest assign;
  assign.set_name(Name("t"));
  assign.set_assignee("ben");
  EXPECT_EQ(Do<v1::Conversation>(&v1::InboxService::Stub::AssignConversation, assign)->assignee(), "ben");
  v1::ResolveConversationRequest resolve;
  resolve.set_name(Name("t"));
  resolve.set_etag("\"1\"");
  EXPECT_EQ(ReasonOf(Do<v1::Conversation>(&v1::InboxService::Stub::ResolveConversation, resolve).status()),
            "ETAG_MISMATCH");
  resolve.clear_etag();
  const auto resolved = Do<v1::Conversation>(&v1::InboxService::Stub::ResolveConversation, resolve);
  EXPECT_EQ(resolved->state(), v1::Conversation::STATE_RESOLVED);
  EXPECT_FALSE(resolved->has_claim());
  v1::ReopenConversationRequest reopen;
  reopen.set_name(Name("t"));
  EXPECT_EQ(Do<v1::Conversation>(&v1::InboxService::Stub::ReopenConversation, reopen)->reopen_count(), 1);
  v1::ReleaseConversationRequest release;
  release.set_name(Name("t"));
  release.set_claim_token(claimed->claim().token());
  EXPECT_EQ(ReasonOf(Do<v1::Conversation>(&v1::InboxService::Stub::ReleaseConversation, release).status()), "CLAIM_LOST");
}

TEST_F(InboxServiceTest, BadInputIsNamedAndChangesNothing) {
  Happen({testing::Comment("t", "1", 1)});
  const int64_t token = Claim("t", "amelie")->claim().token();
  const size_t events = store_.events().size();
  const auto reason = [&](const v1::ReplyRequest& r) {
    return ReasonOf(Do<v1::Message>(&v1::InboxService::Stub::Reply, r).status());
  };
  EXPECT_EQ(reason(ReplyTo("t", token, "")), "TEXT_EMPTY");
  EXPECT_EQ(reason(ReplyTo("t", token, std::string(10'001, 'x'))), "TEXT_TOO_LONG");
  EXPECT_EQ(reason(ReplyTo("t", token, std::string("a\0b", 3))), "TEXT_HAS_NUL");
  EXPECT_EQ(reason(ReplyTo("t", token + 1, "x")), "CLAIM_LOST");
  EXPECT_EQ(reason(ReplyTo("nothing", token, "x")), "NOT_FOUND");
  v1::ReplyRequest r = ReplyTo("t", token, "x");
  r.set_request_id("1");
  EXPECT_EQ(reason(r), "REQUEST_ID");
  r.clear_request_id();
  EXPECT_EQ(reason(r), "REQUEST_ID");
  r = ReplyTo("t", token, "x");
  r.set_target_message(Name("other") + "/messages/" + RequestId(4));
  EXPECT_EQ(reason(r), "OTHER_CONVERSATION");
  r.set_target_message("x");
  EXPECT_EQ(reason(r), "INVALID_NAME");
  r = ReplyTo("t", token, "x");
  r.set_name("conversations/1");
  EXPECT_NE(reason(r), "");
  EXPECT_EQ(store_.events().size(), events);
  EXPECT_TRUE(store_.deliveries().empty());
}

TEST_F(InboxServiceTest, RolesAndWorkspaces) {
  Happen({testing::Comment("t", "1", 1)});
  EXPECT_EQ(Claim("t", "ana").status().code(), Code::kPermissionDenied);
  EXPECT_EQ(Claim("t", "nobody").status().code(), Code::kUnauthenticated);
  EXPECT_EQ(Claim("t", "eve").status().code(), Code::kPermissionDenied);
  v1::GetConversationRequest r;
  r.set_name(Name("t"));
  EXPECT_TRUE(Do<v1::Conversation>(&v1::InboxService::Stub::GetConversation, r, "ana").ok());
  EXPECT_EQ(Do<v1::Conversation>(&v1::InboxService::Stub::GetConversation, r, "eve").status().code(),
            Code::kPermissionDenied);
}

TEST_F(InboxServiceTest, Watching) {
  Happen({testing::Comment("a", "1", 1), testing::Comment("b", "2", 2)});
  v1::WatchConversationsRequest r;
  r.set_parent(std::string("workspaces/") + kWorkspace);
  r.set_after_sequence(1);
  As context("ana");
  auto reader = stub_->WatchConversations(&context, r);
  v1::WatchConversationsResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.sequence(), 1);
  EXPECT_FALSE(response.has_event());
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.sequence(), 2);   // the number alone: this store keeps no payloads
  context.TryCancel();
  while (reader->Read(&response)) {}
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);

  As late("ana");
  r.set_after_sequence(99);
  auto refused = stub_->WatchConversations(&late, r);
  EXPECT_FALSE(refused->Read(&response));
  const Status end = rpc::FromGrpc(refused->Finish());
  EXPECT_EQ(end.code(), Code::kOutOfRange);
  EXPECT_EQ(ReasonOf(end), "RESUME_IN_FUTURE");
}

}  // namespace
}  // namespace parvis::inbox
