#include "inbox/transport/inbox_service.h"

#include "inbox/domain/cases.h"
#include "inbox/domain/claim.h"
#include "inbox/domain/resolve.h"
#include "inbox/transport/convert.h"
#include "inbox/transport/pages.h"
#include "parvis/inbox/v1/inbox_service.grpc.pb.h"
#include "platform/rpc/resource.h"
#include "platform/rpc/stream.h"
#include "platform/rpc/unary.h"

namespace parvis::inbox {
namespace {

using Context = grpc::CallbackServerContext;
using Reactor = grpc::ServerUnaryReactor;

StatusOr<std::string> OwnId(std::string_view field, std::string_view name, std::string_view pattern) {
  PARVIS_ASSIGN_OR_RETURN(const std::vector<std::string> ids, rpc::ParseName(field, name, pattern));
  return ids.back();
}
StatusOr<std::string> ConversationIdOf(std::string_view field, std::string_view name) {
  return OwnId(field, name, "workspaces/*/conversations/*");
}
StatusOr<std::string> CaseIdOf(std::string_view name) { return OwnId("name", name, "workspaces/*/cases/*"); }

template <class Noun, class Proto>
Status Put(const StatusOr<Noun>& noun, Proto& out) {
  PARVIS_RETURN_IF_ERROR(noun.status());
  ToProto(*noun, out);
  return absl::OkStatus();
}

std::optional<absl::Time> MaybeTime(bool has, const google::protobuf::Timestamp& time) {
  if (!has) return std::nullopt;
  return TimeOf(time);
}

// The response with an event, in its wire form: the event's bytes are those that were stored. Null when they are no
// event.
std::shared_ptr<const grpc::ByteBuffer> Encode(const FeedEntry& entry) {
  v1::WatchConversationsResponse response;
  response.set_sequence(entry.sequence);
  if (!response.mutable_event()->ParseFromString(entry.payload)) return nullptr;
  const std::string bytes = response.SerializeAsString();
  const grpc::Slice slice(bytes);
  return std::make_shared<const grpc::ByteBuffer>(&slice, 1);
}

// Somebody's stream. The first one that is given an event encodes it, for all.
class StreamWatcher : public Watcher {
 public:
  explicit StreamWatcher(std::shared_ptr<rpc::WireSink> sink) : sink_(std::move(sink)) {}
  Status OnPosition(int64_t sequence) override {
    auto response = std::make_shared<v1::WatchConversationsResponse>();
    response->set_sequence(sequence);
    return sink_->Send(std::move(response));
  }
  Status OnEvent(WatchedEvent& event) override {
    if (!event.encoded) event.encoded = Encode(event.entry);
    if (!event.encoded) {
      const Status broken = MakeError(Code::kDataLoss, "EVENT_UNREADABLE", "a stored event cannot be read");
      sink_->Finish(broken);
      return broken;
    }
    return sink_->SendWire(std::static_pointer_cast<const grpc::ByteBuffer>(event.encoded));
  }
  void OnEnd(const Status& status) override { sink_->Finish(status); }
  bool Cancelled() const override { return sink_->Cancelled(); }
  int Room() const override { return sink_->Room(); }

 private:
  const std::shared_ptr<rpc::WireSink> sink_;
};

#define METHOD(name) "parvis.inbox.v1.InboxService/" name
#define HANDLER(Name, Response)                                                                       \
  Reactor* Name(Context* context, const v1::Name##Request* request, Response* response) override {    \
    return rpc::Unary(context, parts_.runtime, METHOD(#Name), *request, *response,                    \
                      [this](const Call& call, const v1::Name##Request& r, Response& out) -> Status { \
                        return Do##Name(call, r, out);                                                \
                      });                                                                             \
  }

// Watching is declared raw: see StreamWatcher.
using Handlers = v1::InboxService::WithRawCallbackMethod_WatchConversations<v1::InboxService::CallbackService>;

class InboxServiceImpl final : public Handlers {
 public:
  InboxServiceImpl(const ServiceParts& parts, const ServiceOptions& options) : parts_(parts), options_(options) {}

  HANDLER(ListConversations, v1::ListConversationsResponse)
  HANDLER(GetConversation, v1::Conversation)
  HANDLER(ListMessages, v1::ListMessagesResponse)
  HANDLER(ClaimConversation, v1::Conversation)
  HANDLER(ReleaseConversation, v1::Conversation)
  HANDLER(Reply, v1::Message)
  HANDLER(CreateNote, v1::Note)
  HANDLER(ListNotes, v1::ListNotesResponse)
  HANDLER(AssignConversation, v1::Conversation)
  HANDLER(ResolveConversation, v1::Conversation)
  HANDLER(ReopenConversation, v1::Conversation)
  HANDLER(OpenCase, v1::Case)
  HANDLER(GetCase, v1::Case)
  HANDLER(ListCases, v1::ListCasesResponse)
  HANDLER(EscalateCase, v1::Case)
  HANDLER(ResolveCase, v1::Case)

  grpc::ServerWriteReactor<grpc::ByteBuffer>* WatchConversations(Context* context,
                                                                 const grpc::ByteBuffer* request) override {
    return rpc::WireStream<v1::WatchConversationsRequest>(
        context, parts_.runtime, METHOD("WatchConversations"), *request,
        [this](const Call& call, const v1::WatchConversationsRequest& r,
               std::shared_ptr<rpc::WireSink> sink) -> Status {
          PARVIS_RETURN_IF_ERROR(OwnId("parent", r.parent(), "workspaces/*").status());
          std::optional<int64_t> after;
          if (r.has_after_sequence()) after = r.after_sequence();
          if (after && *after < 0) return InvalidField("after_sequence", "NEGATIVE", "must be 0 or more");
          return parts_.watch.Subscribe(call, after, std::make_shared<StreamWatcher>(std::move(sink)));
        });
  }

 private:
  StatusOr<Page> PageOf(const google::protobuf::Message& request, int size, const std::string& token) const {
    return MakePage(request, size, token, options_.page_default, options_.page_max);
  }
  // What a request without an id creates is new each time.
  StatusOr<std::string> RequestId(const std::string& id) const {
    PARVIS_RETURN_IF_ERROR(rpc::CheckRequestId(id));
    return id.empty() ? parts_.ids.New() : NormalizeUuid(id);
  }

  Status DoListConversations(const Call& call, const v1::ListConversationsRequest& r,
                             v1::ListConversationsResponse& out) {
    PARVIS_RETURN_IF_ERROR(OwnId("parent", r.parent(), "workspaces/*").status());
    PARVIS_ASSIGN_OR_RETURN(const ConversationFilter filter, FilterOf(r));
    PARVIS_ASSIGN_OR_RETURN(const Page page, PageOf(r, r.page_size(), r.page_token()));
    std::optional<ConversationPosition> after;
    if (page.after) {
      PARVIS_ASSIGN_OR_RETURN(const TimePosition position, TimePositionOf(*page.after));
      after = {position.time, position.id};
    }
    PARVIS_ASSIGN_OR_RETURN(ConversationPage found, parts_.store.ListConversations(call, filter, after, page.size + 1));
    out.set_sequence(found.sequence);
    FillPage(
        page, found.conversations, [](const Conversation& c) { return KeysetOf(*c.last_message_time, c.id); }, out,
        [&out](const Conversation& c) { ToProto(c, *out.add_conversations()); });
    return absl::OkStatus();
  }

  Status DoGetConversation(const Call& call, const v1::GetConversationRequest& r, v1::Conversation& out) {
    PARVIS_ASSIGN_OR_RETURN(const std::string id, ConversationIdOf("name", r.name()));
    return Put(parts_.store.GetConversation(call, id), out);
  }

  Status DoListMessages(const Call& call, const v1::ListMessagesRequest& r, v1::ListMessagesResponse& out) {
    PARVIS_ASSIGN_OR_RETURN(const std::string id, ConversationIdOf("parent", r.parent()));
    PARVIS_ASSIGN_OR_RETURN(const Page page, PageOf(r, r.page_size(), r.page_token()));
    std::optional<MessagePosition> after;
    if (page.after) {
      PARVIS_ASSIGN_OR_RETURN(const absl::Time time, TimeOfKeyset(*page.after));
      after = {time, page.after->back()};
    }
    PARVIS_ASSIGN_OR_RETURN(std::vector<Message> found, parts_.store.ListMessages(call, id, after, page.size + 1));
    FillPage(
        page, found, [](const Message& m) { return KeysetOf(m.occurred_at, m.order_key); }, out,
        [&out](const Message& m) { ToProto(m, *out.add_messages()); });
    return absl::OkStatus();
  }

  Status DoClaimConversation(const Call& call, const v1::ClaimConversationRequest& r, v1::Conversation& out) {
    PARVIS_ASSIGN_OR_RETURN(const std::string id, ConversationIdOf("name", r.name()));
    return Put(inbox::ClaimConversation(parts_.store, call, id, options_.claim_lease), out);
  }

  Status DoReleaseConversation(const Call& call, const v1::ReleaseConversationRequest& r, v1::Conversation& out) {
    PARVIS_ASSIGN_OR_RETURN(const std::string id, ConversationIdOf("name", r.name()));
    return Put(inbox::ReleaseConversation(parts_.store, call, id, r.claim_token()), out);
  }

  Status DoReply(const Call& call, const v1::ReplyRequest& r, v1::Message& out) {
    PARVIS_ASSIGN_OR_RETURN(const std::string id, ConversationIdOf("name", r.name()));
    ReplyDraft draft{.conversation_id = id,
                     .text = r.text(),
                     .target_message_id = "",
                     .request_id = NormalizeUuid(r.request_id()),
                     .claim_token = r.claim_token()};
    if (!r.target_message().empty()) {
      PARVIS_ASSIGN_OR_RETURN(
          const std::vector<std::string> ids,
          rpc::ParseName("target_message", r.target_message(), "workspaces/*/conversations/*/messages/*"));
      if (ids[1] != id) {
        return InvalidField("target_message", "OTHER_CONVERSATION", "must be a message of the conversation");
      }
      draft.target_message_id = ids[2];
    }
    return Put(inbox::Reply(parts_.store, call, draft, options_.reply), out);
  }

  Status DoCreateNote(const Call& call, const v1::CreateNoteRequest& r, v1::Note& out) {
    PARVIS_ASSIGN_OR_RETURN(const std::string id, ConversationIdOf("parent", r.parent()));
    PARVIS_ASSIGN_OR_RETURN(const std::string request_id, RequestId(r.request_id()));
    return Put(inbox::CreateNote(parts_.store, call, id, r.note().text(), request_id), out);
  }

  Status DoListNotes(const Call& call, const v1::ListNotesRequest& r, v1::ListNotesResponse& out) {
    PARVIS_ASSIGN_OR_RETURN(const std::string id, ConversationIdOf("parent", r.parent()));
    PARVIS_ASSIGN_OR_RETURN(const Page page, PageOf(r, r.page_size(), r.page_token()));
    std::optional<TimePosition> after;
    if (page.after) {
      PARVIS_ASSIGN_OR_RETURN(after, TimePositionOf(*page.after));
    }
    PARVIS_ASSIGN_OR_RETURN(std::vector<Note> found, parts_.store.ListNotes(call, id, after, page.size + 1));
    FillPage(
        page, found, [](const Note& n) { return KeysetOf(n.create_time, n.id); }, out,
        [&out](const Note& n) { ToProto(n, *out.add_notes()); });
    return absl::OkStatus();
  }

  Status DoAssignConversation(const Call& call, const v1::AssignConversationRequest& r, v1::Conversation& out) {
    PARVIS_ASSIGN_OR_RETURN(const std::string id, ConversationIdOf("name", r.name()));
    return Put(inbox::AssignConversation(parts_.store, call, id, r.assignee(), r.etag()), out);
  }

  Status DoResolveConversation(const Call& call, const v1::ResolveConversationRequest& r, v1::Conversation& out) {
    PARVIS_ASSIGN_OR_RETURN(const std::string id, ConversationIdOf("name", r.name()));
    return Put(inbox::ResolveConversation(parts_.store, call, id, r.etag()), out);
  }

  Status DoReopenConversation(const Call& call, const v1::ReopenConversationRequest& r, v1::Conversation& out) {
    PARVIS_ASSIGN_OR_RETURN(const std::string id, ConversationIdOf("name", r.name()));
    return Put(inbox::ReopenConversation(parts_.store, call, id, r.etag()), out);
  }

  Status PutCase(const StatusOr<Case>& found, v1::Case& out) {
    PARVIS_RETURN_IF_ERROR(found.status());
    ToProto(*found, parts_.clock.WallNow(), out);
    return absl::OkStatus();
  }

  Status DoOpenCase(const Call& call, const v1::OpenCaseRequest& r, v1::Case& out) {
    PARVIS_ASSIGN_OR_RETURN(const std::string id, ConversationIdOf("name", r.name()));
    PARVIS_ASSIGN_OR_RETURN(const std::string request_id, RequestId(r.request_id()));
    const CaseDraft draft{.conversation_id = id,
                          .title = r.case_().title(),
                          .owner = r.case_().owner(),
                          .request_id = request_id,
                          .due_time = MaybeTime(r.case_().has_due_time(), r.case_().due_time())};
    return PutCase(inbox::OpenCase(parts_.store, call, draft, options_.case_due), out);
  }

  Status DoGetCase(const Call& call, const v1::GetCaseRequest& r, v1::Case& out) {
    PARVIS_ASSIGN_OR_RETURN(const std::string id, CaseIdOf(r.name()));
    return PutCase(parts_.store.GetCase(call, id), out);
  }

  Status DoListCases(const Call& call, const v1::ListCasesRequest& r, v1::ListCasesResponse& out) {
    PARVIS_RETURN_IF_ERROR(OwnId("parent", r.parent(), "workspaces/*").status());
    PARVIS_ASSIGN_OR_RETURN(const CaseFilter filter, FilterOf(r));
    PARVIS_ASSIGN_OR_RETURN(const Page page, PageOf(r, r.page_size(), r.page_token()));
    std::optional<TimePosition> after;
    if (page.after) {
      PARVIS_ASSIGN_OR_RETURN(after, TimePositionOf(*page.after));
    }
    PARVIS_ASSIGN_OR_RETURN(std::vector<Case> found, parts_.store.ListCases(call, filter, after, page.size + 1));
    const absl::Time now = parts_.clock.WallNow();
    FillPage(
        page, found, [](const Case& k) { return KeysetOf(k.due_time, k.id); }, out,
        [&](const Case& k) { ToProto(k, now, *out.add_cases()); });
    return absl::OkStatus();
  }

  Status DoEscalateCase(const Call& call, const v1::EscalateCaseRequest& r, v1::Case& out) {
    PARVIS_ASSIGN_OR_RETURN(const std::string id, CaseIdOf(r.name()));
    PARVIS_RETURN_IF_ERROR(rpc::CheckRequestId(r.request_id()));
    const Escalation escalation{.case_id = id,
                                .reason = r.reason(),
                                .owner = r.owner(),
                                .request_id = NormalizeUuid(r.request_id()),
                                .due_time = MaybeTime(r.has_due_time(), r.due_time())};
    return PutCase(inbox::EscalateCase(parts_.store, call, escalation), out);
  }

  Status DoResolveCase(const Call& call, const v1::ResolveCaseRequest& r, v1::Case& out) {
    PARVIS_ASSIGN_OR_RETURN(const std::string id, CaseIdOf(r.name()));
    return PutCase(inbox::ResolveCase(parts_.store, call, id, r.resolution()), out);
  }

  const ServiceParts parts_;
  const ServiceOptions options_;
};

#undef HANDLER
#undef METHOD

}  // namespace

std::unique_ptr<grpc::Service> MakeInboxService(const ServiceParts& parts, const ServiceOptions& options) {
  return std::make_unique<InboxServiceImpl>(parts, options);
}

}  // namespace parvis::inbox
