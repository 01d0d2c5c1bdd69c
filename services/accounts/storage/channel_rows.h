// How a channel and its credentials look in the table `channels`.
#pragma once

#include <string>
#include <string_view>

#include "accounts/domain/types.h"
#include "platform/db/pool.h"

namespace parvis::accounts {

#define CHANNEL_COLUMNS                                                                                      \
  "workspace_id, channel_id, network, remote_id, base_url, display_name, handle, url, state, state_reason, " \
  "state_message, credentials_version, create_time, update_time, credentials_expire_time, refresh_time"
inline constexpr int kChannelColumns = 16;

// New credentials, however they came: nobody is refreshing them.
#define REFRESH_RESET "refresh_holder = NULL, refresh_lease_time = NULL, refresh_use_time = NULL, refresh_failures = 0"

Channel ToChannel(const db::Rows& rows, int row);
const char* StateName(ChannelState state);  // "connected"
ChannelState StateFromName(std::string_view name);

// Credentials as one text, to be sealed: per field a 4-byte big-endian length and the bytes, names and values in turn.
Secret PackCredentials(const CredentialFields& credentials);
StatusOr<CredentialFields> UnpackCredentials(const Secret& packed);

// What sealed credentials are bound to.
std::string SealedFor(std::string_view workspace_id, std::string_view channel_id);

}  // namespace parvis::accounts
