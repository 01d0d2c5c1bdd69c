#include "publishing/storage/media_store_pg.h"

#include "publishing/domain/media_store_contract.h"
#include "publishing/domain/posts.h"
#include "publishing/domain/testing/fake_network.h"
#include "publishing/storage/media_conversions_pg.h"
#include "publishing/storage/post_store_pg.h"
#include "publishing/storage/testdata/database.h"

namespace parvis::publishing {
namespace {

class PgFixture : public MediaStoreFixture {
 public:
  PgFixture() {
    Database().Clear();
    Campaign campaign;
    campaign.display_name = "Launch";
    campaign_ = *CreateCampaign(call_, context_, campaign, "");
  }
  MediaStore& media() override { return media_; }
  MediaTrash& trash() override { return trash_; }
  MediaConversions& conversions() override { return conversions_; }
  void NameInPost(const std::string& media_id) override {
    Post post;
    post.campaign_id = campaign_.id;
    post.variants = {Naming(media_id)};
    const auto made = CreatePost(call_, context_, post, "");
    ASSERT_TRUE(made.ok()) << made.status();
    post_ = *made;
  }
  void PublishPost(const std::string&) override {
    post_.state = PostState::kPublished;
    post_ = *posts_.SavePost(call_, post_, {});
  }
  static Variant Naming(const std::string& media_id) {
    Variant variant{kChannel, {.text = "hello"}};
    variant.content.media.emplace_back().media = MediaName(kWorkspace, media_id);
    return variant;
  }

  FakeClock clock_;
  Ids ids_{clock_, 7};
  PgMediaStore media_{Database().api()};
  PgMediaTrash trash_{Database().stream()};
  PgMediaConversions conversions_{Database().stream()};
  PgPostStore posts_{Database().api(), EncodeForTest, nullptr};
  FakeDirectory directory_;
  FakeRules rules_;
  const PostContext context_{posts_, posts_, directory_, rules_, ids_, clock_, {}, &media_};
  const Call call_ = CallOf("writer");
  Campaign campaign_;
  Post post_;
};

INSTANTIATE_TEST_SUITE_P(PostgreSQL, MediaStoreContract, ::testing::Values([]() -> std::unique_ptr<MediaStoreFixture> {
                           return std::make_unique<PgFixture>();
                         }));

TEST(MediaUses, FollowThePost) {
  PgFixture f;
  MediaItem item;
  item.workspace_id = kWorkspace;
  item.id = kOtherChannel;
  item.size_bytes = 1, item.chunk_bytes = 64;
  item.create_time = item.update_time = item.expire_time = f.clock_.WallNow();
  ASSERT_TRUE(f.media_.InsertMedia(f.call_, item, {}).ok());
  f.NameInPost(item.id);
  EXPECT_EQ(ReasonOf(f.media_.DeleteMedia(f.call_, item.id, f.clock_.WallNow())), "MEDIA_IN_USE");
  const auto without = UpdatePost(f.call_, f.context_, {.id = f.post_.id, .variants = std::vector<Variant>{{kChannel, {.text = "plain"}}}});
  ASSERT_TRUE(without.ok()) << without.status();
  EXPECT_EQ(Database().Number("SELECT count(*) FROM media_uses"), 0);
  f.NameInPost(item.id);
  ASSERT_TRUE(DeletePost(f.call_, f.context_, f.post_.id, {}).ok());
  EXPECT_EQ(Database().Number("SELECT count(*) FROM media_uses"), 0);
  EXPECT_TRUE(f.media_.DeleteMedia(f.call_, item.id, f.clock_.WallNow()).ok());
}

TEST(MediaUses, AMediumThatGoesMeanwhileIsMissedByThePost) {
  PgFixture f;
  Post post;
  post.workspace_id = kWorkspace;
  post.id = kOtherChannel;
  post.campaign_id = f.campaign_.id;
  post.variants = {PgFixture::Naming(kChannel)};
  post.create_time = post.update_time = f.clock_.WallNow();
  EXPECT_EQ(ReasonOf(f.posts_.InsertPost(f.call_, post).status()), "MEDIA_GONE");
  EXPECT_EQ(f.posts_.GetPost(f.call_, post.id).status().code(), Code::kNotFound);
}

}  // namespace
}  // namespace parvis::publishing
