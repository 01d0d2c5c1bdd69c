// Facebook's webhooks (facts 1.5: entries and changes).
#pragma once

#include "sandbox/network/style.h"

namespace parvis::sandbox {

class FacebookWebhooks : public WebhookStyle {
 public:
  bool Tells(const Notice& notice) const override;
  bool Together(const StyleSettings& settings, const Notice& first, const Notice& next) const override;
  std::string Body(const StyleSettings& settings, const std::vector<Notice>& notices, absl::Time now) const override;
  std::string Odd(const StyleSettings& settings, const Notice& like, absl::Time now) const override;
  void Dress(const StyleSettings& settings, const std::string& body, const Notice& like,
             net::Headers* headers) const override;
  std::optional<Challenge> MakeChallenge(const StyleSettings& settings, Rng& rng) const override;
  bool Answered(const std::string& expected, const std::string& body) const override;
};

}  // namespace parvis::sandbox
