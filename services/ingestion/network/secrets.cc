#include "ingestion/network/secrets.h"

#include <charconv>

namespace parvis::ingestion {
namespace {

Status WithoutSecret(const std::string& network) {
  return MakeError(Code::kFailedPrecondition, "WEBHOOK_SECRET_MISSING",
                   "network \"" + network + "\" has no entry in webhook_secret_files");
}

}  // namespace

StatusOr<std::map<std::string, Webhooks::Secrets>> ReadWebhookSecrets(
    const std::map<std::string, std::string>& current, const std::map<std::string, std::string>& previous,
    const std::map<std::string, std::string>& verify_tokens) {
  std::map<std::string, Webhooks::Secrets> secrets;
  for (const auto& [network, path] : current) {
    PARVIS_ASSIGN_OR_RETURN(Secret secret, ReadSecretFile(path));
    secrets[network].app_secrets.push_back(std::move(secret));
  }
  for (const auto& [network, path] : previous) {
    if (!secrets.contains(network)) return WithoutSecret(network);
    PARVIS_ASSIGN_OR_RETURN(Secret secret, ReadSecretFile(path));
    secrets[network].app_secrets.push_back(std::move(secret));
  }
  for (const auto& [network, path] : verify_tokens) {
    if (!secrets.contains(network)) return WithoutSecret(network);
    PARVIS_ASSIGN_OR_RETURN(secrets[network].verify_token, ReadSecretFile(path));
  }
  return secrets;
}

StatusOr<std::map<std::string, absl::Duration>> ParseSeconds(const std::string& field,
                                                             const std::map<std::string, std::string>& seconds) {
  std::map<std::string, absl::Duration> parsed;
  for (const auto& [network, text] : seconds) {
    int64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 1) {
      return InvalidField(field, "SECONDS", "the value of \"" + network + "\" must be a positive number of seconds");
    }
    parsed[network] = absl::Seconds(value);
  }
  return parsed;
}

StatusOr<WebhookSettings> ReadWebhookSettings(const std::map<std::string, std::string>& current,
                                              const std::map<std::string, std::string>& previous,
                                              const std::map<std::string, std::string>& verify_tokens,
                                              const std::map<std::string, std::string>& replay_max_seconds) {
  WebhookSettings settings;
  PARVIS_ASSIGN_OR_RETURN(settings.secrets, ReadWebhookSecrets(current, previous, verify_tokens));
  PARVIS_ASSIGN_OR_RETURN(settings.replay_max, ParseSeconds("replay_max_seconds", replay_max_seconds));
  settings.replay_max.merge(Receiver::Options().replay_max);  // what is configured stays
  return settings;
}

}  // namespace parvis::ingestion
