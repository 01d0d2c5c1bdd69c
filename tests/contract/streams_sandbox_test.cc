// The connectors' streams against the sandbox's process: what comes by stream has the natural key that polling gives it, and
// of what a lost stream leaves out it is known that something may be missing.
#include <gtest/gtest.h>

#include "networks/wire/answer.h"
#include "tests/contract/sandbox_test.h"

namespace parvis::networks {
namespace {

using parvis::testing::WaitFor;

// A shared stream as its only channel hears it.
class OneChannel : public Stream {
 public:
  explicit OneChannel(std::unique_ptr<SharedStream> shared) : shared_(std::move(shared)) {}
  StatusOr<StreamBatch> Next(const Call& call) override {
    PARVIS_ASSIGN_OR_RETURN(SharedBatch batch, shared_->Next(call));
    if (!batch.lost.empty()) return batch.lost.begin()->second;
    StreamBatch out;
    for (auto& [channel, happening] : batch.happenings) out.happenings.push_back(std::move(happening));
    out.unparsed = std::move(batch.unparsed);
    out.cursor = std::move(batch.cursor);
    out.gap = batch.gap;
    return out;
  }

 private:
  const std::unique_ptr<SharedStream> shared_;
};

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
  // A channel's own stream, or the one that it shares, whichever the network has.
  Status TryToOpen() {
    if (connector().capabilities().stream_channels_max == 0) {
      PARVIS_ASSIGN_OR_RETURN(stream, connector().OpenStream(call(), account, cursor));
      return absl::OkStatus();
    }
    auto open = [this](const Call&, const std::string&) -> StatusOr<Account> { return account; };
    PARVIS_ASSIGN_OR_RETURN(SharedOpening opening,
                            connector().OpenSharedStream(call(), {{"ours", account.remote_id}}, cursor, open));
    if (!opening.refused.empty()) return opening.refused.begin()->second;
    stream = std::make_unique<OneChannel>(std::move(opening.stream));
    return absl::OkStatus();
  }
  void Open() {
    stream.reset();
    Status opened = TryToOpen();
    // X has one connection an app, and notices after a while that the last one has gone.
    WaitFor([&] {
      if (ReasonOf(opened) == "RATE_LIMITED") opened = TryToOpen();
      return ReasonOf(opened) != "RATE_LIMITED";
    });
    ASSERT_TRUE(opened.ok()) << opened;
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
  EXPECT_EQ(ReasonOf(TryToOpen()), "RATE_LIMITED");
  Fault("server_error", "stream");
  EXPECT_EQ(TryToOpen().code(), Code::kUnavailable);
  Fault("reset_before_accept", "stream");
  EXPECT_EQ(TryToOpen().code(), Code::kUnavailable);
  Open();
}

// Where the stream is shared: each is told of its own, the second from when it joined, by the one connection there is.
TEST_P(StreamSandboxTest, TwoChannelsShareOneConnection) {
  if (connector().capabilities().stream_channels_max == 0) GTEST_SKIP() << "each has its own";
  const Json made = Control("POST", "accounts", {{"network", GetParam()}, {"name", "Lumen the second"}});
  Account other = account;
  other.remote_id = Text(made, "remote_id");
  other.base_url = Text(made, "base_url");
  for (auto& [field, value] : other.credentials.fields) value = Secret(Text(made, field.c_str()));
  const auto open = [&](const Call&, const std::string& channel) -> StatusOr<Account> {
    return channel == "ours" ? account : other;
  };
  StatusOr<SharedOpening> opened = MakeError(Code::kUnavailable, "NOT_YET", "");
  WaitFor([&] {   // until X has noticed that the last one has gone
    opened = connector().OpenSharedStream(call(), {{"ours", account.remote_id}}, "", open);
    return ReasonOf(opened.status()) != "RATE_LIMITED";
  });
  ASSERT_TRUE(opened.ok()) << opened.status();
  SharedStream& shared = *opened->stream;
  const auto refused = shared.Add(call(), {{"other", other.remote_id}});
  ASSERT_TRUE(refused.ok() && refused->empty()) << refused.status();
  if (GetParam() == "x") {
    const auto second = connector().OpenSharedStream(call(), {{"ours", account.remote_id}}, "", open);
    EXPECT_EQ(ReasonOf(second.status()), "RATE_LIMITED");
  }
  const auto mention = [&](const Account& whom, const std::string& name) {
    const Json said = {{"network", GetParam()}, {"account", whom.remote_id}, {"text", "@" + name + " is it dimmable?"}};
    return Text(Control("POST", "comments", said), "remote_id");
  };
  std::map<std::string, std::string> wanted, told;   // channel by remote id
  wanted[mention(account, handle)] = "ours";
  wanted[mention(other, Text(made, "handle"))] = "other";
  EXPECT_TRUE(WaitFor([&] {
    Call soon = call();
    soon.deadline = clock.Now() + absl::Milliseconds(100);
    const auto batch = shared.Next(soon);
    EXPECT_TRUE(batch.ok()) << batch.status();
    if (!batch.ok()) return true;
    EXPECT_TRUE(batch->lost.empty());
    for (const auto& [channel, happening] : batch->happenings) told[happening.remote_id] = channel;
    return told.size() >= wanted.size();
  }));
  EXPECT_EQ(told, wanted);
}

INSTANTIATE_TEST_SUITE_P(Networks, StreamSandboxTest, ::testing::Values("mastodon", "bluesky", "x"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace parvis::networks
