// The nouns of accounts. Ids are UUIDs in canonical text.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <absl/time/time.h>

#include "platform/base/call.h"
#include "platform/base/secret.h"

namespace parvis::accounts {

struct Organization {
  std::string id;
  std::string display_name;
  absl::Time create_time;
};

struct Workspace {
  std::string id;
  std::string organization_id;
  std::string display_name;
  std::string time_zone;  // IANA
  int64_t version = 1;    // the etag
  absl::Time create_time, update_time;
};

struct Member {
  std::string id;
  std::string workspace_id;
  std::string display_name;
  std::string email;  // as written; unique in the workspace without regard to case
  std::set<Role> roles;
  int64_t version = 1;  // the etag
  absl::Time create_time, update_time;
};

struct ApiKey {
  std::string id;
  std::string workspace_id;
  std::string member_id;
  std::string display_name;
  std::set<Role> roles;
  absl::Time create_time;
  std::optional<absl::Time> expire_time, revoke_time;
};

enum class ChannelState { kConnected, kBroken, kDisconnected };

struct Channel {
  std::string id;
  std::string workspace_id;
  std::string network;
  std::string remote_id;  // the network's id of the account
  std::string base_url;   // of the network's API for this account
  std::string display_name, handle, url;
  ChannelState state = ChannelState::kConnected;
  std::string state_reason, state_message;  // why it is broken
  int64_t credentials_version = 1;
  absl::Time create_time, update_time;
  // Of what the connector uses; nullopt: not by time, or not known.
  std::optional<absl::Time> credentials_expire_time;
  std::optional<absl::Time> refresh_time;  // when they are to be refreshed; nullopt: that cannot be done
};

// What the network wants to know; by field name.
using CredentialFields = std::map<std::string, Secret>;

// Credentials that a network gave, and for how long.
struct Tokens {
  CredentialFields credentials;
  std::optional<absl::Time> expire_time;
  bool refreshable = false;  // there is what a refresh needs
};

// A page of a list that is ordered by id: what comes after `after` ("" = from the start), at most `limit`.
struct Page {
  std::string after;
  int limit = 100;
};

// AIP-155: what makes a creation repeatable. The store keeps (scope, method, request_id) -> the id of what was made, in
// the transaction that made it.
struct Request {
  std::string request_id;   // UUID; "" = not repeatable
  std::string method;       // "CreateMember"
  std::string fingerprint;  // of the request's content: the same id with another content is refused
};

// What a store's creation did: made `id` now, or found that this request had made it before.
struct Created {
  std::string id;
  bool replayed = false;
};

}  // namespace parvis::accounts
