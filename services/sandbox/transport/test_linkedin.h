// A sandbox with one LinkedIn page, and its calls. For tests.
#pragma once

#include "sandbox/transport/test_sandbox.h"

namespace parvis::sandbox {

class LinkedinFixture : public ::testing::Test {
 protected:
  LinkedinFixture()
      : account(sandbox.Account("linkedin")), page(account["remote_id"]), token(account["access_token"]) {}
  net::Headers Headers(net::Headers more = {}) const {
    more.insert({{"Authorization", "Bearer " + token},
                 {"LinkedIn-Version", "202607"},
                 {"X-Restli-Protocol-Version", "2.0.0"},
                 {"Content-Type", "application/json"}});
    return more;
  }
  Answered Call(const std::string& method, const std::string& path, const Json& body = Json(), net::Headers more = {}) {
    return sandbox.Send(method, "/linkedin/rest/" + path, body.is_null() ? "" : body.dump(), Headers(std::move(more)));
  }
  Answered Patch(const std::string& path, const Json& patch) {
    return Call("POST", path, {{"patch", patch}}, {{"X-RestLi-Method", "PARTIAL_UPDATE"}});
  }
  Json PostBody(const std::string& commentary) const {
    return {{"author", page},
            {"commentary", commentary},
            {"visibility", "PUBLIC"},
            {"distribution",
             {{"feedDistribution", "MAIN_FEED"},
              {"targetEntities", Json::array()},
              {"thirdPartyDistributionChannels", Json::array()}}},
            {"lifecycleState", "PUBLISHED"},
            {"isReshareDisabledByAuthor", false}};
  }
  std::string NewPost(const std::string& commentary) {
    const Answered answer = Call("POST", "posts", PostBody(commentary));
    EXPECT_EQ(answer.status, 201) << answer.body;
    return answer.headers.contains("x-restli-id") ? answer.headers.at("x-restli-id") : "";
  }
  std::string CommentBy(const std::string& parent, const std::string& text) {
    return sandbox.Control("POST", "/comments",
                           {{"network", "linkedin"}, {"parent", parent}, {"text", text}})["remote_id"];
  }
  std::vector<std::string> JournalKinds() {
    std::vector<std::string> out;
    for (const Json& line : sandbox.JournalLines()) out.push_back(line["kind"]);
    return out;
  }
  static std::string Enc(const std::string& urn) { return net::UrlEncode(urn); }

  TestSandbox sandbox;
  Json account;
  std::string page, token;
};

}  // namespace parvis::sandbox
