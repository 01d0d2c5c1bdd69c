// Journal, faults, limits, world and audience.
#include <set>

#include <gtest/gtest.h>

#include "platform/testing/wait.h"
#include "sandbox/domain/audience.h"
#include "sandbox/domain/audience_runs.h"
#include "sandbox/domain/faults.h"
#include "sandbox/domain/limits.h"
#include "sandbox/domain/world.h"

namespace parvis::sandbox {
namespace {

struct Fixture {
  FakeClock clock;
  Journal journal{1'000'000, nullptr};
  World world{{}, clock, journal};
  AccountPtr Account(Network network) { return *world.AddAccount({.network = network, .name = "Maison Lumen"}); }
  ItemPtr Post(const AccountPtr& account, const std::string& text) {
    return *world.Create({.network = account->network,
                          .account = account->id,
                          .author_id = account->id,
                          .text = text,
                          .status = account->network == Network::kBlog ? "publish" : "",
                          .by_us = true},
                         {});
  }
};

TEST(Journal, NumbersWithoutGapsAndReadsOn) {
  Journal journal(3, nullptr);
  EXPECT_EQ(*journal.Append({.kind = "post", .by = "us"}), 1);
  EXPECT_EQ(*journal.Append({.kind = "post", .by = "us"}), 2);
  EXPECT_EQ(journal.Read(1, 10, 1 << 20).find("{\"seq\":2"), 0u);
  journal.Reset();
  EXPECT_EQ(*journal.Append({.kind = "reply", .by = "us", .text = "a\"\n\x01"}), 3);
  EXPECT_NE(journal.Read(0, 10, 1 << 20).find(R"("text":"a\"\n\u0001")"), std::string::npos);
  ASSERT_TRUE(journal.Append({}).ok());
  ASSERT_TRUE(journal.Append({}).ok());
  EXPECT_EQ(ReasonOf(journal.Append({}).status()), "JOURNAL_FULL");
}

TEST(Journal, WhatTheSinkRefusesDidNotHappen) {
  FakeClock clock;
  Journal journal(10, [](std::string_view) { return MakeError(Code::kUnavailable, "DISK", "full"); });
  World world({}, clock, journal);
  const AccountPtr page = *world.AddAccount({.network = Network::kFacebook, .name = "P"});
  EXPECT_FALSE(world.Create({.account = page->id, .text = "x"}, {}).ok());
  EXPECT_EQ(world.counts().items, 0);
  EXPECT_EQ(journal.last_seq(), 0);
}

TEST(World, FacebookHasTwoLevelsAndOneThreadPerTopComment) {
  Fixture f;
  const AccountPtr page = f.Account(Network::kFacebook);
  const ItemPtr post = f.Post(page, "hello");
  auto comment = [&](const std::string& parent) {
    return *f.world.Create({.kind = Item::Kind::kComment, .account = page->id, .parent = parent, .text = "t"}, {});
  };
  const ItemPtr top = comment(post->id), answer = comment(top->id), deeper = comment(answer->id);
  EXPECT_EQ(top->thread, top->id);
  EXPECT_EQ(deeper->parent, top->id);
  EXPECT_EQ(deeper->thread, top->id);
  EXPECT_EQ(deeper->thread_seq, 3);
  EXPECT_EQ(deeper->post, post->id);
  EXPECT_EQ(post->id.substr(0, post->id.find('_')), page->id);
}

TEST(World, XIdsAreAbove53BitsAndConversationsAreThreads) {
  Fixture f;
  const AccountPtr user = f.Account(Network::kX);
  const ItemPtr post = f.Post(user, "hello");
  EXPECT_GT(std::stoll(post->id), int64_t{1} << 53);
  const ItemPtr reply = *f.world.Create(
      {.network = Network::kX, .kind = Item::Kind::kComment, .account = user->id, .parent = post->id, .text = "t"}, {});
  EXPECT_EQ(reply->thread, post->id);
  EXPECT_GT(std::stoll(reply->id), std::stoll(post->id));
}

TEST(World, DeletedThingsAreNotChangedAgain) {
  Fixture f;
  const AccountPtr page = f.Account(Network::kFacebook);
  const ItemPtr post = f.Post(page, "hello");
  EXPECT_TRUE(f.world.Delete(Network::kFacebook, post->id, {}).ok());
  EXPECT_EQ(f.world.Delete(Network::kFacebook, post->id, {}).status().code(), Code::kNotFound);
  EXPECT_EQ(f.journal.last_seq(), 2);
}

TEST(Faults, StrikeByOperationCountAndSeed) {
  Faults faults(10);
  ASSERT_TRUE(faults.Add({.kind = FaultKind::kAcceptThenReset, .operation = "reply", .count = 2, .skip = 1}).ok());
  ASSERT_TRUE(faults.Add({.kind = FaultKind::kDelay, .operation = "*", .delay = absl::Milliseconds(5)}).ok());
  EXPECT_EQ(faults.Decide(Network::kX, "1", "post").answer, Answer::kOk);
  std::vector<Answer> answers;
  for (int i = 0; i < 4; ++i) answers.push_back(faults.Decide(Network::kX, "1", "reply").answer);
  EXPECT_EQ(answers, (std::vector<Answer>{Answer::kOk, Answer::kReset, Answer::kReset, Answer::kOk}));
  EXPECT_EQ(faults.Decide(Network::kX, "1", "reply").delay, absl::Milliseconds(5));
  EXPECT_FALSE(faults.Add({.probability = 2}).ok());
}

TEST(Limits, CountDownAndStartAgain) {
  Limits limits;
  const absl::Time now = absl::FromUnixSeconds(1000);
  limits.SetSize(Network::kX, "", "tweets.create", {2, absl::Minutes(1)});
  EXPECT_EQ(limits.Take(Network::kX, "1", "tweets.create", now).remaining, 1);
  EXPECT_EQ(limits.Take(Network::kX, "1", "tweets.create", now).remaining, 0);
  EXPECT_TRUE(limits.Take(Network::kX, "1", "tweets.create", now).exceeded);
  EXPECT_FALSE(limits.Take(Network::kX, "2", "tweets.create", now).exceeded);
  EXPECT_FALSE(limits.Take(Network::kX, "1", "tweets.create", now + absl::Minutes(1)).exceeded);
  limits.SetEnabled(Network::kX, false);
  EXPECT_FALSE(limits.Take(Network::kX, "1", "tweets.create", now).limited);
}

TEST(Texts, ThousandsDiffer) {
  Rng rng(7);
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) seen.insert(WriteText(TextMix{}, 6000, rng).text);
  EXPECT_GT(seen.size(), 8500u);
}

TEST(Texts, ObfuscationChangesTheWord) {
  Rng rng(3);
  for (int i = 0; i < 200; ++i) EXPECT_NE(Obfuscate("crétins", rng), "crétins");
}

// What the audience did, without ids and times.
std::vector<std::string> Story(uint64_t seed) {
  Fixture f;
  std::vector<Audience::Post> posts;
  for (Network network : {Network::kFacebook, Network::kX, Network::kBlog, Network::kMastodon, Network::kYoutube}) {
    const AccountPtr account = f.Account(network);
    posts.push_back({account, f.Post(account, "hello")->id});
  }
  Audience audience({.seed = seed, .count = 3000}, f.world);
  while (*audience.Step(posts)) f.clock.Advance(absl::Milliseconds(1));
  EXPECT_EQ(audience.progress().written, 3000);
  EXPECT_GT(audience.progress().edits, 5);
  EXPECT_GT(audience.progress().removals, 5);
  std::vector<std::string> out;
  for (const Audience::Post& post : posts) {
    const Page page = f.world.Read(post.account->network, World::List::kComments, post.id, {.limit = 5000});
    for (const ItemPtr& item : page.items) out.push_back(item->author_id + "|" + item->text);
  }
  return out;
}

TEST(Audience, IsTheSameForTheSameSeed) {
  const auto first = Story(42);
  EXPECT_EQ(first, Story(42));
  EXPECT_NE(first, Story(43));
}

TEST(Audience, MakesLongThreads) {
  Fixture f;
  const AccountPtr page = f.Account(Network::kFacebook);
  const std::vector<Audience::Post> posts = {{page, f.Post(page, "hello")->id}};
  Audience audience({.count = 5000, .reply_share = 0.5, .hot_share = 0.8}, f.world);
  while (*audience.Step(posts)) {
  }
  int64_t longest = 0;
  for (const ItemPtr& item :
       f.world.Read(Network::kFacebook, World::List::kComments, posts[0].id, {.limit = 9000}).items) {
    longest = std::max(longest, item->thread_seq);
  }
  EXPECT_GT(longest, 500);
}

TEST(AudienceRuns, WaitsForAPostAndEnds) {
  RealClock clock;
  Journal journal(1'000'000, nullptr);
  World world({}, clock, journal);
  const AccountPtr page = *world.AddAccount({.network = Network::kFacebook, .name = "P"});
  AudienceRuns runs(2, world, clock, nullptr);
  AudienceRequest request{.plan = {.count = 2000}, .accounts = {{Network::kFacebook, page->id}}};
  const int64_t id = *runs.Start(request);
  EXPECT_NE(runs.Get(id)->state, "done");
  ASSERT_TRUE(world.Create({.account = page->id, .author_id = page->id, .text = "hello", .by_us = true}, {}).ok());
  const auto done = [&](int64_t run) {
    return parvis::testing::WaitFor([&] { return runs.Get(run)->state == "done"; }, absl::Seconds(20));
  };
  ASSERT_TRUE(done(id));
  EXPECT_EQ(runs.Get(id)->progress.written, 2000);
  // A feed has no posts: it is mentioned.
  const AccountPtr feed = *world.AddAccount({.network = Network::kFeed, .name = "F"});
  const int64_t mentions = *runs.Start({.plan = {.count = 50}, .accounts = {{Network::kFeed, feed->id}}});
  ASSERT_TRUE(done(mentions));
  EXPECT_EQ(world.Read(Network::kFeed, World::List::kInbox, feed->id, {.limit = 100}).items.size(), 50u);
  // Mastodon's posts have somebody who may see them, where blogs have a state.
  const AccountPtr toots = *world.AddAccount({.network = Network::kMastodon, .name = "M"});
  const NewItem toot{.network = Network::kMastodon, .account = toots->id, .author_id = toots->id, .text = "hello",
                     .status = "public", .by_us = true};
  ASSERT_TRUE(world.Create(toot, {}).ok());
  const int64_t answers = *runs.Start({.plan = {.count = 50}, .accounts = {{Network::kMastodon, toots->id}}});
  ASSERT_TRUE(done(answers));
  EXPECT_EQ(runs.Get(answers)->progress.written, 50);
  request.posts = {{Network::kX, "1"}};
  EXPECT_EQ(runs.Start(request).status().code(), Code::kNotFound);
}

}  // namespace
}  // namespace parvis::sandbox
