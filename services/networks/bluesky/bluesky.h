// Bluesky (AT Protocol, facts 6). Credentials: access_token (a session's accessJwt). Account: remote_id is the DID,
// base_url the PDS, which passes app.bsky.* on to the AppView. Remote ids are at-URIs.
//
// A post's record key is made from the idempotency key and written with swapRecord null ("only create"): a second
// sending finds the first one's record and takes it over. Thread and post of a reply are the root of its thread; a
// conversation is that root and the person.
#pragma once

#include <functional>

#include "networks/bluesky/bluesky_ids.h"
#include "networks/connector.h"
#include "networks/wire/answer.h"

namespace parvis::networks {

class BlueskyThreads;

// What an answer of XRPC means (facts 0.5, 6.4). Pure.
Refusal ClassifyBluesky(const net::ClientResult& http, const Json& json);
// RateLimit-*: the reset is a Unix time in seconds (facts 0.4). Pure.
RateState BlueskyRate(const net::Headers& headers, absl::Time now);
// The text as it is posted: a link without pictures becomes a card, which the text need not repeat. Pure.
std::string BlueskyText(WriteKind kind, const Draft& draft);

class BlueskyConnector : public Connector {
 public:
  // Without `streaming.client` no stream can be opened.
  BlueskyConnector(net::HttpClient& http, const Clock& clock, const Streaming& streaming = {});
  const Capabilities& capabilities() const override { return capabilities_; }
  std::vector<Violation> Check(WriteKind kind, const Draft& draft) const override;
  int TextLength(std::string_view text) const override;
  Appearance Show(const Draft& draft) const override;
  StatusOr<Identity> WhoAmI(const Call& call, const Account& account) override;
  StatusOr<std::vector<OwnItem>> ReadBack(const Call& call, const Account& account, const Write& write,
                                          absl::Time since, int limit) override;
  bool Matches(const Write& write, const OwnItem& item) const override;
  StatusOr<PollPage> Poll(const Call& call, const Account& account, const std::string& cursor, absl::Time since,
                          int limit) override;
  // Jetstream: all posts of the network, once for all channels, looked through for those that concern one (why, and what it
  // costs: README.md). The cursor is the time of the last post that went by, in microseconds; some seconds before it are read
  // again. A gap is said when the cursor is older than what is kept, or when what comes begins much later.
  StatusOr<SharedOpening> OpenSharedStream(const Call& call, const std::vector<Listener>& listeners, const std::string& cursor,
                                           AccountOpener open) override;
  StatusOr<Measurement> Measure(const Call& call, const Account& account,
                                const std::vector<std::string>& post_remote_ids) override;

 private:
  class Jetstream;
  Outcome CarryOut(const Call& call, const Account& account, const Write& write) override;
  Answer Ask(const Call& call, const Account& account, const std::string& method, const Json* body = nullptr);
  Answer SendRequest(const Call& call, const Account& account, const std::string& method, net::ClientRequest request);
  Answer GetRecord(const Call& call, const Account& account, const char* collection, const std::string& rkey);
  Answer GetPosts(const Call& call, const Account& account, const std::vector<std::string>& uris);
  Answer PutRecord(const Call& call, const Account& account, const char* collection, const std::string& rkey,
                   const Json& record, const Json& swap);

  // Reads the next of the threads. One that cannot be read as deep as asked for is asked for half as deep the next time, one that could
  // twice as deep; one that is gone is dropped.
  Status ReadThread(const Call& call, const Account& account, BlueskyThreads* threads, PollPage* page);

  // What is needed to refer to a post: its uri and cid, and its own record. nullopt and `failed` otherwise.
  struct Referred {
    Json ref, record;
    bool closed = false;  // to our replies
  };
  std::optional<Referred> Refer(const Call& call, const Account& account, const std::string& uri, Outcome* failed);
  // Makes links, mentions (resolved) and tags of the text; `failed` when a handle could not be asked for.
  Json Facets(const Call& call, const Account& account, const std::string& text, std::optional<Outcome>* failed);
  // Pictures, card and quote; nobody sees an uploaded picture without its post. False and `failed` otherwise.
  bool AddEmbed(const Call& call, const Account& account, const Draft& draft, Json* record, Outcome* failed);
  std::optional<Json> Upload(const Call& call, const Account& account, const Media& media, Outcome* failed);
  bool AddReply(const Call& call, const Account& account, const Write& write, Json* record, Outcome* failed);
  Outcome Post(const Call& call, const Account& account, const Write& write);
  Outcome Delete(const Call& call, const Account& account, const Write& write);

  // Changes the thread gate of one of our posts, unless `change` says that nothing is to be done; another's change
  // in between is kept.
  Outcome ChangeGate(const Call& call, const Account& account, const std::string& root, const std::string& target,
                     const std::function<bool(Json* gate, Outcome* failed)>& change);
  // The root of the thread that a reply hangs below, which must be ours; "" and `failed` otherwise.
  std::string RootOf(const Call& call, const Account& account, const Write& write, Outcome* failed);
  Outcome Hide(const Call& call, const Account& account, const Write& write);
  Outcome Lock(const Call& call, const Account& account, const Write& write);
  Outcome Block(const Call& call, const Account& account, const Write& write);
  Outcome Unblock(const Call& call, const Account& account, const Write& write);
  Outcome Mute(const Call& call, const Account& account, const Write& write);
  Outcome Report(const Call& call, const Account& account, const Write& write);
  // What moderation left behind: one item for the target, `hidden` when it is hidden, locked, blocked or muted.
  StatusOr<std::vector<OwnItem>> ReadTarget(const Call& call, const Account& account, const Write& write);

  net::HttpClient& http_;
  const Clock& clock_;
  const Streaming streaming_;
  Capabilities capabilities_;
};

}  // namespace parvis::networks
