// Sign-ins and refreshes on a real PostgreSQL, and what only that can show: sealed bytes, and two replicas.
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "accounts/domain/sign_in_contract.h"
#include "accounts/storage/testdata/pg_backend.h"

namespace parvis::accounts {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, SignInContract, PgBackend);

class PgSignInTest : public SignInContract<PgBackend> {};

TEST_F(PgSignInTest, NothingSecretStandsInTheTable) {
  const std::string workspace = NewWorkspace();
  ASSERT_TRUE(s_.sign_ins.InsertSignIn(In(workspace), APending(workspace, "one"), 5).ok());
  for (const char* secret : {"the-verifier", "the-secret"}) {
    EXPECT_EQ(backend_.db.Number("SELECT count(*) FROM sign_ins WHERE position('" + std::string(secret) +
                                 "'::bytea in secrets) > 0 OR sign_ins::text LIKE '%" + secret + "%'"),
              0);
  }
  ASSERT_TRUE(s_.sign_ins.InsertSignIn(In(workspace), APending(workspace, "two"), 5).ok());
  backend_.db.Script("UPDATE sign_ins a SET secrets = b.secrets FROM sign_ins b WHERE a.state_hash <> b.state_hash");
  EXPECT_EQ(ReasonOf(Take(workspace, APending(workspace, "one"), now_).status()), "CREDENTIALS_UNREADABLE");
}

// A network that hands out a new refresh token for each, once, and takes its time.
class OnceGate : public SignInGate {
 public:
  std::optional<Traits> Find(const std::string&) const override { return Traits{false, true, {}, {}}; }
  StatusOr<Begun> Begin(const Call&, const std::string&, const std::string&, const std::string&, const Secret&,
                        const Secret&) override {
    return Begun();
  }
  StatusOr<std::vector<Account>> Complete(const Call&, const std::string&, const std::string&, const std::string&,
                                          const CredentialFields&, const Secret&, const Secret&) override {
    return std::vector<Account>();
  }
  StatusOr<Tokens> Open(const Call&, const std::string&, const std::string&, const CredentialFields&) override {
    return Tokens();
  }
  Refreshed Refresh(const Call&, const std::string&, const std::string&, const CredentialFields& given) override {
    const std::lock_guard lock(mutex_);
    const std::string token = given.at("refresh_token").Reveal();
    if (!used_.insert(token).second) return {End::kRefused, MakeError(Code::kUnauthenticated, "TOKEN_EXPIRED", ""), {}};
    return {End::kRefreshed,
            absl::OkStatus(),
            {{{"access_token", Secret("a")}, {"refresh_token", Secret(token + "'")}}, absl::InfiniteFuture(), false}};
  }
  size_t used() {
    const std::lock_guard lock(mutex_);
    return used_.size();
  }

 private:
  std::mutex mutex_;
  std::set<std::string> used_;
};

TEST_F(PgSignInTest, ThreeReplicasAtOnceRefreshEveryChannelOnce) {
  const std::string workspace = NewWorkspace();
  std::vector<std::string> ids;
  for (int i = 0; i < 30; ++i) {
    Channel channel = AChannel(workspace, std::to_string(i));
    channel.refresh_time = absl::UnixEpoch();
    ids.push_back(channel.id);
    ASSERT_TRUE(s_.channels.Connect(In(workspace), channel, Tokens(std::to_string(i)), {}).ok());
  }
  OnceGate gate;
  RealClock clock;
  RefreshOptions options;
  options.batch = 4;
  std::atomic<int> refreshed = 0, otherwise = 0;
  std::vector<std::thread> replicas;
  for (int r = 0; r < 3; ++r) {
    replicas.emplace_back([&, r] {
      Refreshes rounds(
          s_.refreshes, gate, options, "replica" + std::to_string(r), clock, [](absl::Duration) { return true; },
          [&](const Channel&, RefreshResult result, const Status&) {
            ++(result == RefreshResult::kRefreshed ? refreshed : otherwise);
          });
      for (StatusOr<int> claimed = 1; claimed.ok() && *claimed > 0;) claimed = rounds.Round();
    });
  }
  for (std::thread& replica : replicas) replica.join();
  EXPECT_EQ(refreshed, 30);
  EXPECT_EQ(otherwise, 0);
  EXPECT_EQ(gate.used(), 30u);
  for (size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(s_.directory.OpenCredentials(In(workspace), ids[i])->credentials.at("refresh_token").Reveal(),
              "r-" + std::to_string(i) + "'");
  }
}

}  // namespace
}  // namespace parvis::accounts
