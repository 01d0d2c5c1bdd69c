#include "gateway/transport/sign_in_page.h"

#include <gtest/gtest.h>

#include "gateway/transport/testdata/gateway_world.h"

namespace parvis::gateway {
namespace {

class SignInPageTest : public ::testing::Test {
 protected:
  net::ClientResult Get(const std::string& target, const std::string& method = "GET") {
    Call call;
    call.deadline = world_.clock.Now() + absl::Seconds(20);
    return world_.client.Send(call, {.method = method, .url = "http://" + world_.server.address() + target});
  }
  World world_;
};

TEST_F(SignInPageTest, HandsOverWithoutAKeyAndRepeatsNothing) {
  const auto page = Get("/v1/signin/callback?state=the-state&code=the-code&error=%3Cscript%3E");
  EXPECT_EQ(page.http_status, 200);
  EXPECT_EQ(page.headers.at("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(page.headers.at("cache-control"), "no-store") << "the address holds the code";
  EXPECT_EQ(page.headers.at("referrer-policy"), "no-referrer");
  EXPECT_TRUE(Has(page.headers.at("content-security-policy"), "default-src 'none'"));
  EXPECT_TRUE(Has(page.headers.at("content-security-policy"), "frame-ancestors 'none'"));
  for (const char* given : {"the-state", "the-code", "%3C"}) EXPECT_FALSE(Has(page.body, given)) << given;
  EXPECT_EQ(page.body, Get("/v1/signin/callback").body) << "the same whatever comes";
  EXPECT_FALSE(Has(world_.metrics.Expose(), "the-code"));
}

TEST_F(SignInPageTest, ItsScriptGivesTheCodeToThisOriginOnly) {
  const auto script = Get("/v1/signin/callback.js");
  EXPECT_EQ(script.http_status, 200);
  EXPECT_EQ(script.headers.at("content-type"), "text/javascript; charset=utf-8");
  EXPECT_TRUE(Has(script.body, "location.origin);"));
  EXPECT_FALSE(Has(script.body, "\"*\""));
  EXPECT_FALSE(Has(script.body, "innerHTML"));
  EXPECT_TRUE(Has(script.body, "history.replaceState"));
}

TEST_F(SignInPageTest, NothingElseIsThere) {
  EXPECT_EQ(Get("/v1/signin/callback", "POST").http_status, 405);
  EXPECT_EQ(Get("/v1/signin/").http_status, 404);
  EXPECT_EQ(Get("/v1/signin/callback/x").http_status, 404);
}

}  // namespace
}  // namespace parvis::gateway
