// The secrets of webhooks, from files; and small settings that are maps by network.
#pragma once

#include <map>
#include <string>

#include "ingestion/network/webhooks.h"
#include "platform/base/error.h"

namespace parvis::ingestion {

// A network needs an app secret; previous secret and verify token may be missing. FAILED_PRECONDITION when a file
// cannot be read or a network has another secret but no app secret.
StatusOr<std::map<std::string, Webhooks::Secrets>> ReadWebhookSecrets(
    const std::map<std::string, std::string>& current, const std::map<std::string, std::string>& previous,
    const std::map<std::string, std::string>& verify_tokens);

// {"facebook": "129600"} -> durations. INVALID_ARGUMENT about `field`.
StatusOr<std::map<std::string, absl::Duration>> ParseSeconds(const std::string& field,
                                                             const std::map<std::string, std::string>& seconds);

// What of the webhooks' settings is in files or maps; windows of networks that are not named keep their defaults.
struct WebhookSettings {
  std::map<std::string, Webhooks::Secrets> secrets;
  std::map<std::string, absl::Duration> replay_max;
};
StatusOr<WebhookSettings> ReadWebhookSettings(const std::map<std::string, std::string>& current,
                                              const std::map<std::string, std::string>& previous,
                                              const std::map<std::string, std::string>& verify_tokens,
                                              const std::map<std::string, std::string>& replay_max_seconds);

}  // namespace parvis::ingestion
