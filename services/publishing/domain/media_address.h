// Public addresses of kept media, for networks that fetch what a post shows: signed, and good for a while.
//
//   <public url>/media/<workspace>/<media>?expires=<seconds since 1970>&signature=<base64url of an HMAC-SHA256>
//
// Whoever has one gets the medium, so it is handed to the network alone, and kept nowhere.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/secret.h"
#include "publishing/domain/media_item.h"

namespace parvis::publishing {

struct MediaAddressSettings {
  std::string public_url;   // where the internet reaches the gateway: "https://media.brand.example"; "" = no addresses
  std::string key_file, previous_key_file;
  absl::Duration valid = absl::Hours(1);
};

// Thread-safe.
class MediaAddresses {
 public:
  // The first key is current, the second, if any, the one before. Without keys there are no addresses. `clock` outlives it.
  MediaAddresses(std::string public_url, std::vector<Secret> keys, absl::Duration valid, const Clock& clock);
  // FAILED_PRECONDITION MEDIA_KEY_MISSING (an address without a key), PUBLIC_URL_INVALID, and of the files.
  static StatusOr<MediaAddresses> Read(const MediaAddressSettings& settings, const Clock& clock);

  bool usable() const { return !keys_.empty(); }
  // Good from now on for the time that was set; "" when there are none.
  std::string Of(const MediaRef& media) const;
  // Whether Of gave it out, here or in another replica, and it has not expired.
  bool Verify(const MediaRef& media, int64_t expires, std::string_view signature) const;

 private:
  std::string public_url_;
  std::vector<Secret> keys_;
  absl::Duration valid_;
  const Clock& clock_;
};

}  // namespace parvis::publishing
