#include "networks/sign_in/bluesky_session.h"

#include <gtest/gtest.h>

#include "networks/testing/scripted_network.h"

namespace parvis::networks {
namespace {

// {"scope":"com.atproto.appPass","exp":1800007200}, not signed.
std::string Jwt(const std::string& tag, int64_t exp = 1'800'007'200) {
  return "e30." +
         Base64Url(R"({"scope":"com.atproto.appPass","jti":")" + tag + R"(","exp":)" + std::to_string(exp) + "}") +
         ".c2ln";
}
std::string Session(const std::string& tag) {
  return R"({"accessJwt":")" + Jwt("a" + tag) + R"(","refreshJwt":")" + Jwt("r" + tag, 1'805'184'000) +
         R"(","did":"did:plc:1","handle":"acme.example","active":true})";
}

class BlueskySessionTest : public ::testing::Test {
 protected:
  SignInPlace Place() { return {network_.url(), {}, ""}; }
  static Credentials Password() {
    return {{{"identifier", Secret("acme.example")}, {"app_password", Secret("abcd-efgh-ijkl-mnop")}}};
  }
  static Credentials Tokens(bool password) {
    Credentials out = password ? Password() : Credentials();
    out.fields["access_token"] = Secret("old-access");
    out.fields["refresh_token"] = Secret("old-refresh");
    return out;
  }
  ScriptedNetwork network_;
  BlueskySession session_{network_.client(), network_.clock(), network_.connector("bluesky")};
};

TEST_F(BlueskySessionTest, ASessionIsOpenedAndKeepsThePassword) {
  network_.Next(200, Session("1"));
  auto grant = session_.Open(network_.call(), Place(), Password());
  ASSERT_TRUE(grant.ok()) << grant.status();
  EXPECT_EQ(grant->credentials.Get("access_token").Reveal(), Jwt("a1"));
  EXPECT_EQ(grant->credentials.Get("app_password").Reveal(), "abcd-efgh-ijkl-mnop");
  EXPECT_EQ(grant->expires_at, absl::FromUnixSeconds(1'800'007'200));
  EXPECT_EQ(grant->refresh_expires_at, absl::FromUnixSeconds(1'805'184'000));
  auto asked = network_.Taken();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].path, "/xrpc/com.atproto.server.createSession");
  EXPECT_EQ(ParseJson(asked[0].body)["identifier"], "acme.example");
  EXPECT_EQ(ParseJson(asked[0].body)["password"], "abcd-efgh-ijkl-mnop");
  EXPECT_EQ(asked[0].headers.count("Authorization"), 0u);
}

TEST_F(BlueskySessionTest, WrongPasswordsAreToldApartFromTroubleAndNeverRepeated) {
  network_.Next(401,
                R"({"error":"AuthenticationRequired","message":"Invalid identifier or password abcd-efgh-ijkl-mnop"})");
  Status wrong = session_.Open(network_.call(), Place(), Password()).status();
  EXPECT_EQ(wrong.code(), Code::kUnauthenticated);
  EXPECT_EQ(wrong.ToString().find("abcd-efgh"), std::string::npos);
  network_.Next(401, R"({"error":"AuthFactorTokenRequired","message":"A sign in code has been sent"})");
  EXPECT_EQ(session_.Open(network_.call(), Place(), Password()).status().code(), Code::kPermissionDenied);
  network_.Next(429, R"({"error":"RateLimitExceeded"})", {{"Retry-After", "30"}});
  EXPECT_EQ(ReasonOf(session_.Open(network_.call(), Place(), Password()).status()), "RATE_LIMITED");
  network_.Next(200, R"({"accessJwt":"x"})");
  EXPECT_EQ(session_.Open(network_.call(), Place(), Password()).status().code(), Code::kUnavailable);
}

TEST_F(BlueskySessionTest, ARefreshShowsTheRefreshTokenAndTakesBoth) {
  network_.Next(200, Session("2"));
  Refreshed got = session_.Refresh(network_.call(), Place(), Tokens(true));
  ASSERT_EQ(got.end, RefreshEnd::kRefreshed) << got.status;
  EXPECT_EQ(got.grant.credentials.Get("refresh_token").Reveal(), Jwt("r2", 1'805'184'000));
  EXPECT_EQ(got.grant.credentials.Get("app_password").Reveal(), "abcd-efgh-ijkl-mnop");
  auto asked = network_.Taken();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].path, "/xrpc/com.atproto.server.refreshSession");
  EXPECT_EQ(asked[0].headers.at("Authorization"), "Bearer old-refresh");
  EXPECT_TRUE(session_.facts().single_use);
  EXPECT_EQ(session_.facts().reuse_grace, absl::Hours(2));
}

TEST_F(BlueskySessionTest, ADeadSessionIsOpenedAnewWithThePassword) {
  network_.Next(400, R"({"error":"ExpiredToken","message":"Token has been revoked"})");
  network_.Next(200, Session("3"));
  EXPECT_EQ(session_.Refresh(network_.call(), Place(), Tokens(true)).end, RefreshEnd::kRefreshed);
  network_.Next(400, R"({"error":"ExpiredToken","message":"Token has been revoked"})");
  EXPECT_EQ(session_.Refresh(network_.call(), Place(), Tokens(false)).end, RefreshEnd::kRefused);
  network_.Next(400, R"({"error":"ExpiredToken"})");
  network_.Next(401, R"({"error":"AuthenticationRequired"})");
  EXPECT_EQ(session_.Refresh(network_.call(), Place(), Tokens(true)).end, RefreshEnd::kRefused);
  network_.Next(401, R"({"error":"AccountTakedown"})");
  EXPECT_EQ(session_.Refresh(network_.call(), Place(), Tokens(true)).end, RefreshEnd::kRefused);
  EXPECT_EQ(network_.Taken().size(), 6u) << "a closed account is not tried with the password";
}

TEST_F(BlueskySessionTest, UnclearEndsStayUnclear) {
  network_.NextReset();
  EXPECT_EQ(session_.Refresh(network_.call(), Place(), Tokens(true)).end, RefreshEnd::kUnclear);
  network_.Next(200, "garbage");
  EXPECT_EQ(session_.Refresh(network_.call(), Place(), Tokens(true)).end, RefreshEnd::kUnclear);
  network_.Next(429, R"({"error":"RateLimitExceeded"})");
  EXPECT_EQ(session_.Refresh(network_.call(), Place(), Tokens(true)).end, RefreshEnd::kNotDone);
}

TEST_F(BlueskySessionTest, JwtsOfAnyFormAreRead) {
  EXPECT_EQ(ExpiryOfJwt(Jwt("x")), absl::FromUnixSeconds(1'800'007'200));
  for (const char* bad :
       {"", "a.b", "a..c", "a.%%%.c", "a.bm90IGpzb24.c", "a.eyJleHAiOiItMSJ9.c", "a.eyJleHAiOi0xfQ.c"}) {
    EXPECT_EQ(ExpiryOfJwt(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace parvis::networks
