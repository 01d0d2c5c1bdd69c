// LinkedIn's organisation social action notifications (facts 5.4, 0.1). Shape "short": generatedActivity names the
// comment as urn:li:comment:(activity:A,M), as one captured body does, instead of urn:li:comment:(urn:li:activity:A,M).
#pragma once

#include "sandbox/network/style.h"

namespace parvis::sandbox {

class LinkedinWebhooks : public WebhookStyle {
 public:
  bool Tells(const Notice& notice) const override;
  bool Together(const StyleSettings& settings, const Notice& first, const Notice& next) const override;
  std::string Body(const StyleSettings& settings, const std::vector<Notice>& notices, absl::Time now) const override;
  std::string Odd(const StyleSettings& settings, const Notice& like, absl::Time now) const override;
  void Dress(const StyleSettings& settings, const std::string& body, const Notice& like,
             net::Headers* headers) const override;
  std::optional<Challenge> MakeChallenge(const StyleSettings& settings, Rng& rng) const override;
  bool Answered(const std::string& expected, const std::string& body) const override;
  int attempts_max() const override { return 96; }  // every five minutes for eight hours
  int batch_max() const override { return 10; }
  bool Acknowledges(int http_status) const override { return http_status / 100 == 2; }
};

}  // namespace parvis::sandbox
