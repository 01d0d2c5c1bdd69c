#include "ingestion/network/hub_keys.h"

#include "networks/wire/signature.h"
#include "platform/base/ids.h"

namespace parvis::ingestion {
namespace {

constexpr std::string_view kPrefix = "/websub/";
constexpr size_t kMacMax = 32;  // characters of the address

}  // namespace

HubKeys::HubKeys(std::string public_url, std::vector<Secret> keys)
    : public_url_(std::move(public_url)), keys_(std::move(keys)) {
  while (public_url_.ends_with("/")) public_url_.pop_back();
}

StatusOr<HubKeys> HubKeys::Read(const std::string& public_url, const std::string& key_file,
                                const std::string& previous_key_file) {
  if (public_url.empty()) return HubKeys("", {});
  const bool http = public_url.starts_with("http://") || public_url.starts_with("https://");
  if (!http || public_url.find_first_of("?# ") != std::string::npos) {
    return MakeError(Code::kFailedPrecondition, "PUBLIC_URL_INVALID",
                     "public_url must be an http(s) address without query and fragment");
  }
  if (key_file.empty()) {
    return MakeError(Code::kFailedPrecondition, "HUB_KEY_MISSING", "public_url needs hub_key_file");
  }
  std::vector<Secret> keys(1);
  PARVIS_ASSIGN_OR_RETURN(keys[0], ReadSecretFile(key_file));
  if (!previous_key_file.empty()) {
    PARVIS_ASSIGN_OR_RETURN(Secret previous, ReadSecretFile(previous_key_file));
    keys.push_back(std::move(previous));
  }
  return HubKeys(public_url, std::move(keys));
}

std::string HubKeys::Derived(const Secret& key, std::string_view what, std::string_view network,
                             const Binding& binding) {
  std::string name = "websub/";
  name.append(what).append("/").append(network).append("/").append(binding.workspace_id).append("/");
  name.append(binding.channel_id);
  return networks::ToHex(networks::HmacSha256(key.Reveal(), name));
}

std::string HubKeys::Address(const std::string& network, const Binding& binding) const {
  if (!usable()) return "";
  std::string address = public_url_;
  address.append(kPrefix).append(network).append("/").append(binding.workspace_id).append("/");
  address.append(binding.channel_id).append("/");
  return address + Derived(keys_.front(), "callback", network, binding).substr(0, kMacMax);
}

Secret HubKeys::SecretOf(const std::string& network, const Binding& binding) const {
  return usable() ? Secret(Derived(keys_.front(), "secret", network, binding)) : Secret();
}

std::optional<HubKeys::Callback> HubKeys::Parse(std::string_view path) const {
  if (!IsCallback(path) || path.size() > 300) return std::nullopt;
  path.remove_prefix(kPrefix.size());
  std::vector<std::string> parts;
  while (true) {
    const size_t slash = path.find('/');
    parts.emplace_back(path.substr(0, slash));
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  if (parts.size() != 4 || !IsUuid(parts[1]) || !IsUuid(parts[2])) return std::nullopt;
  Callback callback{.network = parts[0], .binding = {parts[1], parts[2]}, .secrets = {}};
  bool ours = false;
  for (const Secret& key : keys_) {
    const std::string mac = Derived(key, "callback", callback.network, callback.binding).substr(0, kMacMax);
    ours = ConstantTimeEquals(mac, parts[3]) | ours;
    callback.secrets.emplace_back(Derived(key, "secret", callback.network, callback.binding));
  }
  if (!ours) return std::nullopt;
  return callback;
}

}  // namespace parvis::ingestion
