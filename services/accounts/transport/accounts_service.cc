#include <grpcpp/server_context.h>

#include "accounts/transport/convert.h"
#include "accounts/transport/services.h"
#include "parvis/accounts/v1/accounts_service.grpc.pb.h"
#include "platform/base/ids.h"
#include "platform/rpc/resource.h"
#include "platform/rpc/unary.h"

namespace parvis::accounts {
namespace {

constexpr int kPageDefault = 100;
constexpr int kPageMax = 1000;

using Context = grpc::CallbackServerContext;
using Reactor = grpc::ServerUnaryReactor;

// Ids in resource names of one shape; the last of them is the resource's own.
StatusOr<std::string> OwnId(std::string_view field, std::string_view name, std::string_view pattern) {
  PARVIS_ASSIGN_OR_RETURN(std::vector<std::string> ids, rpc::ParseName(field, name, pattern));
  return ids.back();
}

// A list method: decodes the page, asks for one more than the page holds, encodes the next token. `list` is
// (Page) -> StatusOr<vector>, `add` returns the message of the response to fill.
template <class Request, class Response, class List, class Add>
Status ListPage(const Request& request, Response& response, List list, Add add) {
  PARVIS_ASSIGN_OR_RETURN(int size, rpc::PageSize(request.page_size(), kPageDefault, kPageMax));
  const std::string digest = rpc::QueryDigest(request);
  Page page{.after = "", .limit = size + 1};
  if (!request.page_token().empty()) {
    PARVIS_ASSIGN_OR_RETURN(std::vector<std::string> keyset, rpc::DecodePageToken(request.page_token(), digest));
    if (keyset.size() != 1 || !IsUuid(keyset[0])) {
      return InvalidField("page_token", "PAGE_TOKEN_INVALID", "is not a token that was given out");
    }
    page.after = keyset[0];
  }
  PARVIS_ASSIGN_OR_RETURN(auto items, list(page));
  if (static_cast<int>(items.size()) > size) {
    items.resize(size);
    response.set_next_page_token(rpc::EncodePageToken(digest, {items.back().id}));
  }
  for (const auto& item : items) ToProto(item, *add());
  return absl::OkStatus();
}

template <class Noun, class Message>
Status Put(StatusOr<Noun> noun, Message& out) {
  PARVIS_RETURN_IF_ERROR(noun.status());
  ToProto(*noun, out);
  return absl::OkStatus();
}

#define METHOD(name) "parvis.accounts.v1.AccountsService/" name
#define HANDLER(Name, Response)                                                                       \
  Reactor* Name(Context* context, const pb::Name##Request* request, Response* response) override {    \
    return rpc::Unary(context, runtime_, METHOD(#Name), *request, *response,                          \
                      [this](const Call& call, const pb::Name##Request& r, Response& out) -> Status { \
                        return Do##Name(call, r, out);                                                \
                      });                                                                             \
  }                                                                                                   \
  Status Do##Name([[maybe_unused]] const Call& call, [[maybe_unused]] const pb::Name##Request& r,     \
                  [[maybe_unused]] Response& out)

class AccountsServiceImpl final : public pb::AccountsService::CallbackService {
 public:
  AccountsServiceImpl(rpc::Runtime& runtime, UseCases use_cases) : runtime_(runtime), use_(use_cases) {}

  HANDLER(CreateOrganization, pb::Organization) {
    PARVIS_ASSIGN_OR_RETURN(Request request, RequestFromProto("CreateOrganization", r.request_id(), r));
    Organization wanted{.id = "", .display_name = r.organization().display_name(), .create_time = {}};
    return Put(use_.tenants.CreateOrganization(call, std::move(wanted), std::move(request)), out);
  }
  HANDLER(GetOrganization, pb::Organization) {
    PARVIS_ASSIGN_OR_RETURN(std::string id, OwnId("name", r.name(), "organizations/*"));
    return Put(use_.tenants.GetOrganization(call, id), out);
  }
  HANDLER(CreateWorkspace, pb::Workspace) {
    PARVIS_ASSIGN_OR_RETURN(std::string parent, OwnId("parent", r.parent(), "organizations/*"));
    PARVIS_ASSIGN_OR_RETURN(Request request, RequestFromProto("CreateWorkspace", r.request_id(), r));
    Workspace wanted;
    wanted.organization_id = parent;
    wanted.display_name = r.workspace().display_name();
    wanted.time_zone = r.workspace().time_zone();
    return Put(use_.tenants.CreateWorkspace(call, std::move(wanted), std::move(request)), out);
  }
  HANDLER(GetWorkspace, pb::Workspace) {
    PARVIS_ASSIGN_OR_RETURN(std::string id, OwnId("name", r.name(), "workspaces/*"));
    return Put(use_.tenants.GetWorkspace(call, id), out);
  }
  HANDLER(ListWorkspaces, pb::ListWorkspacesResponse) {
    PARVIS_ASSIGN_OR_RETURN(std::string parent, OwnId("parent", r.parent(), "organizations/*"));
    return ListPage(
        r, out, [&](const Page& page) { return use_.tenants.ListWorkspaces(call, parent, page); },
        [&] { return out.add_workspaces(); });
  }
  HANDLER(UpdateWorkspace, pb::Workspace) {
    PARVIS_ASSIGN_OR_RETURN(std::string id, OwnId("workspace.name", r.workspace().name(), "workspaces/*"));
    PARVIS_ASSIGN_OR_RETURN(WorkspaceChange change, ChangeFromProto(r));
    return Put(use_.tenants.UpdateWorkspace(call, id, change), out);
  }

  HANDLER(CreateMember, pb::Member) {
    PARVIS_RETURN_IF_ERROR(OwnId("parent", r.parent(), "workspaces/*").status());
    PARVIS_ASSIGN_OR_RETURN(Request request, RequestFromProto("CreateMember", r.request_id(), r));
    Member wanted;
    wanted.display_name = r.member().display_name();
    wanted.email = r.member().email();
    PARVIS_ASSIGN_OR_RETURN(wanted.roles, RolesFromProto("member.roles", r.member().roles()));
    return Put(use_.members.CreateMember(call, std::move(wanted), std::move(request)), out);
  }
  HANDLER(GetMember, pb::Member) {
    PARVIS_ASSIGN_OR_RETURN(std::string id, OwnId("name", r.name(), "workspaces/*/members/*"));
    return Put(use_.members.GetMember(call, id), out);
  }
  HANDLER(ListMembers, pb::ListMembersResponse) {
    PARVIS_RETURN_IF_ERROR(OwnId("parent", r.parent(), "workspaces/*").status());
    return ListPage(
        r, out, [&](const Page& page) { return use_.members.ListMembers(call, page); },
        [&] { return out.add_members(); });
  }
  HANDLER(UpdateMember, pb::Member) {
    PARVIS_ASSIGN_OR_RETURN(std::string id, OwnId("member.name", r.member().name(), "workspaces/*/members/*"));
    PARVIS_ASSIGN_OR_RETURN(MemberChange change, ChangeFromProto(r));
    return Put(use_.members.UpdateMember(call, id, change), out);
  }
  HANDLER(DeleteMember, google::protobuf::Empty) {
    PARVIS_ASSIGN_OR_RETURN(std::string id, OwnId("name", r.name(), "workspaces/*/members/*"));
    PARVIS_ASSIGN_OR_RETURN(int64_t version, VersionOfEtag("etag", r.etag()));
    return use_.members.DeleteMember(call, id, version);
  }

  HANDLER(CreateApiKey, pb::ApiKey) {
    PARVIS_RETURN_IF_ERROR(OwnId("parent", r.parent(), "workspaces/*").status());
    PARVIS_ASSIGN_OR_RETURN(Request request, RequestFromProto("CreateApiKey", r.request_id(), r));
    PARVIS_ASSIGN_OR_RETURN(std::vector<std::string> member,
                            rpc::ParseName("api_key.member", r.api_key().member(), "workspaces/*/members/*"));
    if (member[0] != call.workspace_id) {
      return InvalidField("api_key.member", "ANOTHER_WORKSPACE", "must be a member of the workspace in parent");
    }
    ApiKey wanted;
    wanted.member_id = member[1];
    wanted.display_name = r.api_key().display_name();
    PARVIS_ASSIGN_OR_RETURN(wanted.roles, RolesFromProto("api_key.roles", r.api_key().roles()));
    if (r.api_key().has_expire_time()) {
      const auto& expire = r.api_key().expire_time();
      wanted.expire_time = absl::FromUnixSeconds(expire.seconds()) + absl::Nanoseconds(expire.nanos());
    }
    PARVIS_ASSIGN_OR_RETURN(NewApiKey made, use_.api_keys.CreateApiKey(call, std::move(wanted), std::move(request)));
    ToProto(made.key, out);
    out.set_secret(made.secret.Reveal());
    return absl::OkStatus();
  }
  HANDLER(GetApiKey, pb::ApiKey) {
    PARVIS_ASSIGN_OR_RETURN(std::string id, OwnId("name", r.name(), "workspaces/*/apiKeys/*"));
    return Put(use_.api_keys.GetApiKey(call, id), out);
  }
  HANDLER(ListApiKeys, pb::ListApiKeysResponse) {
    PARVIS_RETURN_IF_ERROR(OwnId("parent", r.parent(), "workspaces/*").status());
    return ListPage(
        r, out, [&](const Page& page) { return use_.api_keys.ListApiKeys(call, page); },
        [&] { return out.add_api_keys(); });
  }
  HANDLER(RevokeApiKey, pb::ApiKey) {
    PARVIS_ASSIGN_OR_RETURN(std::string id, OwnId("name", r.name(), "workspaces/*/apiKeys/*"));
    return Put(use_.api_keys.RevokeApiKey(call, id), out);
  }

  HANDLER(ConnectChannel, pb::Channel) {
    PARVIS_RETURN_IF_ERROR(OwnId("parent", r.parent(), "workspaces/*").status());
    PARVIS_ASSIGN_OR_RETURN(Request request, RequestFromProto("ConnectChannel", r.request_id(), r));
    ConnectRequest wanted{r.network(), r.site_url(), r.display_name(), CredentialsFromProto(r.credentials())};
    return Put(use_.channels.ConnectChannel(call, wanted, request), out);
  }
  HANDLER(GetChannel, pb::Channel) {
    PARVIS_ASSIGN_OR_RETURN(std::string id, OwnId("name", r.name(), "workspaces/*/channels/*"));
    return Put(use_.channels.GetChannel(call, id), out);
  }
  HANDLER(ListChannels, pb::ListChannelsResponse) {
    PARVIS_RETURN_IF_ERROR(OwnId("parent", r.parent(), "workspaces/*").status());
    return ListPage(
        r, out, [&](const Page& page) { return use_.channels.ListChannels(call, page); },
        [&] { return out.add_channels(); });
  }
  HANDLER(UpdateChannelCredentials, pb::Channel) {
    PARVIS_ASSIGN_OR_RETURN(std::string id, OwnId("name", r.name(), "workspaces/*/channels/*"));
    return Put(use_.channels.UpdateChannelCredentials(call, id, CredentialsFromProto(r.credentials())), out);
  }
  HANDLER(DisconnectChannel, pb::Channel) {
    PARVIS_ASSIGN_OR_RETURN(std::string id, OwnId("name", r.name(), "workspaces/*/channels/*"));
    return Put(use_.channels.DisconnectChannel(call, id), out);
  }
  HANDLER(ResealCredentials, pb::ResealCredentialsResponse) {
    PARVIS_ASSIGN_OR_RETURN(int64_t count, use_.directory.ResealCredentials(call));
    out.set_resealed_count(count);
    return absl::OkStatus();
  }

 private:
  rpc::Runtime& runtime_;
  const UseCases use_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeAccountsService(rpc::Runtime& runtime, UseCases use_cases) {
  return std::make_unique<AccountsServiceImpl>(runtime, use_cases);
}

}  // namespace parvis::accounts
