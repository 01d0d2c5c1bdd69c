// Resource names (AIP-122), page tokens (AIP-158), request ids (AIP-155), field masks (AIP-134): the small rules that
// every transport layer needs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/message.h>

#include "platform/base/error.h"

namespace parvis::rpc {

// Splits "workspaces/{w}/conversations/{c}" by `pattern` "workspaces/*/conversations/*" into {w, c}. INVALID_ARGUMENT
// INVALID_NAME about `field` when it does not match or an id is not a canonical UUID.
StatusOr<std::vector<std::string>> ParseName(std::string_view field, std::string_view name, std::string_view pattern);

// An opaque page token that holds a keyset position and a digest of the query it belongs to (every request field except
// page_size and page_token). Decode: INVALID_ARGUMENT PAGE_TOKEN_INVALID, or PAGE_TOKEN_OF_ANOTHER_QUERY.
std::string EncodePageToken(std::string_view query_digest, const std::vector<std::string>& keyset);
StatusOr<std::vector<std::string>> DecodePageToken(std::string_view token, std::string_view query_digest);
std::string QueryDigest(const google::protobuf::Message& request);

// 0 means the default; negative is INVALID_ARGUMENT PAGE_SIZE; more than `max` is lowered to `max` (AIP-158).
StatusOr<int> PageSize(int requested, int default_size, int max);

// AIP-155: a UUID or empty. INVALID_ARGUMENT REQUEST_ID.
Status CheckRequestId(std::string_view request_id);

}  // namespace parvis::rpc
