// Public addresses of media: what they are good for, and that nothing else opens anything.
#include "publishing/domain/fetch_media.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "publishing/domain/testing/media_fixture.h"

namespace parvis::publishing {
namespace {

const MediaRef kOne{kWorkspace, kChannel}, kAnother{kWorkspace, kOtherChannel}, kForeign{kOtherWorkspace, kChannel};

// What an address says behind the '?'.
struct Parts {
  std::string path;
  int64_t expires = 0;
  std::string signature;
};
Parts PartsOf(const std::string& address) {
  Parts parts;
  const size_t query = address.find("?expires="), signature = address.find("&signature=");
  EXPECT_NE(query, std::string::npos) << address;
  EXPECT_NE(signature, std::string::npos) << address;
  parts.path = address.substr(0, query);
  parts.expires = std::stoll(address.substr(query + 9, signature - query - 9));
  parts.signature = address.substr(signature + 11);
  return parts;
}

class MediaAddressesTest : public ::testing::Test {
 protected:
  MediaAddresses With(std::vector<std::string> keys) {
    std::vector<Secret> secrets;
    for (std::string& key : keys) secrets.emplace_back(std::move(key));
    return MediaAddresses("https://media.brand.example/", std::move(secrets), absl::Hours(1), clock_);
  }
  FakeClock clock_;
};

TEST_F(MediaAddressesTest, NameTheMediumAndWhenTheyExpire) {
  const Parts parts = PartsOf(With({"key"}).Of(kOne));
  EXPECT_EQ(parts.path, std::string("https://media.brand.example/media/") + kWorkspace + "/" + kChannel);
  EXPECT_EQ(parts.expires, absl::ToUnixSeconds(clock_.WallNow()) + 3600);
  EXPECT_EQ(parts.signature.size(), 43u) << "32 bytes in base64url";
  EXPECT_EQ(parts.signature.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), std::string::npos);
}

// Computed once with Python's hmac and base64.urlsafe_b64encode.
TEST_F(MediaAddressesTest, TheSignatureIsAnHmacSha256) {
  const MediaRef media{"0190a0b1-0000-7000-8000-000000000001", "0190a0b1-0000-7000-8000-00000000c001"};
  EXPECT_TRUE(With({"key"}).Verify(media, 1'800'003'600, "1Yue110R1mvNGHTHThE2qvWkhtnA_6T8v6_AI34AsjI"));
}

TEST_F(MediaAddressesTest, AreGoodForOneMediumUntilTheyExpire) {
  const MediaAddresses addresses = With({"key"});
  const Parts parts = PartsOf(addresses.Of(kOne));
  EXPECT_TRUE(addresses.Verify(kOne, parts.expires, parts.signature));
  EXPECT_FALSE(addresses.Verify(kAnother, parts.expires, parts.signature));
  EXPECT_FALSE(addresses.Verify(kForeign, parts.expires, parts.signature));
  EXPECT_FALSE(addresses.Verify(kOne, parts.expires + 1, parts.signature)) << "nobody prolongs it";
  clock_.Advance(absl::Minutes(59));
  EXPECT_TRUE(addresses.Verify(kOne, parts.expires, parts.signature));
  clock_.Advance(absl::Minutes(1));
  EXPECT_FALSE(addresses.Verify(kOne, parts.expires, parts.signature));
}

TEST_F(MediaAddressesTest, TheKeyBeforeTheLastRotationIsTakenToo) {
  const Parts parts = PartsOf(With({"old"}).Of(kOne));
  EXPECT_TRUE(With({"new", "old"}).Verify(kOne, parts.expires, parts.signature));
  EXPECT_FALSE(With({"new"}).Verify(kOne, parts.expires, parts.signature));
  EXPECT_NE(PartsOf(With({"new", "old"}).Of(kOne)).signature, parts.signature) << "the current one signs";
}

TEST_F(MediaAddressesTest, WhatIsMalformedIsNoSignature) {
  const MediaAddresses addresses = With({"key"});
  const Parts parts = PartsOf(addresses.Of(kOne));
  std::string other = parts.signature;
  other[0] = other[0] == 'A' ? 'B' : 'A';
  for (const std::string& wrong : {std::string(), parts.signature + "A", parts.signature.substr(1), parts.signature + "=", other,
                                   std::string(43, 'A'), std::string("\0", 1), std::string(1 << 16, 'x')}) {
    EXPECT_FALSE(addresses.Verify(kOne, parts.expires, wrong)) << wrong.substr(0, 50);
  }
  EXPECT_FALSE(addresses.Verify(kOne, -1, parts.signature));
  EXPECT_FALSE(With({}).Verify(kOne, parts.expires, parts.signature));
}

TEST_F(MediaAddressesTest, AreReadFromTheSettings) {
  const auto none = MediaAddresses::Read({}, clock_);
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->usable());
  EXPECT_EQ(none->Of(kOne), "");
  EXPECT_EQ(ReasonOf(MediaAddresses::Read({.public_url = "https://media.example"}, clock_).status()), "MEDIA_KEY_MISSING");
  EXPECT_EQ(ReasonOf(MediaAddresses::Read({.public_url = "media.example", .key_file = "k"}, clock_).status()), "PUBLIC_URL_INVALID");
  EXPECT_EQ(ReasonOf(MediaAddresses::Read({.public_url = "https://media.example?a", .key_file = "k"}, clock_).status()),
            "PUBLIC_URL_INVALID");
  EXPECT_EQ(ReasonOf(MediaAddresses::Read({.public_url = "https://media.example", .key_file = "/no/such/file"}, clock_).status()),
            "SECRET_FILE_UNREADABLE");
}

class FetchMediaTest : public MediaFixture {
 protected:
  FetchMediaTest() {
    observer_.fetched = [this](const std::string& outcome, int64_t bytes) { ++outcomes_[outcome], bytes_ += bytes; };
  }
  MediaFetch Asked(const MediaItem& item, int64_t offset = 0, int64_t length = kPieceBytesMax) {
    const Parts parts = PartsOf(addresses_.Of({item.workspace_id, item.id}));
    return {MediaName(item.workspace_id, item.id), parts.expires, parts.signature, offset, length};
  }
  StatusOr<MediaPiece> Fetch(const MediaFetch& asked) { return FetchMedia(nobody_, fetching_, asked); }

  const Call nobody_ = [] {
    Call call;
    call.deadline = Instant::Max();
    return call;
  }();
  const MediaAddresses addresses_{"https://media.brand.example", {Secret("key")}, absl::Hours(1), clock_};
  MediaObserver observer_;
  std::map<std::string, int> outcomes_;
  int64_t bytes_ = 0;
  const FetchContext fetching_{media_, blobs_, addresses_, observer_};
};

TEST_F(FetchMediaTest, WhoHasTheAddressGetsThePieces) {
  const std::string picture = Picture();
  const MediaItem item = Finished(picture);
  const auto known = Fetch(Asked(item, 0, 0));
  ASSERT_TRUE(known.ok()) << known.status();
  EXPECT_EQ(known->type, "image/png");
  EXPECT_EQ(known->size_bytes, 150);
  EXPECT_EQ(known->sha256, item.sha256);
  EXPECT_EQ(known->content, "");
  EXPECT_EQ(Fetch(Asked(item))->content, picture);
  EXPECT_EQ(Fetch(Asked(item, 60, 10))->content, picture.substr(60, 10)) << "over the end of a chunk";
  EXPECT_EQ(Fetch(Asked(item, 140, 100))->content, picture.substr(140));
  EXPECT_EQ(Fetch(Asked(item, 150, 1))->content, "");
  EXPECT_EQ(Fetch(Asked(item, -1, 10))->content, "");
  EXPECT_EQ(outcomes_, (std::map<std::string, int>{{"ok", 6}}));
  EXPECT_EQ(bytes_, 150 + 10 + 10);
}

TEST_F(FetchMediaTest, APieceIsBounded) {
  std::string large = "video/mp4 50x50\n";
  large.resize(kPieceBytesMax + 1000, 'v');
  EXPECT_EQ(static_cast<int64_t>(Fetch(Asked(Finished(large), 0, int64_t{1} << 40))->content.size()), kPieceBytesMax);
}

// One answer for everything, before and behind the signature.
TEST_F(FetchMediaTest, AllElseIsNotThere) {
  const MediaItem item = Finished(Picture());
  std::set<std::string> answers;
  const auto refused = [&](const MediaFetch& asked, const char* why) {
    const auto got = Fetch(asked);
    EXPECT_EQ(got.status().code(), Code::kNotFound) << why;
    answers.insert(std::string(got.status().message()) + ToError(got.status()).reason);
  };
  MediaFetch asked = Asked(item);
  asked.signature[3] = asked.signature[3] == 'x' ? 'y' : 'x';
  refused(asked, "another signature");
  asked = Asked(item);
  asked.name = "media/1";
  refused(asked, "no name of a medium");
  asked.name = MediaName(kOtherWorkspace, item.id);
  refused(asked, "another workspace");
  const MediaItem other = Finished(Picture() + "other");
  asked.name = MediaName(other.workspace_id, other.id);
  refused(asked, "another medium");
  asked = Asked(item);
  clock_.Advance(absl::Hours(1));
  refused(asked, "expired");
  EXPECT_TRUE(Fetch(Asked(item)).ok());
  refused(Asked(Uploaded(Picture())), "not finished");
  const MediaItem text = Finished("text");
  ASSERT_EQ(text.state, MediaState::kRefused);
  refused(Asked(text), "refused");
  MediaItem unknown = item;
  unknown.id = kOtherChannel;
  refused(Asked(unknown), "never there");
  MediaItem foreign = item;
  foreign.workspace_id = kOtherWorkspace;
  refused(Asked(foreign), "signed, but of another workspace");
  ASSERT_TRUE(media_.DeleteMedia(call_, item.id, clock_.WallNow()).ok());
  refused(Asked(item), "deleted");
  EXPECT_EQ(answers.size(), 1u);
  EXPECT_EQ(outcomes_["NOT_FOUND"], 10);
}

TEST_F(FetchMediaTest, WhatMayPassIsSaid) {
  const MediaFetch asked = Asked(Finished(Picture()));
  blobs_.down = MakeError(Code::kUnavailable, "BLOB_STORE_AWAY", "away");
  EXPECT_EQ(Fetch(asked).status().code(), Code::kUnavailable);
  MediaFetch forged = asked;
  forged.signature = "x";
  EXPECT_EQ(Fetch(forged).status().code(), Code::kNotFound) << "who cannot sign learns nothing of it";
}

}  // namespace
}  // namespace parvis::publishing
