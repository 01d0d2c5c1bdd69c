// Webhooks, audiences and the control API.
#include <set>

#include "sandbox/transport/test_sandbox.h"

namespace parvis::sandbox {
namespace {

constexpr char kSecret[] = "app-secret";

Json AccountIds(const std::vector<Json>& accounts) {
  Json out = Json::array();
  for (const Json& account : accounts) out.push_back({{"network", account["network"]}, {"id", account["remote_id"]}});
  return out;
}

class WebhooksTest : public ::testing::Test {
 protected:
  WebhooksTest() : receiver(sandbox.metrics, kSecret), page(sandbox.Account("facebook")), user(sandbox.Account("x")) {}
  void Target(const std::string& network, Json more = Json::object()) {
    Json body = {{"network", network},
                 {"url", receiver.url()},
                 {"verify_token", "verify"},
                 {network == "x" ? "consumer_secret" : "app_secret", kSecret}};
    body.update(more);
    sandbox.Control("POST", "/webhooks", body);
  }
  std::string Post(const Json& account, const std::string& text) {
    const Network network = *NetworkOf(account["network"].get<std::string>());
    const std::string id = account["remote_id"];
    return (*sandbox.world.Create({.network = network, .account = id, .author_id = id, .text = text, .by_us = true},
                                  {}))
        ->id;
  }
  bool AllDelivered() {
    for (const WebhookStats& stats : sandbox.webhooks.Stats()) {
      if (!stats.verified || stats.pending > 0) return false;
    }
    return true;
  }
  void RunAudience(Json body) {
    const int64_t id = sandbox.Control("POST", "/audiences", body)["id"];
    ASSERT_TRUE(sandbox.WaitFor([&] { return sandbox.audiences.Get(id)->state == "done"; }, absl::Seconds(60)));
    ASSERT_TRUE(sandbox.WaitFor([&] { return AllDelivered(); }, absl::Seconds(60)));
  }
  // (thread, thread_seq or verb) of the comments in the order of their delivery.
  std::vector<std::string> CommentIds() {
    std::vector<std::string> out;
    for (const net::HttpRequest& request : receiver.taken()) {
      const Json body = Json::parse(request.body);
      if (!body.contains("entry")) continue;
      for (const Json& entry : body["entry"]) {
        for (const Json& change : entry["changes"]) {
          const Json& value = change["value"];
          if (value["item"] == "comment" && value["verb"] == "add") out.push_back(value["comment_id"]);
        }
      }
    }
    return out;
  }
  TestSandbox sandbox;
  Receiver receiver;
  Json page, user;
};

TEST_F(WebhooksTest, FacebookIsChallengedSignedAndBatched) {
  Target("facebook");
  Post(page, "un");
  RunAudience({{"accounts", AccountIds({page})}, {"count", 500}, {"edit_ratio", 0.05}});
  EXPECT_GE(receiver.challenges, 1);
  size_t entries = 0, changes = 0;
  std::set<std::string> verbs;
  for (const net::HttpRequest& request : receiver.taken()) {
    EXPECT_EQ(request.headers.find("x-hub-signature-256")->second, "sha256=" + HmacHex(Secret(kSecret), request.body));
    const Json body = Json::parse(request.body);
    for (const Json& entry : body["entry"]) {
      ++entries;
      EXPECT_EQ(entry["id"], page["remote_id"]);
      for (const Json& change : entry["changes"]) verbs.insert(change["value"]["verb"]), ++changes;
    }
  }
  EXPECT_LT(receiver.taken().size(), entries);
  EXPECT_LT(entries, changes);
  EXPECT_TRUE(verbs.contains("add") && verbs.contains("edited") && verbs.contains("remove"));
  EXPECT_EQ(changes, sandbox.JournalLines().size());
}

TEST_F(WebhooksTest, KeepsTheOrderOfEveryThreadAcrossRefusals) {
  Target("facebook", {{"retry_min_ms", 1}});
  Post(page, "un");
  receiver.refuse = 20;
  RunAudience({{"accounts", AccountIds({page})}, {"count", 1000}, {"threads", {{"reply_share", 0.6}}}});
  std::map<std::string, int64_t> last;
  const auto delivered = CommentIds();
  for (const std::string& id : delivered) {
    const ItemPtr item = sandbox.world.Find(Network::kFacebook, id);
    EXPECT_EQ(item->thread_seq, last[item->thread] + 1);
    last[item->thread] = item->thread_seq;
  }
  EXPECT_EQ(delivered.size(), 1000u);
  EXPECT_GE(sandbox.webhooks.Stats()[0].failures, 20);
}

TEST_F(WebhooksTest, DuplicatesReordersAndComesLateOnDemand) {
  Target("facebook", {{"duplicate_ratio", 0.2}, {"reorder_ratio", 0.2}, {"late_ms", 20}, {"late_ratio", 0.2}});
  Post(page, "un");
  RunAudience({{"accounts", AccountIds({page})}, {"count", 1000}});
  const auto delivered = CommentIds();
  const std::set<std::string> distinct(delivered.begin(), delivered.end());
  EXPECT_EQ(distinct.size(), 1000u);
  EXPECT_GT(delivered.size(), 1050u);
  const WebhookStats stats = sandbox.webhooks.Stats()[0];
  EXPECT_GT(stats.reordered, 20);
  EXPECT_EQ(stats.acked, stats.events);
}

TEST_F(WebhooksTest, XSendsActivityEventsInBase64Signed) {
  Target("x");
  const std::string root = Post(user, "racine");
  sandbox.Control("POST", "/comments", {{"network", "x"}, {"parent", root}, {"text", "bonjour"}});
  sandbox.Control("POST", "/comments", {{"network", "x"}, {"account", user["remote_id"]}, {"text", "salut"}});
  ASSERT_TRUE(sandbox.WaitFor([&] { return receiver.taken().size() == 3 && AllDelivered(); }));
  std::map<std::string, Json> events;
  for (const net::HttpRequest& request : receiver.taken()) {
    EXPECT_EQ(request.headers.find("x-twitter-webhooks-signature")->second,
              "sha256=" + HmacBase64(Secret(kSecret), request.body));
    const Json data = Json::parse(request.body)["data"];
    events[data["event_type"]] = data;
  }
  ASSERT_TRUE(events.contains("post.create") && events.contains("post.reply.create") &&
              events.contains("post.mention.create"));
  const Json payload = events["post.reply.create"]["payload"];
  EXPECT_EQ(payload["in_reply_to_tweet_id"], root);
  EXPECT_EQ(payload["in_reply_to_tweet_id_str"], root);
  EXPECT_EQ(payload["conversation_id"], root);
}

TEST_F(WebhooksTest, XCanSendTheOldShape) {
  Target("x", {{"shape", "aaa"}});
  const std::string root = Post(user, "racine");
  const Json made = sandbox.Control("POST", "/comments", {{"network", "x"}, {"parent", root}, {"text", "bonjour"}});
  sandbox.Control("DELETE", "/comments/x/" + made["remote_id"].get<std::string>());
  ASSERT_TRUE(sandbox.WaitFor([&] { return AllDelivered() && sandbox.webhooks.Stats()[0].acked == 3; }));
  bool created = false, deleted = false;
  for (const net::HttpRequest& request : receiver.taken()) {
    const Json body = Json::parse(request.body);
    EXPECT_EQ(body["for_user_id"], user["remote_id"]);
    for (const Json& tweet : body.value("tweet_create_events", Json::array())) {
      if (tweet["id_str"] != made["remote_id"]) continue;
      created = true;
      EXPECT_EQ(tweet["in_reply_to_status_id_str"], root);
    }
    for (const Json& event : body.value("tweet_delete_events", Json::array()))
      deleted |= event["status"]["id"] == made["remote_id"];
  }
  EXPECT_TRUE(created && deleted);
}

TEST_F(WebhooksTest, AWrongSecretOrTokenGetsNothing) {
  Target("x", {{"consumer_secret", "other"}});
  Target("facebook", {{"verify_token", "wrong"}});
  Post(user, "racine");
  ASSERT_TRUE(sandbox.WaitFor([&] { return receiver.challenges >= 3; }));
  EXPECT_TRUE(receiver.taken().empty());
  for (const WebhookStats& stats : sandbox.webhooks.Stats()) EXPECT_FALSE(stats.verified);
}

TEST_F(WebhooksTest, SendsOddAndBrokenThingsBesides) {
  Target("facebook", {{"odd_ratio", 0.5}, {"broken_ratio", 0.5}, {"batch_max", 5}});
  Post(page, "un");
  RunAudience({{"accounts", AccountIds({page})}, {"count", 300}});
  ASSERT_TRUE(sandbox.WaitFor([&] {
    const WebhookStats stats = sandbox.webhooks.Stats()[0];
    return receiver.taken().size() == static_cast<size_t>(stats.requests + stats.oddities);
  }));
  int broken = 0, odd = 0;
  for (const net::HttpRequest& request : receiver.taken()) {
    EXPECT_EQ(request.headers.find("x-hub-signature-256")->second, "sha256=" + HmacHex(Secret(kSecret), request.body));
    broken += Json::parse(request.body, nullptr, false).is_discarded();
    odd += request.body.find("hologram") != std::string::npos;
  }
  EXPECT_GT(broken, 5);
  EXPECT_GT(odd, 5);
  EXPECT_EQ(sandbox.webhooks.Stats()[0].oddities_refused, 0);
}

TEST_F(WebhooksTest, PausesAndResumes) {
  Target("facebook", {{"paused", true}});
  Post(page, "un");
  EXPECT_EQ(sandbox.webhooks.Stats()[0].pending, 1);
  EXPECT_EQ(receiver.challenges, 0);
  sandbox.Control("POST", "/webhooks/1", {{"paused", false}});
  ASSERT_TRUE(sandbox.WaitFor([&] { return AllDelivered(); }));
  EXPECT_EQ(receiver.taken().size(), 1u);
}

TEST_F(WebhooksTest, OurOwnActionsComeBackFromThePage) {
  Target("facebook");
  const std::string post = Post(page, "un");
  const Json comment =
      sandbox.Control("POST", "/comments", {{"network", "facebook"}, {"parent", post}, {"text", "hm"}});
  const std::string url = page["base_url"].get<std::string>() + "/" + comment["remote_id"].get<std::string>();
  const std::string token = page["access_token"];
  EXPECT_EQ(sandbox.Send("POST", url, "is_hidden=true&access_token=" + token, TestSandbox::FormType()).status, 200);
  ASSERT_TRUE(sandbox.WaitFor([&] { return AllDelivered(); }));
  bool seen = false;
  for (const net::HttpRequest& request : receiver.taken()) {
    const Json body = Json::parse(request.body);
    for (const Json& entry : body["entry"]) {
      for (const Json& change : entry["changes"]) {
        seen |= change["value"]["verb"] == "hide" && change["value"]["from"]["id"] == page["remote_id"];
      }
    }
  }
  EXPECT_TRUE(seen);
}

TEST_F(WebhooksTest, ControlRefusesWhatItDoesNotKnow) {
  auto refused = [&](const std::string& path, const Json& body) {
    const Answered answer = sandbox.Send("POST", "/control" + path, body.dump(), TestSandbox::JsonType());
    EXPECT_EQ(answer.status, 400) << path << answer.body;
    return answer.json["error"]["violations"][0]["field"].get<std::string>();
  };
  EXPECT_EQ(refused("/accounts", {{"network", "myspace"}, {"name", "x"}}), "network");
  EXPECT_EQ(refused("/accounts", {{"network", "x"}, {"name", "x"}, {"color", 1}}), "color");
  EXPECT_EQ(refused("/faults", {{"kind", "explode"}}), "kind");
  EXPECT_EQ(refused("/faults", {{"kind", "delay"}, {"delay_ms", "soon"}}), "delay_ms");
  EXPECT_EQ(refused("/audiences", {{"count", -1}, {"accounts", AccountIds({page})}}), "count");
  EXPECT_EQ(refused("/audiences", {{"kinds", {{"poem", 1}}}}), "kinds");
  EXPECT_EQ(refused("/webhooks", {{"network", "blog"}, {"url", "http://a"}, {"app_secret", "s"}}), "network");
  EXPECT_EQ(sandbox.Send("GET", "/control/nothing").status, 405);
  EXPECT_EQ(sandbox.Send("GET", "/elsewhere").status, 404);
}

TEST_F(WebhooksTest, CountersAreWhatTheNetworkSaysOfAPost) {
  const std::string post = Post(page, "liked");
  sandbox.Control("POST", "/counters", {{"network", "facebook"}, {"id", post}, {"counters", {{"likes", 12}}}});
  const Answered answer =
      sandbox.Send("GET", "/facebook/v23.0/" + post + "?fields=reactions.summary(total_count).limit(0)&access_token=" +
                              page["access_token"].get<std::string>());
  EXPECT_EQ(answer.json["reactions"]["summary"]["total_count"], 12) << answer.body;
  const Json wrong = {{"network", "facebook"}, {"id", post}, {"counters", {{"likes", -1}}}};
  EXPECT_EQ(sandbox.Send("POST", "/control/counters", wrong.dump(), TestSandbox::JsonType()).status, 400);
}

TEST_F(WebhooksTest, ResetForgetsAndReplaysTexts) {
  Post(page, "un");
  RunAudience({{"accounts", AccountIds({page})},
               {"count", 4},
               {"texts", {"alpha", "beta"}},
               {"threads", {{"reply_share", 0}}},
               {"edit_ratio", 0},
               {"removal_ratio", 0}});
  std::vector<std::string> texts;
  for (const Json& line : sandbox.JournalLines()) {
    if (line["kind"] == "comment") texts.push_back(line["text"]);
  }
  EXPECT_EQ(texts, (std::vector<std::string>{"alpha", "beta", "alpha", "beta"}));
  const Answered lines = sandbox.Send("GET", "/control/journal?after=1&limit=2");
  EXPECT_EQ(std::count(lines.body.begin(), lines.body.end(), '\n'), 2);
  EXPECT_EQ(lines.body.rfind("{\"seq\":2,", 0), 0u);
  EXPECT_EQ(sandbox.Control("GET", "/journal/summary")["last_seq"], 5);
  EXPECT_EQ(sandbox.Control("POST", "/reset")["last_seq"], 5);
  EXPECT_EQ(sandbox.Control("GET", "/state")["items"], 0);
}

TEST_F(WebhooksTest, DelaysAnswers) {
  sandbox.Control("POST", "/faults", {{"kind", "delay"}, {"delay_ms", 80}, {"count", 1}});
  const Instant before = sandbox.clock.Now();
  EXPECT_EQ(sandbox.Send("GET", "/facebook/v23.0/me?access_token=" + page["access_token"].get<std::string>()).status,
            200);
  EXPECT_GE(sandbox.clock.Now() - before, absl::Milliseconds(80));
}

}  // namespace
}  // namespace parvis::sandbox
