// The streams of the simulated networks, as somebody hears them who knows the networks and not our connectors.
#include "platform/net/stream_client.h"
#include "sandbox/transport/test_sandbox.h"

namespace parvis::sandbox {
namespace {

class StreamsTest : public ::testing::Test {
 protected:
  StreamsTest() : client(Config(), sandbox.clock, sandbox.metrics) {}
  static net::StreamClientConfig Config() {
    net::StreamClientConfig config;
    config.allowed_networks = {"127.0.0.0/8"};
    return config;
  }
  Call Within(absl::Duration limit) {
    Call call = BackgroundCall("test");
    call.deadline = sandbox.clock.Now() + limit;
    return call;
  }
  void Connect(const std::string& network) {
    account = sandbox.Account(network);
    id = account["remote_id"];
    token = account["access_token"];
  }
  int OpenMastodon(const std::string& more = "") {
    net::ClientRequest request;
    request.url = sandbox.base + "/mastodon/api/v1/streaming/user" + more;
    request.bearer = Secret(token);
    return client.Open(Within(absl::Seconds(10)), request, &bytes).http_status;
  }
  int OpenJetstream(const std::string& query = "") {
    return client.OpenSocket(Within(absl::Seconds(10)), {"ws" + sandbox.base.substr(4) + "/jetstream/subscribe" + query, {}, {}}, &socket)
        .http_status;
  }
  // What was heard until `mark` is in it, or the stream's end.
  std::string Hear(const std::string& mark) {
    std::string out;
    while (out.find(mark) == std::string::npos) {
      auto more = bytes->Read(Within(absl::Seconds(10)));
      if (!more.ok()) return out + "(" + ReasonOf(more.status()) + ")";
      out += *more;
    }
    return out;
  }
  Json Message() {
    auto message = socket->Read(Within(absl::Seconds(10)));
    return message.ok() ? Json::parse(message->data, nullptr, false) : Json(ReasonOf(message.status()));
  }
  std::string Mention(const std::string& network, const std::string& text) {
    return sandbox.Control("POST", "/comments", {{"network", network}, {"account", id}, {"text", text}})["remote_id"];
  }
  void Fault(const std::string& kind) { sandbox.Control("POST", "/faults", {{"kind", kind}, {"operation", "event"}, {"count", 1}}); }

  TestSandbox sandbox;
  net::StreamClient client;
  Json account;
  std::string id, token;
  std::unique_ptr<net::ByteStream> bytes;
  std::unique_ptr<net::WebSocket> socket;
};

TEST_F(StreamsTest, MastodonTellsWhatHappens) {
  Connect("mastodon");
  ASSERT_EQ(OpenMastodon(), 200);
  EXPECT_EQ(Hear("\n"), ":)\n");
  const std::string mention = Mention("mastodon", "Bonjour");
  const std::string told = Hear("\n\n");
  EXPECT_EQ(told.rfind("event: notification\ndata: {", 0), 0u) << told;
  const Json notification = Json::parse(told.substr(told.find('{')));
  EXPECT_EQ(notification["type"], "mention");
  EXPECT_EQ(notification["status"]["id"], mention);
  net::Headers headers = TestSandbox::JsonType();
  headers["Authorization"] = "Bearer " + token;
  const Json ours = sandbox.Send("POST", "/mastodon/api/v1/statuses", Json{{"status", "Merci"}}.dump(), headers).json;
  EXPECT_EQ(Hear("\n\n").rfind("event: update\ndata: {", 0), 0u);
  sandbox.Send("DELETE", "/mastodon/api/v1/statuses/" + ours["id"].get<std::string>(), "", headers);
  EXPECT_EQ(Hear("\n\n"), "event: delete\ndata: " + ours["id"].get<std::string>() + "\n\n");
}

TEST_F(StreamsTest, MastodonsOtherStreamAndRefusals) {
  Connect("mastodon");
  token = "nobody's";
  EXPECT_EQ(OpenMastodon(), 401);
  token = account["access_token"];
  EXPECT_EQ(OpenMastodon("/elsewhere"), 404);
  ASSERT_EQ(OpenMastodon("/notification"), 200);
  net::Headers headers = TestSandbox::JsonType();
  headers["Authorization"] = "Bearer " + token;
  sandbox.Send("POST", "/mastodon/api/v1/statuses", Json{{"status", "Merci"}}.dump(), headers);
  Mention("mastodon", "Bonjour");
  EXPECT_EQ(Hear("\n\n").rfind(":)\nevent: notification\n", 0), 0u);   // our own is not told here
}

TEST_F(StreamsTest, WhatGoesWrong) {
  Connect("mastodon");
  const auto open = [&] {
    ASSERT_EQ(OpenMastodon(), 200);
    Hear("\n");
  };
  open();
  Fault("accept_then_reset");
  Mention("mastodon", "Cut");
  const std::string cut = Hear("\n\n");
  EXPECT_EQ(cut.rfind("event: notification\n", 0), 0u) << cut;
  EXPECT_NE(cut.find("(STREAM_LOST)"), std::string::npos) << cut;
  open();
  Fault("reset_before_accept");
  Mention("mastodon", "Never");
  EXPECT_EQ(Hear("\n\n"), "(STREAM_LOST)");
  open();
  Fault("server_error");
  Mention("mastodon", "The end");
  EXPECT_EQ(Hear("\n\n"), "(STREAM_LOST)");
  open();
  Fault("garbage");
  Mention("mastodon", "Behind garbage");
  std::string told = Hear("Behind garbage");
  if (!told.ends_with("\n\n")) told += Hear("\n\n");   // all of it
  EXPECT_NE(told.find("\"ment\n\n"), std::string::npos) << told;
  Fault("accept_then_504");
  Mention("mastodon", "Silence");
  Mention("mastodon", "And more of it");
  EXPECT_EQ(ReasonOf(bytes->Read(Within(absl::Milliseconds(200))).status()), "READ_TIMEOUT");
}

TEST_F(StreamsTest, JetstreamLiveAndFromACursor) {
  Connect("bluesky");
  const std::string first = Mention("bluesky", "One");
  const std::string cursor = std::to_string(absl::ToUnixMicros(sandbox.clock.WallNow()));
  const std::string second = Mention("bluesky", "Two");
  ASSERT_EQ(OpenJetstream("?wantedCollections=app.bsky.feed.post&cursor=" + cursor), 101);
  const Json replayed = Message();
  EXPECT_EQ(replayed["kind"], "commit");
  EXPECT_EQ(replayed["commit"]["operation"], "create");
  EXPECT_EQ(replayed["commit"]["record"]["text"], "Two");
  EXPECT_EQ("at://" + replayed["did"].get<std::string>() + "/app.bsky.feed.post/" + replayed["commit"]["rkey"].get<std::string>(), second);
  EXPECT_GE(replayed["time_us"].get<int64_t>(), std::stoll(cursor));
  Mention("bluesky", "Three");
  EXPECT_EQ(Message()["commit"]["record"]["text"], "Three");
  ASSERT_TRUE(sandbox.world.Delete(Network::kBluesky, first, {.by = "audience"}).ok());
  EXPECT_EQ(Message()["commit"]["operation"], "delete");
  EXPECT_EQ(OpenJetstream("?cursor=x"), 400);
  EXPECT_EQ(OpenJetstream("?wantedDids=me"), 400);
  EXPECT_EQ(sandbox.Send("GET", "/jetstream/subscribe").status, 400);
  ASSERT_EQ(OpenJetstream("?wantedDids=" + id), 101);
  Mention("bluesky", "By somebody else");
  EXPECT_EQ(ReasonOf(socket->Read(Within(absl::Milliseconds(100))).status()), "READ_TIMEOUT");
}

// One connection an app, whatever the number of accounts: what comes says which rules it is for.
TEST_F(StreamsTest, TheFilteredStreamOfX) {
  const std::string rules = "/x/2/tweets/search/stream/rules";
  net::Headers app = TestSandbox::JsonType();
  app["Authorization"] = "Bearer AAAAAAAAAAAAAAAAAAAAAsandbox";
  std::unique_ptr<net::ByteStream> second;
  const auto open = [&](std::unique_ptr<net::ByteStream>* stream) {
    net::ClientRequest request;
    request.url = sandbox.base + "/x/2/tweets/search/stream";
    request.bearer = Secret("AAAAAAAAAAAAAAAAAAAAAsandbox");
    return client.Open(Within(absl::Seconds(10)), request, stream);
  };
  Connect("x");
  const std::string us = id, handle = sandbox.Send("GET", "/x/2/users?ids=" + us, "", app).json["data"][0]["username"];
  Connect("x");
  const Json users = sandbox.Send("GET", "/x/2/users?ids=" + us + "," + id + ",999", "", app).json;
  ASSERT_EQ(users["data"].size(), 2u) << users.dump();
  EXPECT_EQ(users["errors"].size(), 1u);
  const std::string other = users["data"][1]["username"];
  const auto none = open(&bytes);
  EXPECT_EQ(none.http_status, 409);
  EXPECT_EQ(Json::parse(none.body)["connection_issue"], "RuleConfigurationIssue");
  const Json wanted = {{"add", {{{"value", "@" + handle}, {"tag", "us"}}, {{"value", "@" + other}, {"tag", "other"}}}}};
  const auto made = sandbox.Send("POST", rules, wanted.dump(), app);
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.json["data"].size(), 2u);
  EXPECT_EQ(sandbox.Send("POST", rules, wanted.dump(), app).json["errors"][0]["title"], "DuplicateRule");
  ASSERT_EQ(open(&bytes).http_status, 200);
  const auto refused = open(&second);
  EXPECT_EQ(refused.http_status, 429);
  EXPECT_EQ(Json::parse(refused.body)["connection_issue"], "TooManyConnections");
  Mention("x", "To the other one");
  std::string line = Hear("To the other one");
  if (line.find("matching_rules") == std::string::npos) line += Hear("matching_rules");
  EXPECT_NE(line.find("\"tag\":\"other\""), std::string::npos) << line;
  EXPECT_EQ(line.find("\"tag\":\"us\""), std::string::npos) << line;
  // A rule that goes takes its posts with it at once; the connection stays.
  const Json gone = {{"delete", {{"ids", {made.json["data"][1]["id"]}}}}};
  EXPECT_EQ(sandbox.Send("POST", rules, gone.dump(), app).json["meta"]["summary"]["deleted"], 1);
  Mention("x", "Nobody listens");
  id = us;
  Mention("x", "To us");
  line = Hear("To us");
  EXPECT_EQ(line.find("Nobody listens"), std::string::npos) << line;
  app["Authorization"] = "Bearer " + token;
  EXPECT_EQ(sandbox.Send("GET", rules, "", app).status, 403);   // with the app's own token alone
}

}  // namespace
}  // namespace parvis::sandbox
