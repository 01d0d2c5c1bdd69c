// The gRPC services of accounts over real gRPC, on the fake store: what only this layer can get wrong: names, pages,
// masks, etags, roles, secrets.
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <fstream>

#include "accounts/domain/fakes.h"
#include "accounts/transport/services.h"
#include "parvis/accounts/v1/accounts_service.grpc.pb.h"
#include "parvis/accounts/v1/channel_directory_service.grpc.pb.h"
#include "parvis/accounts/v1/sign_in_service.grpc.pb.h"
#include "parvis/platform/v1/authentication_service.grpc.pb.h"
#include "platform/rpc/client.h"

namespace parvis::accounts {
namespace {

namespace pb = ::parvis::accounts::v1;

constexpr char kServiceKey[] = "0123456789abcdef0123456789abcdef";

class ServicesTest : public ::testing::Test {
 protected:
  ServicesTest() {
    networks_.tokens["good"] = {"111", "Acme Page", "acme", ""};
    config_.service_key_file = ::testing::TempDir() + "/accounts_service_key";
    std::ofstream(config_.service_key_file) << kServiceKey;
    runtime_ = std::make_unique<rpc::Runtime>("accounts", config_, authenticator_, clock_, metrics_);
    UseCases use{tenants_, members_, keys_, channels_, sign_ins_, directory_, authentication_};
    services_.push_back(MakeAccountsService(*runtime_, use));
    services_.push_back(MakeSignInService(*runtime_, use));
    services_.push_back(MakeDirectoryService(*runtime_, use));
    services_.push_back(MakeAuthenticationService(*runtime_, use));
    server_ = std::make_unique<rpc::Server>(
        config_, *runtime_,
        std::vector<grpc::Service*>{services_[0].get(), services_[1].get(), services_[2].get(), services_[3].get()});
    EXPECT_TRUE(server_->Start().ok());
    auto channel = grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials());
    accounts_ = pb::AccountsService::NewStub(channel);
    directory_stub_ = pb::ChannelDirectoryService::NewStub(channel);
    sign_in_stub_ = pb::SignInService::NewStub(channel);
    authentication_stub_ = platform::v1::AuthenticationService::NewStub(channel);
  }
  ~ServicesTest() override {
    server_->Stop(absl::Seconds(5));
    runtime_->StopExecutor();
  }
  // Calls a stub's method with a bearer token; the error's reason in `Reason`.
  template <class Stub, class Request, class Response>
  Status Ask(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
             const Request& request, Response* response, const std::string& token) {
    grpc::ClientContext context;
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    return rpc::FromGrpc((stub.*method)(&context, request, response));
  }
  template <class Request, class Response>
  Status Ask(grpc::Status (pb::AccountsService::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
             const Request& request, Response* response, const std::string& token) {
    return Ask(*accounts_, method, request, response, token);
  }
  std::string ServiceToken() { return rpc::MakeServiceToken("ingestion", Secret(kServiceKey), clock_.WallNow()); }
  // An organisation, a workspace, an owner and the owner's key, by the API alone.
  void Bootstrap() {
    using Stub = pb::AccountsService::Stub;
    pb::CreateOrganizationRequest organization;
    organization.mutable_organization()->set_display_name("Acme");
    pb::Organization made;
    ASSERT_TRUE(Ask(&Stub::CreateOrganization, organization, &made, "operator-key").ok());
    pb::CreateWorkspaceRequest workspace;
    workspace.set_parent(made.name());
    workspace.mutable_workspace()->set_display_name("Brand");
    workspace.mutable_workspace()->set_time_zone("Europe/Paris");
    pb::Workspace brand;
    ASSERT_TRUE(Ask(&Stub::CreateWorkspace, workspace, &brand, "operator-key").ok());
    workspace_ = brand.name();
    organization_ = brand.organization();
    owner_ = NewMember("owner@acme.example", {platform::v1::ROLE_OWNER}, "operator-key");
    owner_key_ = NewKey(owner_.name(), "operator-key");
  }
  pb::Member NewMember(const std::string& email, std::vector<platform::v1::Role> roles, const std::string& token) {
    pb::CreateMemberRequest request;
    request.set_parent(workspace_);
    request.mutable_member()->set_display_name("Zoé");
    request.mutable_member()->set_email(email);
    for (auto role : roles) request.mutable_member()->add_roles(role);
    pb::Member made;
    EXPECT_TRUE(Ask(&pb::AccountsService::Stub::CreateMember, request, &made, token).ok());
    return made;
  }
  std::string NewKey(const std::string& member, const std::string& token) {
    pb::CreateApiKeyRequest request;
    request.set_parent(workspace_);
    request.mutable_api_key()->set_display_name("tool");
    request.mutable_api_key()->set_member(member);
    pb::ApiKey made;
    Status status = Ask(&pb::AccountsService::Stub::CreateApiKey, request, &made, token);
    EXPECT_TRUE(status.ok()) << status;
    return made.secret();
  }

  RealClock clock_;
  obs::Metrics metrics_;
  Ids ids_{clock_};
  FakeStore store_;
  FakeNetworks networks_;
  KeyHash hash_ = [](const Secret& secret) { return "hash of " + secret.Reveal(); };
  Tenants tenants_{store_, ids_, clock_};
  Members members_{store_, ids_, clock_};
  ApiKeys keys_{store_, store_, hash_, ids_, clock_};
  Authentication authentication_{store_, hash_, Secret("operator-key"), clock_};
  FakeSignIns gate_;
  Channels channels_{store_, networks_, gate_, ids_, clock_};
  SignIns sign_ins_{store_, store_, networks_, gate_, hash_, "https://parvis.example/v1/signin/callback", ids_, clock_};
  Directory directory_{store_, clock_};
  OwnAuthenticator authenticator_{authentication_};
  rpc::ServerConfig config_;
  std::unique_ptr<rpc::Runtime> runtime_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<pb::AccountsService::Stub> accounts_;
  std::unique_ptr<pb::ChannelDirectoryService::Stub> directory_stub_;
  std::unique_ptr<pb::SignInService::Stub> sign_in_stub_;
  std::unique_ptr<platform::v1::AuthenticationService::Stub> authentication_stub_;
  std::string workspace_, organization_, owner_key_;
  pb::Member owner_;
};

using Stub = pb::AccountsService::Stub;

TEST_F(ServicesTest, AnOperatorBootstrapsAndAnOwnerGoesOn) {
  Bootstrap();
  pb::GetWorkspaceRequest get;
  get.set_name(workspace_);
  pb::Workspace workspace;
  ASSERT_TRUE(Ask(&Stub::GetWorkspace, get, &workspace, owner_key_).ok());
  EXPECT_EQ(workspace.time_zone(), "Europe/Paris");
  EXPECT_EQ(workspace.etag(), "v1");
  EXPECT_GT(workspace.create_time().seconds(), 1'700'000'000);
  pb::CreateWorkspaceRequest second;
  second.set_parent(organization_);
  second.mutable_workspace()->set_display_name("Second brand");
  EXPECT_TRUE(Ask(&Stub::CreateWorkspace, second, &workspace, owner_key_).ok());
  pb::ListWorkspacesRequest list;
  list.set_parent(organization_);
  list.set_page_size(1);
  pb::ListWorkspacesResponse page;
  ASSERT_TRUE(Ask(&Stub::ListWorkspaces, list, &page, owner_key_).ok());
  EXPECT_EQ(page.workspaces_size(), 1);
  list.set_page_token(page.next_page_token());
  ASSERT_TRUE(Ask(&Stub::ListWorkspaces, list, &page, owner_key_).ok());
  EXPECT_EQ(page.workspaces_size(), 1);
  EXPECT_EQ(page.next_page_token(), "");
}

TEST_F(ServicesTest, TheKeyMustBelongToTheWorkspaceAndHoldTheRole) {
  Bootstrap();
  pb::Member analyst = NewMember("analyst@acme.example", {platform::v1::ROLE_ANALYST}, owner_key_);
  const std::string analyst_key = NewKey(analyst.name(), owner_key_);
  pb::ListMembersRequest list;
  list.set_parent(workspace_);
  pb::ListMembersResponse members;
  EXPECT_TRUE(Ask(&Stub::ListMembers, list, &members, analyst_key).ok());
  EXPECT_EQ(members.members_size(), 2);
  pb::ListApiKeysRequest keys;
  keys.set_parent(workspace_);
  pb::ListApiKeysResponse listed;
  EXPECT_EQ(Ask(&Stub::ListApiKeys, keys, &listed, analyst_key).code(), Code::kPermissionDenied);
  EXPECT_TRUE(Ask(&Stub::ListApiKeys, keys, &listed, owner_key_).ok());
  EXPECT_EQ(listed.api_keys_size(), 2);
  EXPECT_EQ(listed.api_keys(0).secret(), "");
  EXPECT_EQ(Ask(&Stub::ListMembers, list, &members, "").code(), Code::kUnauthenticated);
  EXPECT_EQ(Ask(&Stub::ListMembers, list, &members, "pv_nonsense").code(), Code::kUnauthenticated);
  const std::string first_key = owner_key_, first_workspace = workspace_;
  Bootstrap();  // another organisation
  list.set_parent(first_workspace);
  EXPECT_EQ(Ask(&Stub::ListMembers, list, &members, owner_key_).code(), Code::kPermissionDenied);
  pb::CreateApiKeyRequest foreign;
  foreign.set_parent(workspace_);
  foreign.mutable_api_key()->set_display_name("x");
  foreign.mutable_api_key()->set_member(analyst.name());
  pb::ApiKey made;
  EXPECT_FALSE(Ask(&Stub::CreateApiKey, foreign, &made, owner_key_).ok());
  EXPECT_EQ(ReasonOf(Ask(&Stub::CreateApiKey, foreign, &made, "operator-key")), "ANOTHER_WORKSPACE");
  pb::ListWorkspacesRequest all;
  all.set_parent(organization_);
  pb::ListWorkspacesResponse page;
  EXPECT_EQ(ReasonOf(Ask(&Stub::ListWorkspaces, all, &page, first_key)), "ANOTHER_ORGANIZATION");
}

TEST_F(ServicesTest, UpdatesHonourMaskAndEtag) {
  Bootstrap();
  pb::UpdateMemberRequest update;
  update.mutable_member()->set_name(owner_.name());
  update.mutable_member()->set_display_name("Renamed");
  update.mutable_member()->set_email("ignored@acme.example");
  update.mutable_update_mask()->add_paths("display_name");
  update.mutable_member()->set_etag(owner_.etag());
  pb::Member after;
  ASSERT_TRUE(Ask(&Stub::UpdateMember, update, &after, owner_key_).ok());
  EXPECT_EQ(after.display_name(), "Renamed");
  EXPECT_EQ(after.email(), "owner@acme.example");
  EXPECT_EQ(ReasonOf(Ask(&Stub::UpdateMember, update, &after, owner_key_)), "ETAG_MISMATCH");
  update.mutable_member()->set_etag("nonsense");
  Status bad = Ask(&Stub::UpdateMember, update, &after, owner_key_);
  EXPECT_EQ(bad.code(), Code::kInvalidArgument);
  EXPECT_EQ(ToError(bad).violations.at(0).field, "member.etag");
  update.mutable_member()->clear_etag();
  update.mutable_update_mask()->add_paths("create_time");
  bad = Ask(&Stub::UpdateMember, update, &after, owner_key_);
  EXPECT_EQ(ToError(bad).violations.at(0).field, "update_mask");
  update.clear_update_mask();
  update.mutable_member()->set_display_name("");
  update.mutable_member()->set_email("new@acme.example");
  ASSERT_TRUE(Ask(&Stub::UpdateMember, update, &after, owner_key_).ok());
  EXPECT_EQ(after.display_name(), "Renamed") << "without a mask, what is empty stays";
  EXPECT_EQ(after.email(), "new@acme.example");
}

TEST_F(ServicesTest, BadNamesTokensAndIdsArePreciseErrors) {
  Bootstrap();
  pb::GetMemberRequest get;
  get.set_name(workspace_ + "/members/not-a-uuid");
  pb::Member member;
  EXPECT_EQ(ToError(Ask(&Stub::GetMember, get, &member, owner_key_)).violations.at(0).field, "name");
  get.set_name(workspace_ + "/members/" + ids_.New());
  EXPECT_EQ(Ask(&Stub::GetMember, get, &member, owner_key_).code(), Code::kNotFound);
  for (int i = 0; i < 3; ++i)
    NewMember("m" + std::to_string(i) + "@x.example", {platform::v1::ROLE_ANALYST}, owner_key_);
  pb::ListMembersRequest list;
  list.set_parent(workspace_);
  list.set_page_size(2);
  pb::ListMembersResponse page;
  ASSERT_TRUE(Ask(&Stub::ListMembers, list, &page, owner_key_).ok());
  pb::ListApiKeysRequest keys;
  keys.set_parent(workspace_);
  keys.set_page_token(page.next_page_token());
  pb::ListApiKeysResponse listed;
  EXPECT_EQ(Ask(&Stub::ListApiKeys, keys, &listed, owner_key_).code(), Code::kInvalidArgument)
      << "a page token of another query";
  list.set_page_token("garbage");
  EXPECT_EQ(Ask(&Stub::ListMembers, list, &page, owner_key_).code(), Code::kInvalidArgument);
  pb::CreateMemberRequest create;
  create.set_parent(workspace_);
  create.set_request_id("not-a-uuid");
  EXPECT_EQ(Ask(&Stub::CreateMember, create, &member, owner_key_).code(), Code::kInvalidArgument);
  create.set_request_id(ids_.New());
  create.mutable_member()->set_display_name("A");
  create.mutable_member()->set_email("twice@x.example");
  create.mutable_member()->add_roles(static_cast<platform::v1::Role>(99));
  EXPECT_EQ(ToError(Ask(&Stub::CreateMember, create, &member, owner_key_)).violations.at(0).field, "member.roles");
  create.mutable_member()->set_roles(0, platform::v1::ROLE_ANALYST);
  ASSERT_TRUE(Ask(&Stub::CreateMember, create, &member, owner_key_).ok());
  const std::string name = member.name();
  ASSERT_TRUE(Ask(&Stub::CreateMember, create, &member, owner_key_).ok());
  EXPECT_EQ(member.name(), name) << "the same request again is the same member";
  create.mutable_member()->set_display_name("B");
  EXPECT_EQ(ReasonOf(Ask(&Stub::CreateMember, create, &member, owner_key_)), "REQUEST_ID_REUSED");
}

TEST_F(ServicesTest, CredentialsAreForServicesOnly) {
  Bootstrap();
  pb::ConnectChannelRequest connect;
  connect.set_parent(workspace_);
  connect.set_network("facebook");
  (*connect.mutable_credentials())["access_token"] = "good";
  pb::Channel channel;
  Status connected = Ask(&Stub::ConnectChannel, connect, &channel, owner_key_);
  ASSERT_TRUE(connected.ok()) << connected;
  EXPECT_EQ(channel.state(), pb::CHANNEL_STATE_CONNECTED);
  EXPECT_EQ(channel.DebugString().find("good"), std::string::npos);

  using DirectoryStub = pb::ChannelDirectoryService::Stub;
  pb::GetChannelCredentialsRequest get;
  get.set_name(channel.name() + "/credentials");
  pb::ChannelCredentials credentials;
  EXPECT_EQ(Ask(*directory_stub_, &DirectoryStub::GetChannelCredentials, get, &credentials, owner_key_).code(),
            Code::kPermissionDenied);
  EXPECT_EQ(Ask(*directory_stub_, &DirectoryStub::GetChannelCredentials, get, &credentials, "operator-key").code(),
            Code::kPermissionDenied);
  ASSERT_TRUE(Ask(*directory_stub_, &DirectoryStub::GetChannelCredentials, get, &credentials, ServiceToken()).ok());
  EXPECT_EQ(credentials.credentials().at("access_token"), "good");
  EXPECT_EQ(credentials.base_url(), "https://graph.example/v23.0");
  pb::FindChannelsRequest find;
  find.set_network("facebook");
  find.add_remote_ids("111");
  pb::FindChannelsResponse found;
  ASSERT_TRUE(Ask(*directory_stub_, &DirectoryStub::FindChannels, find, &found, ServiceToken()).ok());
  ASSERT_EQ(found.bindings_size(), 1);
  EXPECT_EQ("workspaces/" + found.bindings(0).workspace_id(), workspace_);
  pb::ListChannelBindingsResponse bindings;
  ASSERT_TRUE(Ask(*directory_stub_, &DirectoryStub::ListChannelBindings, pb::ListChannelBindingsRequest(), &bindings,
                  ServiceToken())
                  .ok());
  EXPECT_EQ(bindings.channel_bindings_size(), 1);
  pb::ReportChannelHealthRequest report;
  report.set_name(channel.name());
  report.set_credentials_version(1);
  report.set_broken(true);
  report.set_reason("TOKEN_EXPIRED");
  pb::ReportChannelHealthResponse reported;
  ASSERT_TRUE(Ask(*directory_stub_, &DirectoryStub::ReportChannelHealth, report, &reported, ServiceToken()).ok());
  EXPECT_EQ(reported.state(), pb::CHANNEL_STATE_BROKEN);
}

TEST_F(ServicesTest, AMemberSignsInWithTheKeyThatBeganIt) {
  Bootstrap();
  const SignInGate::Account acme{{"111", "Acme", "acme", ""}, {{{"access_token", Secret("t")}}, std::nullopt, false}};
  gate_.codes["code"] = {acme};
  using SignInStub = pb::SignInService::Stub;
  pb::BeginSignInRequest begin;
  begin.set_parent(workspace_);
  begin.set_network("facebook");
  pb::BeginSignInResponse begun;
  EXPECT_EQ(Ask(*sign_in_stub_, &SignInStub::BeginSignIn, begin, &begun, "operator-key").code(),
            Code::kPermissionDenied);
  Status status = Ask(*sign_in_stub_, &SignInStub::BeginSignIn, begin, &begun, owner_key_);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_NE(begun.authorization_url().find(gate_.last_state), std::string::npos);
  EXPECT_GT(begun.expire_time().seconds(), 1'700'000'000);
  pb::CompleteSignInRequest complete;
  complete.set_parent(workspace_);
  complete.set_state(gate_.last_state);
  complete.set_code("code");
  pb::Channel channel;
  const std::string second_key = NewKey(owner_.name(), owner_key_);
  EXPECT_EQ(ReasonOf(Ask(*sign_in_stub_, &SignInStub::CompleteSignIn, complete, &channel, second_key)),
            "SIGN_IN_UNKNOWN");
  ASSERT_TRUE(Ask(*sign_in_stub_, &SignInStub::CompleteSignIn, complete, &channel, owner_key_).ok());
  EXPECT_EQ(channel.remote_id(), "111");
  EXPECT_FALSE(channel.has_credentials_expire_time());
  begin.clear_network();
  begin.set_channel("workspaces/" + ids_.New() + "/channels/" + ids_.New());
  EXPECT_EQ(Ask(*sign_in_stub_, &SignInStub::BeginSignIn, begin, &begun, owner_key_).code(), Code::kPermissionDenied);
  begin.set_channel(channel.name());
  EXPECT_TRUE(Ask(*sign_in_stub_, &SignInStub::BeginSignIn, begin, &begun, owner_key_).ok());
}

TEST_F(ServicesTest, OtherServicesLearnWhoCalls) {
  Bootstrap();
  using AuthenticationStub = platform::v1::AuthenticationService::Stub;
  platform::v1::AuthenticateRequest request;
  request.set_token(owner_key_);
  platform::v1::AuthenticateResponse response;
  EXPECT_EQ(Ask(*authentication_stub_, &AuthenticationStub::Authenticate, request, &response, owner_key_).code(),
            Code::kPermissionDenied);
  ASSERT_TRUE(Ask(*authentication_stub_, &AuthenticationStub::Authenticate, request, &response, ServiceToken()).ok());
  EXPECT_EQ("workspaces/" + response.workspace_id(), workspace_);
  EXPECT_EQ(response.roles(0), platform::v1::ROLE_OWNER);
  EXPECT_LE(response.cache_seconds(), 30);
  request.set_token("pv_unknown");
  EXPECT_EQ(ReasonOf(Ask(*authentication_stub_, &AuthenticationStub::Authenticate, request, &response, ServiceToken())),
            "TOKEN_UNKNOWN");
}

}  // namespace
}  // namespace parvis::accounts
