// What the hub of /feed sends its subscribers (W3C WebSub): RSS of what is new or changed, whichever format was subscribed to,
// signed with the subscription's secret. Shape: the signature's method, "sha256" by default. A removal is in no feed.
#pragma once

#include "sandbox/network/style.h"

namespace parvis::sandbox {

class FeedWebhooks : public WebhookStyle {
 public:
  bool Tells(const Notice& notice) const override;
  bool Together(const StyleSettings& settings, const Notice& first, const Notice& next) const override;
  std::string Body(const StyleSettings& settings, const std::vector<Notice>& notices, absl::Time now) const override;
  std::string Odd(const StyleSettings& settings, const Notice& like, absl::Time now) const override;
  void Dress(const StyleSettings& settings, const std::string& body, const Notice& like,
             net::Headers* headers) const override;
  std::optional<Challenge> MakeChallenge(const StyleSettings& settings, Rng& rng) const override;
  bool Answered(const std::string& expected, const std::string& body) const override;
  bool per_account() const override { return true; }
  int attempts_max() const override { return 6; }  // a number of ours
  bool Acknowledges(int http_status) const override { return http_status / 100 == 2; }
};

}  // namespace parvis::sandbox
