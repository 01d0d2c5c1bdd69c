// From statuses and notifications to happenings: the same whether they were polled or streamed. All but
// AddHappenings, which is the connector's, is pure.
#pragma once

#include <vector>

#include "networks/mastodon/mastodon.h"

namespace parvis::networks {

// A status that becomes a happening.
struct MastodonTaken {
  Json status;
  bool edited = false;
};

// Mentions, quotes, and edits of what mentions us.
void TakeMastodonNotification(const Json& notification, const Account& account, std::vector<MastodonTaken>* taken,
                              std::vector<Unparsed>* unparsed);
// Of our own statuses, those that answer somebody.
void TakeMastodonOwn(const Json& status, std::vector<MastodonTaken>* taken);
// Whether somebody else wrote it and names us.
bool NamesUs(const Json& status, const Account& account);
Unparsed UnreadMastodon(const Json& item, const char* why);

}  // namespace parvis::networks
