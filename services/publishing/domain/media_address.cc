#include "publishing/domain/media_address.h"

#include <absl/strings/escaping.h>
#include <sodium.h>

namespace parvis::publishing {
namespace {

// What is signed begins with a word of its own: whatever else a key may once sign is no address.
std::string SignatureOf(const Secret& key, const MediaRef& media, int64_t expires) {
  const std::string text = "media-address/" + media.workspace_id + "/" + media.id + "/" + std::to_string(expires);
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(key.Reveal().data()), key.size());
  crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  unsigned char mac[crypto_auth_hmacsha256_BYTES];
  crypto_auth_hmacsha256_final(&state, mac);
  sodium_memzero(&state, sizeof state);   // as good as the key
  return absl::WebSafeBase64Escape(absl::string_view(reinterpret_cast<const char*>(mac), sizeof mac));
}

}  // namespace

MediaAddresses::MediaAddresses(std::string public_url, std::vector<Secret> keys, absl::Duration valid, const Clock& clock)
    : public_url_(std::move(public_url)), keys_(std::move(keys)), valid_(valid), clock_(clock) {
  while (public_url_.ends_with("/")) public_url_.pop_back();
}

StatusOr<MediaAddresses> MediaAddresses::Read(const MediaAddressSettings& settings, const Clock& clock) {
  const std::string& url = settings.public_url;
  if (url.empty()) return MediaAddresses("", {}, settings.valid, clock);
  const bool http = url.starts_with("http://") || url.starts_with("https://");
  if (!http || url.find_first_of("?# ") != std::string::npos) {
    return MakeError(Code::kFailedPrecondition, "PUBLIC_URL_INVALID",
                     "media_public_url must be an http(s) address without query and fragment");
  }
  if (settings.key_file.empty()) {
    return MakeError(Code::kFailedPrecondition, "MEDIA_KEY_MISSING", "media_public_url needs media_address_key_file");
  }
  std::vector<Secret> keys(1);
  PARVIS_ASSIGN_OR_RETURN(keys[0], ReadSecretFile(settings.key_file));
  if (!settings.previous_key_file.empty()) {
    PARVIS_ASSIGN_OR_RETURN(Secret previous, ReadSecretFile(settings.previous_key_file));
    keys.push_back(std::move(previous));
  }
  return MediaAddresses(url, std::move(keys), settings.valid, clock);
}

std::string MediaAddresses::Of(const MediaRef& media) const {
  if (!usable()) return "";
  const int64_t expires = absl::ToUnixSeconds(clock_.WallNow() + valid_);
  return public_url_ + "/media/" + media.workspace_id + "/" + media.id + "?expires=" + std::to_string(expires) +
         "&signature=" + SignatureOf(keys_.front(), media, expires);
}

// All keys are tried, so that the time tells nothing.
bool MediaAddresses::Verify(const MediaRef& media, int64_t expires, std::string_view signature) const {
  bool ours = false;
  for (const Secret& key : keys_) ours = ConstantTimeEquals(SignatureOf(key, media, expires), signature) | ours;
  return ours && absl::ToUnixSeconds(clock_.WallNow()) < expires;
}

}  // namespace parvis::publishing
