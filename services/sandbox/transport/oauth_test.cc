// Signing in to the simulated networks, as an app and a browser would.
#include "sandbox/transport/test_sandbox.h"

namespace parvis::sandbox {
namespace {

const char kRedirect[] = "https://parvis.example/v1/signin/callback?x=1";
const char kVerifier[] = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";  // RFC 7636, appendix B
const char kChallenge[] = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

using Fields = std::vector<std::pair<std::string, std::string>>;

class OAuthTest : public ::testing::Test {
 protected:
  void Register(const std::string& network) {
    sandbox_.Control(
        "POST", "/oauth/apps",
        {{"network", network}, {"client_id", "app"}, {"client_secret", "secret"}, {"redirect_uris", {kRedirect}}});
  }
  // What the browser is sent back with.
  std::map<std::string, std::string> Consent(const std::string& page, Fields query, const std::string& form) {
    const Fields base = {
        {"response_type", "code"}, {"client_id", app_}, {"redirect_uri", kRedirect}, {"state", "st&te"}};
    query.insert(query.begin(), base.begin(), base.end());
    const std::string url = page + "?" + net::FormEncode(query);
    shown_ = sandbox_.Send("GET", url);
    const Answered back = sandbox_.Send("POST", url, form, TestSandbox::FormType());
    if (back.status != 302) return {{"status", std::to_string(back.status)}};
    const std::string to = back.headers.at("Location");
    EXPECT_TRUE(to.starts_with(std::string(kRedirect) + "&")) << to;
    return net::ParseQuery(to.substr(std::string(kRedirect).size() + 1));
  }
  Answered Token(const std::string& url, const Fields& fields, const std::string& basic = "") {
    net::Headers headers = TestSandbox::FormType();
    if (!basic.empty()) headers["Authorization"] = "Basic " + absl::Base64Escape(basic);
    return sandbox_.Send("POST", url, net::FormEncode(fields), headers);
  }
  static net::Headers Bearer(const Answered& tokens) {
    return {{"Authorization", "Bearer " + tokens.json.value("access_token", "")}};
  }

  TestSandbox sandbox_;
  std::string app_ = "app";
  Answered shown_;
};

TEST_F(OAuthTest, XWithItsSingleUses) {
  Register("x");
  const std::string id = sandbox_.Account("x")["remote_id"];
  const Fields pkce = {
      {"scope", "users.read offline.access"}, {"code_challenge", kChallenge}, {"code_challenge_method", "S256"}};
  EXPECT_EQ(Consent("/x/i/oauth2/authorize", {{"scope", "users.read"}}, "decide=allow&account=" + id)["status"], "400");
  EXPECT_EQ(shown_.status, 400) << "X asks everybody for a challenge";
  EXPECT_EQ(Consent("/x/i/oauth2/authorize", pkce, "decide=deny")["error"], "access_denied");
  auto back = Consent("/x/i/oauth2/authorize", pkce, "decide=allow&account=" + id);
  EXPECT_EQ(back["state"], "st&te");
  EXPECT_NE(shown_.body.find("value=\"" + id + "\""), std::string::npos) << shown_.body;
  Fields form = {{"grant_type", "authorization_code"},
                 {"code", back["code"]},
                 {"redirect_uri", kRedirect},
                 {"code_verifier", kVerifier}};
  EXPECT_EQ(Token("/x/2/oauth2/token", form, "app:wrong").json["error"], "unauthorized_client");
  EXPECT_EQ(Token("/x/2/oauth2/token", form).status, 401) << "confidential apps show their secret by Basic";
  Fields wrong = form;
  wrong[3].second = "another";
  EXPECT_EQ(Token("/x/2/oauth2/token", wrong, "app:secret").json["error_description"],
            "Value passed for the code verifier did not match the code challenge.");
  wrong = form;
  wrong[2].second = "https://parvis.example/v1/signin/callback";
  EXPECT_EQ(Token("/x/2/oauth2/token", wrong, "app:secret").status, 400) << "not byte by byte the same";
  const Answered first = Token("/x/2/oauth2/token", form, "app:secret");
  ASSERT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(first.json["expires_in"], 7200);
  EXPECT_EQ(sandbox_.Send("GET", "/x/2/users/me", "", Bearer(first)).json["data"]["id"], id);
  EXPECT_EQ(Token("/x/2/oauth2/token", form, "app:secret").json["error"], "invalid_request") << "a code is good once";

  Fields again = {{"grant_type", "refresh_token"}, {"refresh_token", first.json["refresh_token"]}};
  const Answered second = Token("/x/2/oauth2/token", again, "app:secret");
  ASSERT_EQ(second.status, 200) << second.body;
  EXPECT_NE(second.json["refresh_token"], first.json["refresh_token"]);
  EXPECT_EQ(Token("/x/2/oauth2/token", again, "app:secret").json["error_description"],
            "Value passed for the token was invalid.");
  const Json seen = sandbox_.Control("GET", "/oauth/x");
  EXPECT_EQ(seen["counts"]["refreshed"], 1);
  EXPECT_EQ(seen["counts"]["refused_refresh_used"], 1);
  EXPECT_EQ(seen["grants"][0]["code_verifier"], kVerifier);

  sandbox_.Control("POST", "/accounts/x/" + id + "/token", {{"state", "revoked"}});
  EXPECT_EQ(sandbox_.Send("GET", "/x/2/users/me", "", Bearer(second)).status, 401);
  again[1].second = second.json["refresh_token"];
  EXPECT_EQ(Token("/x/2/oauth2/token", again, "app:secret").status, 400) << "the permission was taken away";
}

TEST_F(OAuthTest, TokensAndCodesEndByTime) {
  Register("x");
  const std::string id = sandbox_.Account("x")["remote_id"];
  sandbox_.Control("POST", "/oauth/settings", {{"network", "x"}, {"access_seconds", 1}});
  const Fields pkce = {{"scope", "offline.access"}, {"code_challenge", kVerifier}, {"code_challenge_method", "plain"}};
  const auto get = [&] { return Consent("/x/i/oauth2/authorize", pkce, "decide=allow&account=" + id)["code"]; };
  const auto exchange = [&](const std::string& code) {
    return Token("/x/2/oauth2/token",
                 {{"grant_type", "authorization_code"},
                  {"code", code},
                  {"redirect_uri", kRedirect},
                  {"code_verifier", kVerifier}},
                 "app:secret");
  };
  const Answered tokens = exchange(get());
  ASSERT_EQ(tokens.status, 200) << tokens.body;
  EXPECT_TRUE(
      sandbox_.WaitFor([&] { return sandbox_.Send("GET", "/x/2/users/me", "", Bearer(tokens)).status == 401; }));
  sandbox_.Control("POST", "/oauth/settings", {{"network", "x"}, {"code_seconds", 1}});
  const std::string code = get();
  const Instant until = sandbox_.clock.Now() + absl::Milliseconds(1100);
  sandbox_.WaitFor([&] { return sandbox_.clock.Now() > until; });
  EXPECT_EQ(exchange(code).json["error_description"], "Value passed for the authorization code was invalid.");
}

TEST_F(OAuthTest, MastodonKnowsWhoeverRegisters) {
  const std::string id = sandbox_.Account("mastodon")["remote_id"];
  EXPECT_EQ(Token("/mastodon/api/v1/apps", {{"client_name", "Parvis"}}).status, 422);
  const Answered app =
      Token("/mastodon/api/v1/apps",
            {{"client_name", "Parvis"}, {"redirect_uris", kRedirect}, {"scopes", "read write:statuses"}});
  ASSERT_EQ(app.status, 200) << app.body;
  app_ = app.json["client_id"];
  const Fields pkce = {
      {"scope", "read:accounts write:statuses"}, {"code_challenge", kChallenge}, {"code_challenge_method", "S256"}};
  const Fields plain = {{"scope", "read"}, {"code_challenge", kVerifier}, {"code_challenge_method", "plain"}};
  const std::string yes = "decide=allow&account=" + id;
  EXPECT_EQ(Consent("/mastodon/oauth/authorize", plain, yes)["status"], "400") << "S256 only";
  EXPECT_EQ(Consent("/mastodon/oauth/authorize", {{"scope", "write:media"}}, yes)["status"], "400") << "not the app's";
  Fields form = {{"grant_type", "authorization_code"},
                 {"code", Consent("/mastodon/oauth/authorize", pkce, yes)["code"]},
                 {"redirect_uri", kRedirect},
                 {"code_verifier", "wrong"},
                 {"client_id", app_},
                 {"client_secret", app.json["client_secret"]}};
  EXPECT_EQ(Token("/mastodon/oauth/token", form).json["error"], "invalid_grant");
  form[3].second = kVerifier;
  const Answered tokens = Token("/mastodon/oauth/token", form);
  ASSERT_EQ(tokens.status, 200) << tokens.body;
  EXPECT_FALSE(tokens.json.contains("expires_in"));
  EXPECT_FALSE(tokens.json.contains("refresh_token"));
  EXPECT_EQ(sandbox_.Send("GET", "/mastodon/api/v1/accounts/verify_credentials", "", Bearer(tokens)).json["id"], id);
  Token("/mastodon/oauth/revoke",
        {{"token", tokens.json["access_token"]}, {"client_id", app_}, {"client_secret", app.json["client_secret"]}});
  EXPECT_EQ(sandbox_.Send("GET", "/mastodon/api/v1/accounts/verify_credentials", "", Bearer(tokens)).status, 401);
}

TEST_F(OAuthTest, GoogleGivesARefreshTokenForOfflineAccessOnly) {
  Register("youtube");
  const std::string id = sandbox_.Account("youtube")["remote_id"];
  const auto sign_in = [&](Fields query) {
    query.emplace_back("scope", "https://www.googleapis.com/auth/youtube.force-ssl");
    return Token("/youtube/token",
                 {{"grant_type", "authorization_code"},
                  {"code", Consent("/youtube/o/oauth2/v2/auth", query, "decide=allow&account=" + id)["code"]},
                  {"redirect_uri", kRedirect},
                  {"client_id", "app"},
                  {"client_secret", "secret"}});
  };
  EXPECT_FALSE(sign_in({}).json.contains("refresh_token"));
  const Answered tokens = sign_in({{"access_type", "offline"}});
  Fields again = {{"grant_type", "refresh_token"},
                  {"refresh_token", tokens.json["refresh_token"]},
                  {"client_id", "app"},
                  {"client_secret", "secret"}};
  for (int i = 0; i < 2; ++i) {
    const Answered next = Token("/youtube/token", again);
    ASSERT_EQ(next.status, 200) << next.body;
    EXPECT_FALSE(next.json.contains("refresh_token")) << "it is not rotated";
  }
  again[3].second = "wrong";
  EXPECT_EQ(Token("/youtube/token", again).json["error"], "invalid_client");
  sandbox_.Control("POST", "/accounts/youtube/" + id + "/token", {{"state", "revoked"}});
  again[3].second = "secret";
  EXPECT_EQ(Token("/youtube/token", again).json,
            (Json{{"error", "invalid_grant"}, {"error_description", "Token has been expired or revoked."}}));
}

TEST_F(OAuthTest, LinkedinKeepsItsRefreshTokenForAYear) {
  Register("linkedin");
  const std::string id = sandbox_.Account("linkedin")["remote_id"];
  auto back = Consent("/linkedin/oauth/v2/authorization", {{"scope", "w_organization_social"}},
                      net::FormEncode({{"decide", "allow"}, {"account", id}}));
  EXPECT_EQ(Consent("/linkedin/oauth/v2/authorization", {{"scope", "w_organization_social"}}, "decide=deny")["error"],
            "user_cancelled_authorize");
  Fields form = {{"grant_type", "authorization_code"},
                 {"code", back["code"]},
                 {"redirect_uri", kRedirect},
                 {"client_id", "app"},
                 {"client_secret", "secret"}};
  const Answered tokens = Token("/linkedin/oauth/v2/accessToken", form);
  ASSERT_EQ(tokens.status, 200) << tokens.body;
  EXPECT_EQ(tokens.json["expires_in"], 60 * 86400);
  EXPECT_EQ(Token("/linkedin/oauth/v2/accessToken", form).json["error"], "invalid_request");
  const Answered next = Token("/linkedin/oauth/v2/accessToken", {{"grant_type", "refresh_token"},
                                                                 {"refresh_token", tokens.json["refresh_token"]},
                                                                 {"client_id", "app"},
                                                                 {"client_secret", "secret"}});
  EXPECT_EQ(next.json["refresh_token"], tokens.json["refresh_token"]);
  EXPECT_LE(next.json["refresh_token_expires_in"], tokens.json["refresh_token_expires_in"]);
}

TEST_F(OAuthTest, FacebooksPersonOpensPages) {
  Register("facebook");
  const std::string one = sandbox_.Account("facebook")["remote_id"], two = sandbox_.Account("facebook")["remote_id"];
  auto back = Consent("/facebook/v23.0/dialog/oauth", {{"scope", "pages_show_list,pages_manage_posts"}},
                      "decide=allow&account=" + one + "&account=" + two);
  Fields form = {{"code", back["code"]},
                 {"redirect_uri", "https://other.example"},
                 {"client_id", "app"},
                 {"client_secret", "secret"}};
  EXPECT_EQ(Token("/facebook/v23.0/oauth/access_token", form).json["error"]["error_subcode"], 36008);
  form[1].second = kRedirect;
  const Answered person = Token("/facebook/v23.0/oauth/access_token", form);
  ASSERT_EQ(person.status, 200) << person.body;
  EXPECT_EQ(Token("/facebook/v23.0/oauth/access_token", form).json["error"]["error_subcode"], 36009);
  EXPECT_EQ(sandbox_.Send("GET", "/facebook/v23.0/me/feed", "", Bearer(person)).json["error"]["code"], 210);
  const Answered lasting =
      Token("/facebook/v23.0/oauth/access_token", {{"grant_type", "fb_exchange_token"},
                                                   {"fb_exchange_token", person.json["access_token"]},
                                                   {"client_id", "app"},
                                                   {"client_secret", "secret"}});
  EXPECT_EQ(lasting.json["expires_in"], 60 * 86400);
  const Json pages =
      sandbox_.Send("GET", "/facebook/v23.0/me/accounts?fields=id,access_token", "", Bearer(lasting)).json["data"];
  ASSERT_EQ(pages.size(), 2u);
  EXPECT_EQ(pages[1]["id"], two);
  const net::Headers page = {{"Authorization", "Bearer " + pages[1].value("access_token", "")}};
  EXPECT_EQ(sandbox_.Send("GET", "/facebook/v23.0/me", "", page).json["id"], two);
}

TEST_F(OAuthTest, WhatIsWrongShowsAPageAndSendsNobodyAnywhere) {
  Register("x");
  const std::string good = net::FormEncode({{"response_type", "code"},
                                            {"client_id", "app"},
                                            {"redirect_uri", kRedirect},
                                            {"scope", "a"},
                                            {"code_challenge", kChallenge},
                                            {"code_challenge_method", "S256"}});
  EXPECT_EQ(sandbox_.Send("GET", "/x/i/oauth2/authorize?" + good).status, 200);
  for (const char* more :
       {"&client_id=other", "&redirect_uri=https%3A%2F%2Fevil.example", "&response_type=token", "&code_challenge="}) {
    const Answered wrong = sandbox_.Send("GET", "/x/i/oauth2/authorize?" + good + more);
    EXPECT_EQ(wrong.status, 400) << more;
    EXPECT_FALSE(wrong.headers.contains("Location"));
  }
  EXPECT_EQ(
      sandbox_.Send("POST", "/x/i/oauth2/authorize?" + good, "decide=allow&account=nobody", TestSandbox::FormType())
          .status,
      400);
  EXPECT_EQ(sandbox_.Send("GET", "/x/2/oauth2/token").status, 400);
  EXPECT_EQ(sandbox_
                .Send("POST", "/control/oauth/apps", R"({"network":"ghost","client_id":"a","redirect_uris":["b"]})",
                      TestSandbox::JsonType())
                .status,
            400);
}

TEST_F(OAuthTest, AFaultAfterTheEffectUsesTheRefreshTokenUp) {
  Register("x");
  const std::string id = sandbox_.Account("x")["remote_id"];
  auto back = Consent("/x/i/oauth2/authorize",
                      {{"scope", "offline.access"}, {"code_challenge", kChallenge}, {"code_challenge_method", "S256"}},
                      "decide=allow&account=" + id);
  const Answered first = Token("/x/2/oauth2/token",
                               {{"grant_type", "authorization_code"},
                                {"code", back["code"]},
                                {"redirect_uri", kRedirect},
                                {"code_verifier", kVerifier}},
                               "app:secret");
  const Fields again = {{"grant_type", "refresh_token"}, {"refresh_token", first.json["refresh_token"]}};
  sandbox_.Control("POST", "/faults",
                   {{"kind", "reset_before_accept"}, {"network", "x"}, {"operation", "token"}, {"count", 1}});
  EXPECT_EQ(Token("/x/2/oauth2/token", again, "app:secret").status, 0);
  sandbox_.Control(
      "POST", "/faults",
      {{"kind", "accept_then_reset"}, {"network", "x"}, {"operation", "token"}, {"account", id}, {"count", 1}});
  EXPECT_EQ(Token("/x/2/oauth2/token", again, "app:secret").status, 0);
  EXPECT_EQ(Token("/x/2/oauth2/token", again, "app:secret").status, 400);
  EXPECT_EQ(sandbox_.Control("GET", "/oauth/x")["counts"]["refreshed"], 1);
}

}  // namespace
}  // namespace parvis::sandbox
