// Discourse's webhooks (facts 9): one event a call, its kind in the headers.
#pragma once

#include "sandbox/network/style.h"

namespace parvis::sandbox {

class DiscourseWebhooks : public WebhookStyle {
 public:
  bool Tells(const Notice& notice) const override;
  bool Together(const StyleSettings& settings, const Notice& first, const Notice& next) const override;
  std::string Body(const StyleSettings& settings, const std::vector<Notice>& notices, absl::Time now) const override;
  std::string Odd(const StyleSettings& settings, const Notice& like, absl::Time now) const override;
  void Dress(const StyleSettings& settings, const std::string& body, const Notice& like,
             net::Headers* headers) const override;
  std::optional<Challenge> MakeChallenge(const StyleSettings& settings, Rng& rng) const override;
  bool Answered(const std::string& expected, const std::string& body) const override;
  int attempts_max() const override { return 5; }  // with the site's setting on: four times more
};

}  // namespace parvis::sandbox
