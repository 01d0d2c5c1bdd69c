// The nature of each simulated network, as far as state and audience depend on it: how ids look, what a thread is, what people
// can do there. A network is one row of the table in nature.cc; nothing else in domain/ knows networks by name.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/time/time.h>

#include "sandbox/domain/model.h"

namespace parvis::sandbox {

// What an id is made of. `number` grows by one with every id of the sandbox; `snowflake` are milliseconds shifted by 16 bits
// and made unique; `author` has been through Nature::person_id.
struct IdSeed {
  Item::Kind kind = Item::Kind::kPost;
  std::string_view account, author, post, parent;   // ids; post and parent are "" for posts
  std::string_view media;                           // as in Item: content type, or ids of what is attached
  int64_t number = 0, snowflake = 0;
  absl::Time now;
};

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Nature {
  Network network = Network::kFacebook;
  std::string_view name;       // "instagram", as in the control API
  std::string_view base_path;  // of a channel's base URL; "{id}" and "{handle}" stand for the account's
  std::string (*account_id)(int64_t number, std::string_view slug) = nullptr;
  std::string (*item_id)(const IdSeed& seed) = nullptr;
  std::string (*person_id)(std::string_view id) = nullptr;          // of a member of the audience
  Fields (*credentials)(const Account& account) = nullptr;          // what one signs in with
  std::string (*new_token)() = nullptr;
  // Adds the network's further numbers of a new item to its `extra`; `parent`: what it answers, or nullptr.
  void (*number)(Item& placed, const Item* parent) = nullptr;
  bool conversations = false;      // a thread is all that hangs below one post; else below one top-level comment
  bool two_levels = false;         // an answer to an answer hangs below the top-level comment
  bool whole_seconds = false;      // times are told in whole seconds: a change is in a later second than what it changes
  bool short_links = false;        // links are shortened and texts weighted and cut, as X does
  bool holds = false;              // comments have a status: approved, or hold where the account holds them
  bool comments = true;            // the audience can comment; else it only mentions
  bool mentions = false;           // the audience can mention the account outside its posts
  bool names_in_answers = false;   // an answer to somebody else begins with both their handles
  bool edits = false;              // the audience can edit
  bool removals = false;           // the audience can delete
  bool localised = false;          // error messages come in the caller's language
};

const Nature& NatureOf(Network network);

}  // namespace parvis::sandbox
