// Pages by (time, id), for all lists of this service.
#pragma once

#include <string>

#include "platform/rpc/resource.h"
#include "publishing/domain/post_store.h"

namespace parvis::publishing {

// INVALID_ARGUMENT PAGE_SIZE, PAGE_TOKEN_INVALID, PAGE_TOKEN_OF_ANOTHER_QUERY. Asks for one more than the page holds.
template <class Request>
StatusOr<Page> PageOf(const Request& request, int default_size, int max) {
  Page page;
  PARVIS_ASSIGN_OR_RETURN(page.size, rpc::PageSize(request.page_size(), default_size, max));
  page.size += 1;
  if (!request.page_token().empty()) {
    PARVIS_ASSIGN_OR_RETURN(const auto keys, rpc::DecodePageToken(request.page_token(), rpc::QueryDigest(request)));
    int64_t micros = 0;
    for (const char digit : keys.empty() ? std::string("x") : keys[0]) {
      if (digit < '0' || digit > '9' || micros > INT64_MAX / 16) return InvalidField("page_token", "PAGE_TOKEN_INVALID",
                                                                                     "is not one of ours");
      micros = micros * 10 + (digit - '0');
    }
    if (keys.size() != 2 || !IsUuid(keys[1])) return InvalidField("page_token", "PAGE_TOKEN_INVALID", "is not one of ours");
    page.after.emplace(absl::FromUnixMicros(micros), keys[1]);
  }
  return page;
}

// The token that leads on after (time, id).
template <class Request>
std::string NextToken(const Request& request, absl::Time time, const std::string& id) {
  return rpc::EncodePageToken(rpc::QueryDigest(request), {std::to_string(absl::ToUnixMicros(time)), id});
}

}  // namespace parvis::publishing
