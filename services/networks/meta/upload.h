// Uploads to Meta's upload hosts (rupload.facebook.com): one POST with all that is left of the file, resumed where the
// host says it stopped (facts 1.2, 2.2). Nobody sees what was uploaded before it is published.
#pragma once

#include "networks/meta/graph.h"

namespace parvis::networks::meta {

// Bytes that are sent from memory; what is larger needs an address that Meta fetches it from.
inline constexpr int64_t kUploadBytesMax = 100 << 20;

// nullopt: it is there; else how the write ended. `url` as the network gave it. Media without content of their own are
// fetched by Meta from their address. `received` asks the network how much it has after a connection was lost.
std::optional<Outcome> Upload(net::HttpClient& http, const Call& call, const Account& account, const std::string& url,
                              const Media& media, const std::function<std::optional<int64_t>()>& received);
// {"uploading_phase":{"bytes_transferred"}}, which the documentation also writes "bytes_transfered".
std::optional<int64_t> BytesReceived(const Json& status);
// Whether the token may go to `url`: the host of base_url, or one of Meta's by https.
bool IsOfMeta(const std::string& url, const std::string& base_url);

}  // namespace parvis::networks::meta
