// Pages and filters of the inbox's lists: request fields in, checked domain values out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "inbox/domain/store.h"
#include "parvis/inbox/v1/inbox_service.pb.h"
#include "platform/rpc/resource.h"

namespace parvis::inbox {

struct Page {
  int size = 0;
  std::string digest;                              // of the query, for the next token
  std::optional<std::vector<std::string>> after;   // keyset of the token: micros, then an id or an order key
};

StatusOr<Page> MakePage(const google::protobuf::Message& request, int size, const std::string& token, int default_size,
                        int max_size);
std::vector<std::string> KeysetOf(absl::Time time, const std::string& key);
// INVALID_ARGUMENT PAGE_TOKEN_INVALID: tokens are opaque, but whoever makes one up must not reach the database with it.
StatusOr<absl::Time> TimeOfKeyset(const std::vector<std::string>& keyset);
StatusOr<TimePosition> TimePositionOf(const std::vector<std::string>& keyset);

// INVALID_ARGUMENT: unknown enum values, a channel that is no id, assignee together with unassigned.
StatusOr<ConversationFilter> FilterOf(const v1::ListConversationsRequest& request);
StatusOr<CaseFilter> FilterOf(const v1::ListCasesRequest& request);

// `items` holds one more than fits when there is another page.
template <class Item, class Keyset, class Response, class Add>
void FillPage(const Page& page, std::vector<Item>& items, Keyset keyset, Response& response, Add add) {
  if (static_cast<int>(items.size()) > page.size) {
    items.erase(items.begin() + page.size, items.end());
    response.set_next_page_token(rpc::EncodePageToken(page.digest, keyset(items.back())));
  }
  for (const Item& item : items) add(item);
}

}  // namespace parvis::inbox
