// What a subscription at a hub needs of secrets, all derived by HMAC-SHA256 from one key, so that none is stored: the
// callback's address, which nobody can make up, and the secret that the hub signs with.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingestion/domain/activity.h"
#include "platform/base/error.h"
#include "platform/base/secret.h"

namespace parvis::ingestion {

class HubKeys {
 public:
  // `public_url`: where hubs reach our webhooks, "https://hooks.brand.example"; the first key is current, the second,
  // if any, the one before. Without keys nothing is subscribed to or taken.
  HubKeys(std::string public_url, std::vector<Secret> keys);
  // Empty address: none. FAILED_PRECONDITION HUB_KEY_MISSING (an address without a key), PUBLIC_URL_INVALID, and of the
  // files.
  static StatusOr<HubKeys> Read(const std::string& public_url, const std::string& key_file,
                                const std::string& previous_key_file);

  bool usable() const { return !keys_.empty(); }
  std::string Address(const std::string& network, const Binding& binding) const;
  Secret SecretOf(const std::string& network, const Binding& binding) const;

  // Whose callback a path is.
  struct Callback {
    std::string network;
    Binding binding;
    std::vector<Secret> secrets;  // that its hub may sign with
  };
  // nullopt for paths that were never given out.
  std::optional<Callback> Parse(std::string_view path) const;
  static bool IsCallback(std::string_view path) { return path.starts_with("/websub/"); }

 private:
  static std::string Derived(const Secret& key, std::string_view what, std::string_view network,
                             const Binding& binding);
  std::string public_url_;
  std::vector<Secret> keys_;
};

}  // namespace parvis::ingestion
