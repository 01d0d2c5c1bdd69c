// Instagram's webhooks (facts 2.3): comments and mentions, signed and verified as Facebook's are.
#pragma once

#include "sandbox/network/facebook_webhooks.h"

namespace parvis::sandbox {

// Shape "flat": an entry is the change itself, as with Instagram Login; else changes stand in a list.
class InstagramWebhooks : public FacebookWebhooks {
 public:
  bool Tells(const Notice& notice) const override;
  std::string Body(const StyleSettings& settings, const std::vector<Notice>& notices, absl::Time now) const override;
  std::string Odd(const StyleSettings& settings, const Notice& like, absl::Time now) const override;
};

}  // namespace parvis::sandbox
