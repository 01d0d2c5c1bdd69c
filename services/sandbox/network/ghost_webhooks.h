// Ghost's webhooks: one event a call, of posts alone; there are none of comments.
#pragma once

#include "sandbox/network/style.h"

namespace parvis::sandbox {

class GhostWebhooks : public WebhookStyle {
 public:
  bool Tells(const Notice& notice) const override;
  bool Together(const StyleSettings& settings, const Notice& first, const Notice& next) const override;
  std::string Body(const StyleSettings& settings, const std::vector<Notice>& notices, absl::Time now) const override;
  std::string Odd(const StyleSettings& settings, const Notice& like, absl::Time now) const override;
  void Dress(const StyleSettings& settings, const std::string& body, const Notice& like,
             net::Headers* headers) const override;
  std::optional<Challenge> MakeChallenge(const StyleSettings& settings, Rng& rng) const override;
  bool Answered(const std::string& expected, const std::string& body) const override;
  int attempts_max() const override { return 6; }  // the first and five more
  bool Acknowledges(int http_status) const override { return http_status >= 200 && http_status < 300; }
};

}  // namespace parvis::sandbox
