// Bluesky (AT Protocol, facts 6). Credentials: access_token (a session's accessJwt). Account: remote_id is the DID, base_url
// the PDS, which passes app.bsky.* on to the AppView. Remote ids are at-URIs.
//
// A post's record key is made from the idempotency key and written with swapRecord null ("only create"): a second sending
// finds the first one's record and takes it over.
#pragma once

#include "networks/connector.h"
#include "networks/wire/answer.h"

namespace parvis::networks {

// What an answer of XRPC means (facts 0.5, 6.4). Pure.
Refusal ClassifyBluesky(const net::ClientResult& http, const Json& json);
// RateLimit-*: the reset is a Unix time in seconds (facts 0.4). Pure.
RateState BlueskyRate(const net::Headers& headers, absl::Time now);
// 13 characters of base32-sortable; the top bit is 0 (atproto.com/specs/tid). Pure.
std::string EncodeTid(uint64_t micros, uint32_t clock_id);
// The record key of what is written with this idempotency key. Pure.
std::string TidOfKey(std::string_view idempotency_key);

class BlueskyConnector : public Connector {
 public:
  BlueskyConnector(net::HttpClient& http, const Clock& clock);
  const Capabilities& capabilities() const override { return capabilities_; }
  std::vector<Violation> Check(WriteKind kind, const Draft& draft) const override;
  int TextLength(std::string_view text) const override;
  StatusOr<Identity> WhoAmI(const Call& call, const Account& account) override;
  Outcome Execute(const Call& call, const Account& account, const Write& write) override;
  StatusOr<std::vector<OwnItem>> ReadBack(const Call& call, const Account& account, const Write& write, absl::Time since,
                                          int limit) override;
  bool Matches(const Write& write, const OwnItem& item) const override;

 private:
  Answer Ask(const Call& call, const Account& account, const std::string& method, const Json* body = nullptr);
  Answer GetRecord(const Call& call, const Account& account, const std::string& rkey);
  // Makes links, mentions (resolved) and tags of the text; `failed` when a handle could not be asked for.
  Json Facets(const Call& call, const Account& account, const std::string& text, std::optional<Outcome>* failed);
  Outcome Post(const Call& call, const Account& account, const Write& write);

  net::HttpClient& http_;
  const Clock& clock_;
  Capabilities capabilities_;
};

}  // namespace parvis::networks
