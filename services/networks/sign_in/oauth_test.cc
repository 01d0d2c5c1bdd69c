// Signing in by OAuth: what is sent, to the byte, and what every answer means.
#include "networks/sign_in/oauth.h"

#include <gtest/gtest.h>

#include "networks/testing/scripted_network.h"

namespace parvis::networks {
namespace {

const char kRedirect[] = "https://parvis.example/v1/signin/callback";

class OAuthTest : public ::testing::Test {
 protected:
  SignInPlace Place(const std::string& path = "") {
    return {network_.url() + path, {"the-client", Secret("the-client-secret")}, kRedirect};
  }
  // Any network of the table, with its token endpoint here.
  std::unique_ptr<OAuthSignIn> Of(const std::string& name) {
    FindAccounts nobody = [](const Call&, const SignInPlace&, const Grant&) -> StatusOr<std::vector<GrantedAccount>> {
      return std::vector<GrantedAccount>();
    };
    return std::make_unique<OAuthSignIn>(network_.client(), network_.clock(), *FindOAuthFacts(name),
                                         SignInEndpoints{"", network_.url() + "/token"}, nobody);
  }
  SignIn& sign_in(const std::string& name) { return *sign_ins_.at(name); }
  std::map<std::string, std::string> UrlQuery(const std::string& network, const std::string& base) {
    AuthorizationRequest request{Place(), "the-state", CodeChallenge(Secret("the-verifier"))};
    request.place.base_url = base;
    const StatusOr<std::string> url = sign_ins_.contains(network) ? sign_in(network).AuthorizationUrl(request)
                                                                  : Of(network)->AuthorizationUrl(request);
    EXPECT_TRUE(url.ok()) << url.status();
    const size_t mark = url->find('?');
    auto query = net::ParseQuery(url->substr(mark + 1));
    query["(address)"] = url->substr(0, mark);
    return query;
  }
  std::map<std::string, std::string> TakenForm() {
    const auto asked = network_.Taken();
    EXPECT_EQ(asked.size(), 1u);
    if (asked.empty()) return {};
    EXPECT_EQ(asked[0].method, "POST");
    auto form = net::ParseQuery(asked[0].body);
    const auto authorization = asked[0].headers.find("Authorization");
    if (authorization != asked[0].headers.end()) form["(authorization)"] = authorization->second;
    form["(path)"] = asked[0].path;
    return form;
  }
  static Credentials Tokens() {
    return {{{"access_token", Secret("old-access")}, {"refresh_token", Secret("old-refresh")}}};
  }

  ScriptedNetwork network_;
  std::map<std::string, std::unique_ptr<SignIn>> sign_ins_ =
      MakeSignIns(network_.client(), network_.clock(), network_.connectors());
};

TEST_F(OAuthTest, TheChallengeIsThatOfRfc7636) {
  // RFC 7636, appendix B.
  EXPECT_EQ(CodeChallenge(Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
  EXPECT_EQ(Base64Url(std::string("\xfb\xff\xfe", 3)), "-__-");
  EXPECT_EQ(Base64Url("a"), "YQ");
}

TEST_F(OAuthTest, EveryNetworkIsAskedInItsOwnWay) {
  auto x = UrlQuery("x", "https://api.x.com");
  EXPECT_EQ(x["(address)"], "https://x.com/i/oauth2/authorize");
  EXPECT_EQ(x["response_type"], "code");
  EXPECT_EQ(x["client_id"], "the-client");
  EXPECT_EQ(x["redirect_uri"], kRedirect);
  EXPECT_EQ(x["state"], "the-state");
  EXPECT_EQ(x["code_challenge_method"], "S256");
  EXPECT_EQ(x["code_challenge"], CodeChallenge(Secret("the-verifier")));
  EXPECT_NE(x["scope"].find("offline.access"), std::string::npos);
  auto facebook = UrlQuery("facebook", "https://graph.facebook.com/v23.0/");
  EXPECT_EQ(facebook["(address)"], "https://www.facebook.com/v23.0/dialog/oauth");
  EXPECT_EQ(facebook["scope"].substr(0, 38), "pages_show_list,pages_read_engagement,");
  EXPECT_EQ(facebook.count("code_challenge"), 0u);
  auto youtube = UrlQuery("youtube", "https://www.googleapis.com/youtube/v3");
  EXPECT_EQ(youtube["(address)"], "https://accounts.google.com/o/oauth2/v2/auth");
  EXPECT_EQ(youtube["access_type"], "offline");
  EXPECT_EQ(youtube["prompt"], "consent");
  EXPECT_EQ(youtube["code_challenge_method"], "S256");
  auto mastodon = UrlQuery("mastodon", "https://social.example/");
  EXPECT_EQ(mastodon["(address)"], "https://social.example/oauth/authorize");
  EXPECT_EQ(mastodon["code_challenge_method"], "S256");
  EXPECT_EQ(UrlQuery("linkedin", "https://api.linkedin.com")["(address)"],
            "https://www.linkedin.com/oauth/v2/authorization");
}

TEST_F(OAuthTest, NothingIsAskedWithoutStateChallengeOrApp) {
  AuthorizationRequest request{Place(), "the-state", CodeChallenge(Secret("v"))};
  request.state = "";
  EXPECT_EQ(sign_in("x").AuthorizationUrl(request).status().code(), Code::kInvalidArgument);
  request.state = std::string(501, 's');
  EXPECT_EQ(sign_in("x").AuthorizationUrl(request).status().code(), Code::kInvalidArgument);
  request.state = "s";
  request.code_challenge = "";
  EXPECT_EQ(sign_in("x").AuthorizationUrl(request).status().code(), Code::kInvalidArgument);
  request.place.app.client_id = "";
  EXPECT_EQ(ReasonOf(sign_in("x").AuthorizationUrl(request).status()), "SIGN_IN_NOT_CONFIGURED");
  EXPECT_EQ(ReasonOf(sign_in("bluesky").AuthorizationUrl(request).status()), "NOT_POSSIBLE");
  EXPECT_FALSE(sign_ins_.contains("wordpress")) << "its passwords do not change";
}

TEST_F(OAuthTest, ACodeIsExchangedWithTheVerifier) {
  network_.Next(200, R"({"token_type":"bearer","expires_in":7200,"access_token":"A","refresh_token":"R","odd":[1]})");
  const absl::Time before = absl::Now();
  auto grant = sign_in("x").Exchange(network_.call(), Place(), Secret("the code/+"), Secret("the-verifier"));
  ASSERT_TRUE(grant.ok()) << grant.status();
  EXPECT_EQ(grant->credentials.Get("access_token").Reveal(), "A");
  EXPECT_EQ(grant->credentials.Get("refresh_token").Reveal(), "R");
  EXPECT_GE(*grant->expires_at, before + absl::Seconds(7199));
  EXPECT_LE(*grant->expires_at, absl::Now() + absl::Seconds(7200));
  auto form = TakenForm();
  EXPECT_EQ(form["(path)"], "/2/oauth2/token");
  EXPECT_EQ(form["grant_type"], "authorization_code");
  EXPECT_EQ(form["code"], "the code/+");
  EXPECT_EQ(form["code_verifier"], "the-verifier");
  EXPECT_EQ(form["redirect_uri"], kRedirect);
  EXPECT_EQ(form["(authorization)"],
            "Basic "
            "dGhlLWNsaWVudDp0aGUtY2xpZW50LXNlY3JldA==");
  EXPECT_EQ(form.count("client_secret"), 0u);
}

TEST_F(OAuthTest, LinkedInWantsTheSecretInTheBodyAndNoPkce) {
  network_.Next(200, R"({"access_token":"A","expires_in":"5184000","refresh_token":"R",
                         "refresh_token_expires_in":31536000,
                         "scope":"r_organization_social,w_organization_social,rw_organization_admin"})");
  auto grant = Of("linkedin")->Exchange(network_.call(), Place(), Secret("c"), Secret("v"));
  ASSERT_TRUE(grant.ok()) << grant.status();
  EXPECT_GT(*grant->expires_at, absl::Now() + absl::Hours(59 * 24));
  EXPECT_GT(*grant->refresh_expires_at, absl::Now() + absl::Hours(364 * 24));
  auto form = TakenForm();
  EXPECT_EQ(form["client_id"], "the-client");
  EXPECT_EQ(form["client_secret"], "the-client-secret");
  EXPECT_EQ(form.count("code_verifier"), 0u);
  EXPECT_EQ(form.count("(authorization)"), 0u);
}

TEST_F(OAuthTest, FacebooksTokenIsMadeToLastAndOpensPages) {
  network_.Next(200, R"({"access_token":"short","token_type":"bearer","expires_in":5000})");
  network_.Next(200, R"({"access_token":"long","token_type":"bearer","expires_in":5183944})");
  SignIn& facebook = sign_in("facebook");
  auto grant = facebook.Exchange(network_.call(), Place("/v23.0"), Secret("c"), Secret("v"));
  ASSERT_TRUE(grant.ok()) << grant.status();
  auto asked = network_.Taken();
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[1].path, "/v23.0/oauth/access_token");
  EXPECT_EQ(net::ParseQuery(asked[1].body).at("fb_exchange_token"), "short");

  network_.Next(200, R"({"data":[{"id":"111","name":"Acme","access_token":"page-1"},{"id":"9","name":"no task"}],
                         "paging":{"next":"https://x","cursors":{"after":"P2"}}})");
  network_.Next(200,
                R"({"data":[{"id":"222","name":"Other","username":"other","access_token":"page-2"}],"paging":{}})");
  auto pages = facebook.WhoAmI(network_.call(), Place("/v23.0"), *grant);
  ASSERT_TRUE(pages.ok()) << pages.status();
  ASSERT_EQ(pages->size(), 2u);
  EXPECT_EQ((*pages)[0].identity.remote_id, "111");
  EXPECT_EQ((*pages)[0].grant.credentials.Get("access_token").Reveal(), "page-1");
  EXPECT_FALSE((*pages)[0].grant.expires_at.has_value()) << "page tokens do not expire by time";
  EXPECT_EQ((*pages)[1].identity.handle, "other");
  asked = network_.Taken();
  EXPECT_EQ(asked[0].path, "/v23.0/me/accounts");
  EXPECT_EQ(net::ParseQuery(asked[1].query).at("after"), "P2");
  EXPECT_EQ(net::ParseQuery(asked[1].query).at("access_token"), "long");
  network_.Next(200, R"({"data":[]})");
  EXPECT_EQ(facebook.WhoAmI(network_.call(), Place("/v23.0"), *grant).status().code(), Code::kPermissionDenied);
}

TEST_F(OAuthTest, LinkedInOpensEveryOrganisation) {
  network_.Next(200,
                R"({"elements":[{"organization":"urn:li:organization:1"},{"organization":"urn:li:organization:2"}]})");
  network_.Next(200, R"({"id":1,"localizedName":"One"})");
  network_.Next(200, R"({"id":2,"localizedName":"Two"})");
  auto found = sign_in("linkedin").WhoAmI(network_.call(), Place(), {Tokens(), {}, {}});
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->size(), 2u);
  EXPECT_EQ((*found)[1].identity.remote_id, "urn:li:organization:2");
  EXPECT_EQ((*found)[1].identity.name, "Two");
}

TEST_F(OAuthTest, EveryMastodonServerHasItsApp) {
  network_.Next(200, R"({"client_id":"id-here","client_secret":"secret-here"})");
  auto app = sign_in("mastodon").Register(network_.call(), network_.url() + "/", kRedirect);
  ASSERT_TRUE(app.ok()) << app.status();
  EXPECT_EQ(app->client_id, "id-here");
  auto form = TakenForm();
  EXPECT_EQ(form["(path)"], "/api/v1/apps");
  EXPECT_EQ(form["redirect_uris"], kRedirect);
  EXPECT_EQ(ReasonOf(sign_in("x").Register(network_.call(), "", "").status()), "NOT_POSSIBLE");
  network_.Next(200, "<html>");
  EXPECT_EQ(sign_in("mastodon").Register(network_.call(), network_.url(), kRedirect).status().code(),
            Code::kUnavailable);
}

TEST_F(OAuthTest, WhatAPersonLeftOutIsSaid) {
  network_.Next(200, R"({"access_token":"A","scope":"tweet.read users.read"})");
  const Status left_out = sign_in("x").Exchange(network_.call(), Place(), Secret("c"), Secret("v")).status();
  EXPECT_EQ(ReasonOf(left_out), "SCOPES_MISSING");
  EXPECT_NE(left_out.message().find("tweet.write"), std::string::npos);
}

TEST_F(OAuthTest, ARefreshThatRotatesAndOneThatDoesNot) {
  network_.Next(200, R"({"access_token":"A2","refresh_token":"R2","expires_in":7200})");
  Refreshed x = sign_in("x").Refresh(network_.call(), Place(), Tokens());
  ASSERT_EQ(x.end, RefreshEnd::kRefreshed) << x.status;
  EXPECT_EQ(x.grant.credentials.Get("refresh_token").Reveal(), "R2");
  auto form = TakenForm();
  EXPECT_EQ(form["grant_type"], "refresh_token");
  EXPECT_EQ(form["refresh_token"], "old-refresh");
  network_.Next(200, R"({"access_token":"A2","expires_in":3599})");
  Refreshed google = Of("youtube")->Refresh(network_.call(), Place(), Tokens());
  ASSERT_EQ(google.end, RefreshEnd::kRefreshed) << google.status;
  EXPECT_EQ(google.grant.credentials.Get("access_token").Reveal(), "A2");
  EXPECT_EQ(google.grant.credentials.Get("refresh_token").Reveal(), "old-refresh") << "it stays";
  EXPECT_EQ(sign_in("mastodon").Refresh(network_.call(), Place(), Tokens()).end, RefreshEnd::kRefused);
  EXPECT_EQ(sign_in("x").Refresh(network_.call(), Place(), {}).end, RefreshEnd::kRefused);
}

TEST_F(OAuthTest, EveryEndOfARefreshIsToldApart) {
  struct Case {
    int status;
    std::string body;
    RefreshEnd end;
    std::string reason;
  };
  const Case cases[] = {
      {400, R"({"error":"invalid_grant","error_description":"Token has been revoked."})", RefreshEnd::kRefused,
       "TOKEN_EXPIRED"},
      {400, R"({"error":"invalid_request","error_description":"Value passed for the token was invalid."})",
       RefreshEnd::kRefused, "TOKEN_EXPIRED"},
      {401, R"({"error":"invalid_client"})", RefreshEnd::kNotDone, "PERMISSION_DENIED"},
      {400, R"({"error":"unauthorized_client"})", RefreshEnd::kNotDone, "PERMISSION_DENIED"},
      {400, "<html>", RefreshEnd::kNotDone, "REJECTED"},
      {404, "", RefreshEnd::kNotDone, "REJECTED"},
      {429, R"({"title":"Too Many Requests"})", RefreshEnd::kNotDone, "RATE_LIMITED"},
      {503, "", RefreshEnd::kNotDone, "TRANSIENT"},
      {500, "", RefreshEnd::kUnclear, "TRANSIENT"},
      {502, "<html>", RefreshEnd::kUnclear, "TRANSIENT"},
      {504, "", RefreshEnd::kUnclear, "TRANSIENT"},
      {200, "<html>", RefreshEnd::kUnclear, "TRANSIENT"},
      {200, R"({"token_type":"bearer"})", RefreshEnd::kUnclear, "TRANSIENT"},
      {200, R"({"access_token":17})", RefreshEnd::kUnclear, "TRANSIENT"},
  };
  for (const Case& one : cases) {
    network_.Next(one.status, one.body);
    const Refreshed got = sign_in("x").Refresh(network_.call(), Place(), Tokens());
    EXPECT_EQ(got.end, one.end) << one.status << " " << one.body << ": " << got.status;
    EXPECT_EQ(ReasonOf(got.status), one.reason) << one.status << " " << one.body;
  }
  network_.NextReset();
  EXPECT_EQ(sign_in("x").Refresh(network_.call(), Place(), Tokens()).end, RefreshEnd::kUnclear);
  SignInPlace nowhere = Place();
  nowhere.base_url = "http://127.0.0.1:1";
  EXPECT_EQ(sign_in("x").Refresh(network_.call(), nowhere, Tokens()).end, RefreshEnd::kNotDone);
}

TEST_F(OAuthTest, ErrorsRepeatNoSecret) {
  const char echo[] =
      R"({"error":"invalid_grant","error_description":"no: old-refresh the-code the-verifier the-client-secret"})";
  network_.Next(400, echo);
  network_.Next(400, echo);
  const std::string refreshing = sign_in("x").Refresh(network_.call(), Place(), Tokens()).status.ToString();
  const std::string exchanging =
      sign_in("x").Exchange(network_.call(), Place(), Secret("the-code"), Secret("the-verifier")).status().ToString();
  EXPECT_EQ(refreshing.find("old-refresh"), std::string::npos) << refreshing;
  EXPECT_EQ(refreshing.find("client-secret"), std::string::npos) << refreshing;
  for (const char* secret : {"the-code", "the-verifier", "client-secret"}) {
    EXPECT_EQ(exchanging.find(secret), std::string::npos) << exchanging;
  }
  EXPECT_NE(exchanging.find("invalid_grant"), std::string::npos);
}

TEST_F(OAuthTest, GrantsOfHostileServersAreBounded) {
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  const auto expiry = [&](const std::string& value) {
    return ParseGrant(ParseJson(R"({"access_token":"a","expires_in":)" + value + "}"), now)->expires_at;
  };
  EXPECT_EQ(expiry("60"), now + absl::Seconds(60));
  EXPECT_EQ(expiry("0"), std::nullopt);
  EXPECT_EQ(expiry("-5"), std::nullopt);
  EXPECT_EQ(expiry("1e9"), std::nullopt);
  EXPECT_EQ(expiry("\"99999999999999999999\""), std::nullopt);
  EXPECT_EQ(expiry("999999999999"), now + absl::Hours(24 * 3660));
  EXPECT_FALSE(ParseGrant(ParseJson("[]"), now).ok());
}

}  // namespace
}  // namespace parvis::networks
