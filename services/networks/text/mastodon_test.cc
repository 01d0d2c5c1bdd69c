#include "networks/text/mastodon.h"

#include <gtest/gtest.h>

#include <string>

namespace parvis::networks::text {
namespace {

// The cases of mastodon/mastodon spec/validators/status_length_validator_spec.rb, at a limit of 500.
TEST(MastodonLength, CountsAsTheServerDoes) {
  const std::string b30(30, 'b');
  EXPECT_EQ(MastodonLength(std::string(250, 'a')) + MastodonLength(std::string(251, 'b')), 501);
  EXPECT_EQ(MastodonLength(std::string(520, 'a')), 520);
  EXPECT_EQ(MastodonLength(std::string(476, 'a') + " http://" + b30 + ".com/example"), 500);
  EXPECT_EQ(MastodonLength(std::string(475, 'a') + " @alice@" + b30 + ".com"), 482);
  EXPECT_EQ(MastodonLength("👨‍👩‍👧‍👦 brand.com"), 11);
  EXPECT_EQ(MastodonLength("a@b.com"), 7);
}

}  // namespace
}  // namespace parvis::networks::text
