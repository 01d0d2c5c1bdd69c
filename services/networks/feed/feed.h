// Feeds (facts 11): RSS, Atom and JSON Feed, read by conditional GET. No credentials. Account: base_url is the feed's
// address as it was entered, remote_id the address it permanently has. Nothing can be written.
//
// An item is a mention: somebody else's text, found outside our own posts, that nobody can answer below. It is its own
// thread. Its id is the feed's (id, guid), else its address, else a digest of title, link and date.
#pragma once

#include "networks/connector.h"
#include "networks/feed/feed_document.h"
#include "networks/wire/answer.h"

namespace parvis::networks {

inline constexpr int kFeedHopsMax = 5;  // redirects of one reading

// What an answer of a feed's server means; 304 is a success. Pure.
Refusal ClassifyFeed(const net::ClientResult& http);
// Retry-After in seconds or as a date, at most a day. Pure.
RateState FeedRate(const net::ClientResult& http, absl::Time now);
// The item's id; never empty, at most 500 bytes. Pure.
std::string FeedItemId(const FeedItem& item);

class FeedConnector : public Connector {
 public:
  FeedConnector(net::HttpClient& http, const Clock& clock);
  const Capabilities& capabilities() const override { return capabilities_; }
  std::vector<Violation> Check(WriteKind kind, const Draft& draft) const override;
  int TextLength(std::string_view text) const override;
  // remote_id: the address behind permanent redirects. FAILED_PRECONDITION NOT_A_FEED, FEED_DOCTYPE, FEED_TOO_LARGE,
  // FEED_GONE (410: it will not come back), FEED_REDIRECTS (more than kFeedHopsMax, or to nowhere).
  StatusOr<Identity> WhoAmI(const Call& call, const Account& account) override;
  StatusOr<std::vector<OwnItem>> ReadBack(const Call& call, const Account& account, const Write& write,
                                          absl::Time since, int limit) override;
  bool Matches(const Write& write, const OwnItem& item) const override;
  StatusOr<HandshakeAnswer> Handshake(const WebhookCall& call, const std::vector<Secret>& app_secrets,
                                      const Secret& verify_token) const override;
  Status VerifySignature(const WebhookCall& call, const std::vector<Secret>& app_secrets) const override;
  // A hub sends the feed, or a part of it, or nothing: whatever it is, the feed is read.
  WebhookContent ParseWebhook(std::string_view body) const override;
  // Named by the Link header, else by the document. Errors as WhoAmI, and HUB_NONE.
  StatusOr<Hub> FindHub(const Call& call, const Account& account) override;
  // Errors as WhoAmI.
  StatusOr<PollPage> Poll(const Call& call, const Account& account, const std::string& cursor, absl::Time since,
                          int limit) override;

 private:
  Outcome CarryOut(const Call& call, const Account& account, const Write& write) override;
  struct Place;
  struct Fetched {
    Answer answer;
    std::string url;   // what answered at last
    std::string kept;  // the address behind the permanent redirects
  };
  StatusOr<Fetched> Fetch(const Call& call, const Account& account, const std::string& url,
                          const net::Headers& validators);
  void TakeItems(const Feed& feed, const Account& account, absl::Time fallback, absl::Time since, size_t limit,
                 Place* place, PollPage* page) const;

  net::HttpClient& http_;
  const Clock& clock_;
  Capabilities capabilities_;
};

}  // namespace parvis::networks
