// Every connector against the sandbox's process: what it writes is in the journal once, what is unclear is found again,
// what the audience does comes back the same by webhook and by poll.
#include <gtest/gtest.h>

#include <set>

#include "networks/wire/answer.h"
#include "platform/net/http_server.h"
#include "platform/testing/wait.h"
#include "tests/contract/sandbox_test.h"

namespace parvis::networks {
namespace {

using parvis::testing::WaitFor;

class ConnectorSandboxTest : public SandboxTest {
 protected:
  void SetUp() override {
    SandboxTest::SetUp();
    if (GetParam() == "x") Control("POST", "limits", {{"network", "x"}, {"enabled", false}});
  }
  void Fault(const std::string& kind, const std::string& operation) {
    Control("POST", "faults", {{"kind", kind}, {"network", GetParam()}, {"operation", operation}, {"count", 1}});
  }
  std::vector<Json> Journal() {
    const std::string body = Asked("GET", "journal?limit=10000", Json());
    std::vector<Json> out;
    for (size_t at = 0; at < body.size();) {
      const size_t end = std::min(body.find('\n', at), body.size());
      const Json line = ParseJson(body.substr(at, end - at));
      if (Text(line, "account") == journal_account && Text(line, "network") == GetParam()) out.push_back(line);
      at = end + 1;
    }
    return out;
  }
  int Journaled(const std::string& kind) {
    int count = 0;
    for (const Json& line : Journal()) count += Text(line, "kind") == kind && Text(line, "by") == "us" ? 1 : 0;
    return count;
  }
  Write Of(WriteKind kind, const std::string& text, const std::string& target = "", const std::string& post = "") {
    Write write;
    write.kind = kind;
    write.draft.text = text;
    if (connector().capabilities().Can(Feature::kTitle)) write.draft.title = "A title";
    if (kind == WriteKind::kPost && connector().capabilities().needs_media) {
      write.draft.media = {Media{.url = "https://cdn.example/lamp.jpg", .type = "image/jpeg"}};
    }
    write.target_remote_id = target;
    write.post_remote_id = post;
    write.idempotency_key = "key" + std::to_string(++keys);
    return write;
  }
  std::string Accepted(const Write& write) {
    const Outcome out = connector().Execute(call(), account, write);
    EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.reason << " " << out.message;
    return out.remote_id;
  }
  std::string Comment(const std::string& parent, const std::string& text) {
    return Text(Control("POST", "comments", {{"network", GetParam()}, {"parent", parent}, {"text", text}}), "remote_id");
  }
  int Found(const Write& write) {
    const auto items = connector().ReadBack(call(), account, write, started, 50);
    EXPECT_TRUE(items.ok()) << items.status();
    int matches = 0;
    for (const OwnItem& item : items.value_or(std::vector<OwnItem>())) matches += connector().Matches(write, item) ? 1 : 0;
    return matches;
  }
  std::vector<Happening> PollAll(std::string* cursor) {
    std::vector<Happening> out;
    for (int i = 0; i < 60; ++i) {
      const auto page = connector().Poll(call(), account, *cursor, started, 20);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) break;
      EXPECT_TRUE(page->unparsed.empty());
      out.insert(out.end(), page->happenings.begin(), page->happenings.end());
      *cursor = page->cursor;
      if (!page->more) break;
    }
    return out;
  }

  int keys = 0;
};

TEST_P(ConnectorSandboxTest, WritesOnceAndFindsWhatIsUnclear) {
  const std::string post = Accepted(Of(WriteKind::kPost, "Bonjour à tous, voyez https://brand.com/lampes"));
  EXPECT_EQ(Journaled("post"), 1);
  int posts = 1;
  for (const char* fault : {"accept_then_reset", "accept_then_504", "garbage"}) {
    Fault(fault, "post");
    const Write write = Of(WriteKind::kPost, std::string("After ") + fault + " https://brand.com/x é");
    // Instagram's container tells what became of it.
    const OutcomeKind end = GetParam() == "instagram" ? OutcomeKind::kAccepted : OutcomeKind::kUnknown;
    EXPECT_EQ(connector().Execute(call(), account, write).kind, end) << fault;
    EXPECT_EQ(Journaled("post"), ++posts) << fault;
    EXPECT_EQ(Found(write), 1) << fault;
  }
  Fault("reset_before_accept", "post");
  const Write lost = Of(WriteKind::kPost, "Never arrived");
  EXPECT_EQ(connector().Execute(call(), account, lost).kind, OutcomeKind::kUnknown);
  EXPECT_EQ(Found(lost), 0);
  Fault("limit", "post");
  const Outcome limited = connector().Execute(call(), account, Of(WriteKind::kPost, "Too many"));
  EXPECT_EQ(limited.kind, OutcomeKind::kRefused);
  EXPECT_EQ(limited.error, ErrorClass::kRateLimited) << limited.message;
  EXPECT_EQ(Journaled("post"), posts);

  const std::string comment = Comment(post, "Une question ?");
  Fault("accept_then_reset", "reply");
  const Write reply = Of(WriteKind::kReply, "Une réponse <3", comment, post);
  EXPECT_EQ(connector().Execute(call(), account, reply).kind, OutcomeKind::kUnknown);
  EXPECT_EQ(Found(reply), 1);
  EXPECT_EQ(Journaled("reply"), 1);
  for (const auto& [kind, name] : {std::pair(WriteKind::kHide, "hide"), {WriteKind::kUnhide, "unhide"}}) {
    Accepted(Of(kind, "", comment, post));
    EXPECT_EQ(Journaled(name), 1) << name;
  }
  Fault("accept_then_504", "hide");
  const Write hide = Of(WriteKind::kHide, "", comment, post);
  EXPECT_EQ(connector().Execute(call(), account, hide).kind, OutcomeKind::kUnknown);
  EXPECT_EQ(Found(hide), GetParam() == "x" ? 0 : 1);   // X does not show what is hidden
  EXPECT_EQ(connector().Execute(call(), account, Of(WriteKind::kHide, "", "999999999", post)).error, ErrorClass::kNotFound);
}

TEST_P(ConnectorSandboxTest, DeadTokensAreSeen) {
  Control("POST", "accounts/" + GetParam() + "/" + net::UrlEncode(journal_account) + "/token", {{"state", "expired"}});
  EXPECT_EQ(ReasonOf(connector().WhoAmI(call(), account).status()), "TOKEN_EXPIRED");
  EXPECT_EQ(connector().Execute(call(), account, Of(WriteKind::kPost, "x")).reason, "TOKEN_EXPIRED");
}

TEST_P(ConnectorSandboxTest, WebhookAndPollAgree) {
  std::mutex mutex;
  std::map<std::string, Happening> pushed;   // by natural key
  const std::vector<Secret> secrets = {Secret("the-app-secret")};
  net::HttpServer target({}, "target", metrics, [&](net::HttpRequest request, net::Responder responder) {
    WebhookCall webhook{request.method, request.query, request.body, request.headers};
    if (request.method == "GET") {
      const auto answer = connector().Handshake(webhook, secrets, Secret("verify-me"));
      EXPECT_TRUE(answer.ok()) << answer.status();
      return responder.Send(answer.ok() ? net::HttpResponse{answer->status, {{"Content-Type", answer->content_type}}, answer->body} : net::HttpResponse{403});
    }
    EXPECT_TRUE(connector().VerifySignature(webhook, secrets).ok());
    const WebhookContent content = connector().ParseWebhook(request.body);
    EXPECT_TRUE(content.unparsed.empty()) << request.body;
    std::lock_guard lock(mutex);
    for (const Happening& h : content.happenings) {
      EXPECT_EQ(h.account_remote_id, account.remote_id);
      pushed[std::to_string(static_cast<int>(h.kind)) + "/" + h.remote_id + "/" + std::to_string(h.revision)] = h;
    }
    responder.Send({200});
  });
  ASSERT_TRUE(target.Start().ok());
  const bool webhooks = connector().capabilities().Can(Feature::kWebhooks);
  std::string hook;
  if (webhooks) {
    Json registration = {{"network", GetParam()}, {"account", journal_account}, {"url", "http://" + target.address() + "/hook"}, {"duplicate_ratio", 0.5}};
    registration[GetParam() == "x" ? "consumer_secret" : "app_secret"] = "the-app-secret";
    if (GetParam() == "facebook" || GetParam() == "instagram") registration["verify_token"] = "verify-me";
    hook = Text(Control("POST", "webhooks", registration), "id");
  }
  const std::string post = Accepted(Of(WriteKind::kPost, "A post to talk about"));
  std::set<std::string> written;
  std::string top;
  for (int i = 0; i < 25; ++i) {
    const std::string id = Comment(i % 5 == 0 || top.empty() ? post : top, "Comment " + std::to_string(i) + " 😀 <b> https://brand.com/" + std::to_string(i));
    if (i % 5 == 0) top = id;
    // X tells of direct answers only, and of those that name us.
    if (GetParam() != "x" || i % 5 == 0) written.insert(id);
  }
  std::string cursor;
  std::map<std::string, Happening> polled;
  const auto poll = [&] {
    for (const Happening& h : PollAll(&cursor)) {
      polled[std::to_string(static_cast<int>(h.kind)) + "/" + h.remote_id + "/" + std::to_string(h.revision)] = h;
    }
  };
  poll();
  std::map<std::string, std::string> threads;
  for (const Json& line : Journal()) threads[Text(line, "remote_id")] = Text(line, "thread");
  std::set<std::string> seen;
  for (const auto& [key, h] : polled) {
    seen.insert(h.remote_id);
    EXPECT_EQ(h.thread, threads[h.remote_id]) << h.remote_id;
    EXPECT_FALSE(h.by_us);
  }
  for (const std::string& id : written) EXPECT_EQ(seen.count(id), GetParam() == "x" ? seen.count(id) : 1) << id;
  if (!webhooks) return;
  EXPECT_TRUE(WaitFor([&] {
    std::lock_guard lock(mutex);
    std::set<std::string> ids;
    for (const auto& [key, h] : pushed) ids.insert(h.remote_id);
    return std::includes(ids.begin(), ids.end(), written.begin(), written.end());
  }));
  std::lock_guard lock(mutex);
  std::map<std::string, Happening> by_id;
  for (const auto& [key, h] : pushed) {
    if (h.kind == Happening::Kind::kComment || h.kind == Happening::Kind::kMention) {
      EXPECT_TRUE(by_id.emplace(h.remote_id, h).second) << key << " has two natural keys";
    }
  }
  for (const auto& [key, h] : polled) {
    if (by_id.count(h.remote_id) == 0) continue;
    const Happening& other = by_id[h.remote_id];
    EXPECT_EQ(h.kind, other.kind) << key;
    EXPECT_EQ(h.revision, other.revision) << key;
    EXPECT_EQ(h.thread, other.thread) << key;
    EXPECT_EQ(h.conversation, other.conversation) << key;
    EXPECT_EQ(h.text, other.text) << key;
    EXPECT_EQ(h.author_remote_id, other.author_remote_id) << key;
  }
  Control("DELETE", "webhooks/" + hook, {});
}

// Notifications leave out what lies deep in a thread, and what is written below a reply that we hid.
class DeepThreadSandboxTest : public ConnectorSandboxTest {};

TEST_P(DeepThreadSandboxTest, WhatIsNotToldIsReadFromTheThread) {
  const std::string post = Accepted(Of(WriteKind::kPost, "A post to talk about"));
  std::map<std::string, int> written;
  std::string last = post;
  for (int level = 1; level <= 7; ++level) written[last = Comment(last, "Level " + std::to_string(level))] = level;
  const std::string hidden = Comment(post, "Buy this");
  written[hidden] = 1;
  Accepted(Of(WriteKind::kHide, "", hidden, post));
  last = Comment(hidden, "Do not buy this");
  written[last] = 2;
  written[Comment(last, "Why not?")] = 3;

  std::string cursor;
  std::map<std::string, Happening> found;
  for (const Happening& h : PollAll(&cursor)) {
    const auto [it, first] = found.emplace(h.remote_id, h);
    if (first) continue;
    EXPECT_EQ(it->second.kind, h.kind) << h.remote_id;
    EXPECT_EQ(it->second.revision, h.revision) << h.remote_id;
    EXPECT_EQ(it->second.occurred_at, h.occurred_at) << h.remote_id;
    EXPECT_EQ(it->second.conversation, h.conversation) << h.remote_id;
    EXPECT_EQ(it->second.text, h.text) << h.remote_id;
    EXPECT_EQ(it->second.author_name, h.author_name) << h.remote_id;
  }
  EXPECT_EQ(found.size(), written.size());
  for (const auto& [id, level] : written) {
    ASSERT_EQ(found.count(id), 1u) << "level " << level;
    EXPECT_EQ(found[id].post_remote_id, post) << "level " << level;
    EXPECT_EQ(found[id].kind, Happening::Kind::kComment) << "level " << level;
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, DeepThreadSandboxTest, ::testing::Values("bluesky"), [](const auto& info) { return info.param; });
INSTANTIATE_TEST_SUITE_P(Networks, ConnectorSandboxTest, ::testing::Values("facebook", "x", "wordpress", "instagram"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace parvis::networks
