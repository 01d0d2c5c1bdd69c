// The connectors' streams against the sandbox's process: what comes by stream has the natural key that polling gives it, and
// of what a lost stream leaves out it is known that something may be missing.
#include <gtest/gtest.h>

#include "networks/wire/answer.h"
#include "tests/contract/sandbox_test.h"

namespace parvis::networks {
namespace {

using parvis::testing::WaitFor;

class StreamSandboxTest : public SandboxTest {
 protected:
  void SetUp() override {
    SandboxTest::SetUp();
    if (GetParam() == "x") Control("POST", "limits", {{"network", "x"}, {"enabled", false}});
    Write write;
    write.kind = WriteKind::kPost;
    write.draft.text = "A post to talk about";
    write.idempotency_key = "key-of-the-post";
    const Outcome out = connector().Execute(call(), account, write);
    ASSERT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
    post = out.remote_id;
  }
  std::string Comment(const std::string& parent, const std::string& text) {
    return Text(Control("POST", "comments", {{"network", GetParam()}, {"parent", parent}, {"text", text}}), "remote_id");
  }
  void Fault(const std::string& kind, const std::string& operation) {
    Control("POST", "faults", {{"kind", kind}, {"network", GetParam()}, {"operation", operation}, {"count", 1}});
  }
  void Open() {
    stream.reset();
    auto opened = connector().OpenStream(call(), account, cursor);
    // X has one connection an app, and notices after a while that the last one has gone.
    WaitFor([&] {
      if (ReasonOf(opened.status()) == "RATE_LIMITED") opened = connector().OpenStream(call(), account, cursor);
      return ReasonOf(opened.status()) != "RATE_LIMITED";
    });
    ASSERT_TRUE(opened.ok()) << opened.status();
    stream = *std::move(opened);
  }
  // Reads until `id` has come; the status that ended the stream otherwise.
  Status ReadUntil(const std::string& id) {
    const Instant until = clock.Now() + absl::Seconds(20);
    while (seen.count(id) == 0 && clock.Now() < until) {
      Call soon = call();
      soon.deadline = clock.Now() + absl::Milliseconds(200);
      const auto batch = stream->Next(soon);
      PARVIS_RETURN_IF_ERROR(batch.status());
      gap = gap || batch->gap;
      unparsed += static_cast<int>(batch->unparsed.size());
      cursor = batch->cursor;
      for (const Happening& h : batch->happenings) seen.emplace(h.remote_id, h);
    }
    return seen.count(id) > 0 ? absl::OkStatus() : MakeError(Code::kNotFound, "NOT_FOUND", id + " did not come");
  }
  std::map<std::string, Happening> PollAll() {
    std::map<std::string, Happening> out;
    std::string place;
    for (int i = 0; i < 60; ++i) {
      const auto page = connector().Poll(call(), account, place, started, 20);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) break;
      for (const Happening& h : page->happenings) out.emplace(h.remote_id, h);
      place = page->cursor;
      if (!page->more) break;
    }
    return out;
  }

  std::string post, cursor;
  std::unique_ptr<Stream> stream;
  std::map<std::string, Happening> seen;
  bool gap = false;
  int unparsed = 0;
};

TEST_P(StreamSandboxTest, StreamAndPollAgree) {
  Open();
  const std::string first = Comment(post, "Une question ? 😀 <b> https://brand.com/1");
  // X tells of direct answers only, and of those that name us.
  const std::string second = Comment(GetParam() == "x" ? post : first, "And an answer to it");
  ASSERT_TRUE(ReadUntil(first).ok());
  ASSERT_TRUE(ReadUntil(second).ok());
  const auto polled = PollAll();
  for (const std::string& id : {first, second}) {
    ASSERT_EQ(polled.count(id), 1u) << id;
    const Happening &p = polled.at(id), &s = seen.at(id);
    EXPECT_EQ(p.kind, s.kind);
    EXPECT_EQ(p.revision, s.revision);
    EXPECT_EQ(p.occurred_at, s.occurred_at);
    EXPECT_EQ(p.thread, s.thread);
    EXPECT_EQ(p.conversation, s.conversation);
    EXPECT_EQ(p.post_remote_id, s.post_remote_id);
    EXPECT_EQ(p.parent_remote_id, s.parent_remote_id);
    EXPECT_EQ(p.text, s.text);
    EXPECT_EQ(p.author_remote_id, s.author_remote_id);
    EXPECT_EQ(p.author_name, s.author_name);
    EXPECT_EQ(p.author_handle, s.author_handle);
    EXPECT_EQ(p.account_remote_id, s.account_remote_id);
    EXPECT_EQ(p.permalink, s.permalink);
    EXPECT_FALSE(s.by_us);
  }
  EXPECT_EQ(unparsed, 0);
}

TEST_P(StreamSandboxTest, ACutInTheMiddleLosesNothingUnsaid) {
  Open();
  const std::string before = Comment(post, "Before the cut");
  ASSERT_TRUE(ReadUntil(before).ok());
  Fault("accept_then_reset", "event");
  const std::string cut = Comment(post, "Cut in the middle");
  EXPECT_EQ(ReasonOf(ReadUntil(cut)), "STREAM_LOST");
  const std::string meanwhile = Comment(post, "While nobody listened");
  gap = false;
  Open();
  const std::string after = Comment(post, "After it");
  ASSERT_TRUE(ReadUntil(after).ok());
  // Either it is replayed or it is said that something is missing.
  if (!gap) {
    EXPECT_EQ(seen.count(cut), 1u);
    EXPECT_EQ(seen.count(meanwhile), 1u);
  } else {
    const auto polled = PollAll();
    EXPECT_EQ(polled.count(cut) + polled.count(meanwhile), 2u);
  }
  EXPECT_EQ(unparsed, 0);
}

TEST_P(StreamSandboxTest, GarbageIsTold) {
  Open();
  Fault("garbage", "event");
  const std::string id = Comment(post, "Behind the garbage");
  ASSERT_TRUE(ReadUntil(id).ok());
  EXPECT_EQ(unparsed, 1);
}

TEST_P(StreamSandboxTest, TheNetworkEndsIt) {
  Open();
  Fault("forbid", "event");
  EXPECT_EQ(ReasonOf(ReadUntil(Comment(post, "At the end"))), "STREAM_LOST");
}

TEST_P(StreamSandboxTest, RefusalsOfTheOpening) {
  Fault("limit", "stream");
  EXPECT_EQ(ReasonOf(connector().OpenStream(call(), account, "").status()), "RATE_LIMITED");
  Fault("server_error", "stream");
  EXPECT_EQ(connector().OpenStream(call(), account, "").status().code(), Code::kUnavailable);
  Fault("reset_before_accept", "stream");
  EXPECT_EQ(connector().OpenStream(call(), account, "").status().code(), Code::kUnavailable);
  Open();
}

INSTANTIATE_TEST_SUITE_P(Networks, StreamSandboxTest, ::testing::Values("mastodon", "bluesky", "x"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace parvis::networks
