// The stores on a real PostgreSQL, and what only that can show: row-level security and sealed bytes.
#include <gtest/gtest.h>

#include <thread>

#include "accounts/domain/store_contract.h"
#include "accounts/storage/testdata/pg_backend.h"

namespace parvis::accounts {
namespace {

constexpr char kNewKey[] = "k2 HxgZGhscHR4fICEiIyQlJicoKSorLC0uLzAxMjM0NTY=\n";

INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, StoreContract, PgBackend);

class PgStoresTest : public StoreContract<PgBackend> {};

TEST_F(PgStoresTest, CredentialsAreSealedAndBoundToTheirChannel) {
  std::string workspace = NewWorkspace();
  Channel one = AChannel(workspace, "111"), two = AChannel(workspace, "222");
  ASSERT_TRUE(s_.channels.Connect(In(workspace), one, Token("very-secret-token"), {}).ok());
  ASSERT_TRUE(s_.channels.Connect(In(workspace), two, Token("other"), {}).ok());
  EXPECT_EQ(backend_.db.Number("SELECT count(*) FROM channels WHERE position('very-secret'::bytea in credentials) > 0"),
            0);
  backend_.db.Script(
      "UPDATE channels SET credentials = (SELECT credentials FROM channels WHERE remote_id = '111') "
      "WHERE remote_id = '222'");
  EXPECT_EQ(ReasonOf(s_.directory.OpenCredentials(In(workspace), two.id).status()), "CREDENTIALS_UNREADABLE");
  EXPECT_TRUE(s_.directory.OpenCredentials(In(workspace), one.id).ok());
}

TEST_F(PgStoresTest, ResealMovesEverythingToTheCurrentKey) {
  std::string workspace = NewWorkspace();
  std::vector<Channel> channels;
  for (int i = 0; i < 5; ++i) {
    channels.push_back(AChannel(workspace, std::to_string(i)));
    ASSERT_TRUE(s_.channels.Connect(In(workspace), channels.back(), Token("t" + std::to_string(i)), {}).ok());
  }
  Sealer rotated = *Sealer::FromText(std::string(kNewKey) + kOldKey);
  PgChannelStore after(backend_.db.api(), backend_.db.stream(), rotated);
  EXPECT_EQ(*after.Reseal(In(""), 3), 3);
  EXPECT_EQ(*after.Reseal(In(""), 3), 2);
  EXPECT_EQ(*after.Reseal(In(""), 3), 0);
  Sealer only_new = *Sealer::FromText(kNewKey);
  PgChannelStore last(backend_.db.api(), backend_.db.stream(), only_new);
  for (int i = 0; i < 5; ++i) {
    auto opened = last.OpenCredentials(In(workspace), channels[i].id);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(opened->credentials.at("access_token").Reveal(), "t" + std::to_string(i));
  }
}

TEST_F(PgStoresTest, TheApiRoleSeesNoRowWithoutAWorkspace) {
  std::string workspace = NewWorkspace();
  NewMember(workspace, {Role::kOwner}, "o@x.example");
  int64_t seen = -1;
  ASSERT_TRUE(backend_.db.api()
                  .Run(In(""),
                       [&](db::Tx& tx) -> Status {
                         PARVIS_ASSIGN_OR_RETURN(db::Rows rows, tx.Query("SELECT count(*) FROM members"));
                         seen = rows.Int(0, 0);
                         return absl::OkStatus();
                       })
                  .ok());
  EXPECT_EQ(seen, 0);
  std::string other = NewWorkspace();
  Status into_another = backend_.db.api().Run(In(other), [&](db::Tx& tx) -> Status {
    return tx.Exec("UPDATE members SET workspace_id = $1", {other}).status();
  });
  EXPECT_TRUE(into_another.ok());
  EXPECT_EQ(backend_.db.Number("SELECT count(*) FROM members WHERE roles = '{owner}'"), 1);
}

TEST_F(PgStoresTest, TwoOwnersCannotLeaveAtOnce) {
  std::string workspace = NewWorkspace();
  Member a = NewMember(workspace, {Role::kOwner}, "a@x.example"),
         b = NewMember(workspace, {Role::kOwner}, "b@x.example");
  Status left[2];
  std::thread other([&] { left[0] = s_.members.DeleteMember(In(workspace), a.id, 0, now_); });
  left[1] = s_.members.DeleteMember(In(workspace), b.id, 0, now_);
  other.join();
  EXPECT_NE(left[0].ok(), left[1].ok());
  EXPECT_EQ(ReasonOf(left[0].ok() ? left[1] : left[0]), "LAST_OWNER");
}

TEST_F(PgStoresTest, OneRequestSentTwiceAtOnceMakesOneMember) {
  std::string workspace = NewWorkspace();
  Request request = ARequest("CreateMember");
  Member wanted{ids_.New(), workspace, "A", "a@x.example", {Role::kOwner}, 1, now_, now_};
  StatusOr<Created> made[2] = {Created{}, Created{}};
  std::thread other([&] { made[0] = s_.members.InsertMember(In(workspace), wanted, request); });
  Member again = wanted;
  again.id = ids_.New();
  made[1] = s_.members.InsertMember(In(workspace), again, request);
  other.join();
  ASSERT_TRUE(made[0].ok()) << made[0].status();
  ASSERT_TRUE(made[1].ok()) << made[1].status();
  EXPECT_EQ(made[0]->id, made[1]->id);
  EXPECT_NE(made[0]->replayed, made[1]->replayed);
}

TEST(SealerTest, KeyFilesAreJudgedLineByLine) {
  EXPECT_EQ(ReasonOf(Sealer::FromText("").status()), "SEAL_KEYS");
  EXPECT_EQ(ReasonOf(Sealer::FromText("k1 dG9vIHNob3J0\n").status()), "SEAL_KEYS");
  EXPECT_EQ(ReasonOf(Sealer::FromText("no-space\n").status()), "SEAL_KEYS");
  EXPECT_EQ(ReasonOf(Sealer::FromText(std::string(kOldKey) + kOldKey).status()), "SEAL_KEYS");
  EXPECT_EQ(ReasonOf(Sealer::FromFile("/nonexistent/keys").status()), "SECRET_FILE_UNREADABLE");
  auto sealer = Sealer::FromText(std::string("# comment\n\n") + kNewKey + kOldKey);
  ASSERT_TRUE(sealer.ok()) << sealer.status();
  EXPECT_EQ(sealer->current_key_id(), "k2");
  EXPECT_EQ(ToError(Sealer::FromText("k1 secretsecret\n").status()).message.find("secret"), std::string::npos);
}

TEST(SealerTest, OpensOnlyWhatItSealedForThisPlace) {
  Sealer sealer = *Sealer::FromText(kOldKey);
  auto sealed = sealer.Seal("w|c", Secret("token"));
  ASSERT_TRUE(sealed.ok());
  EXPECT_EQ(sealer.Open("w|c", "k1", sealed->bytes)->Reveal(), "token");
  EXPECT_NE(sealer.Seal("w|c", Secret("token"))->bytes, sealed->bytes) << "a nonce of its own every time";
  EXPECT_FALSE(sealer.Open("w|d", "k1", sealed->bytes).ok());
  EXPECT_FALSE(sealer.Open("w|c", "k9", sealed->bytes).ok());
  for (size_t i = 0; i < sealed->bytes.size(); ++i) {
    std::string changed = sealed->bytes;
    changed[i] ^= 1;
    EXPECT_FALSE(sealer.Open("w|c", "k1", changed).ok()) << i;
    EXPECT_FALSE(sealer.Open("w|c", "k1", sealed->bytes.substr(0, i)).ok()) << i;
  }
}

}  // namespace
}  // namespace parvis::accounts
