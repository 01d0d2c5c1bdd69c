// Mastodon (facts 7) and servers that speak its API. Credentials: access_token of the account. Account: base_url is the
// server's address, remote_id the number of the account there.
//
// Ids are a server's own and are text: a status is known by its id on the account's own server, wherever it was
// written. Newer ids are longer, or later by text. Thread and conversation of a status are the id of the first status
// above it, as far as the server lets us look (see README.md).
#pragma once

#include "networks/connector.h"
#include "networks/mastodon/mastodon_roots.h"
#include "networks/wire/answer.h"

namespace parvis::networks {

// What an answer of Mastodon means (facts 7.4): by its status alone, for its messages are in the reader's language.
// Pure.
Refusal ClassifyMastodon(const net::ClientResult& http, const Json& json);
// X-RateLimit-*, whose reset is an ISO time (facts 0.4). Pure.
RateState MastodonRate(const net::Headers& headers, absl::Time now);
// A parameter of the address that the Link header names for `rel`; "" when there is none. Whatever host that address
// has is of no interest. Pure.
std::string LinkParameter(const net::Headers& headers, std::string_view rel, std::string_view parameter);
// Whether the status (or notification) with id `a` is older than that with id `b`. Pure.
bool IsOlderId(const std::string& a, const std::string& b);
// The text of a status as people read it. Pure.
std::string MastodonText(const Json& status);

// When the status with this id was written: ids hold it in their upper bits (milliseconds). Pure.
absl::Time MastodonTimeOfId(std::string_view id);
struct MastodonTaken;

class MastodonConnector : public Connector {
 public:
  // Without `streams` no stream can be opened. Both outlive the connector.
  MastodonConnector(net::HttpClient& http, const Clock& clock, net::StreamClient* streams = nullptr);
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
  // The account's own stream: what mentions us, what we answer elsewhere, edits and removals. The network replays nothing, so
  // every stream begins with a gap, said by the first Next at once; the cursor stays "".
  StatusOr<std::unique_ptr<Stream>> OpenStream(const Call& call, const Account& account, const std::string& cursor) override;
  StatusOr<Measurement> Measure(const Call& call, const Account& account,
                                const std::vector<std::string>& post_remote_ids) override;

 private:
  class UserStream;
  Outcome CarryOut(const Call& call, const Account& account, const Write& write) override;
  struct Place;
  // `path` below base_url: "/api/v1/statuses". A JSON body, if any; the key only for what has one.
  Answer Ask(const Call& call, const Account& account, const std::string& method, const std::string& path,
             const Json* body = nullptr, const std::string& idempotency_key = "");
  Answer SendRequest(const Call& call, const Account& account, const std::string& path, net::ClientRequest request);
  // These statuses, as far as they are there: in one request, or one by one on a server before 4.3.
  StatusOr<std::vector<Json>> Statuses(const Call& call, const Account& account, const std::vector<std::string>& ids,
                                       RateState* rate);

  Outcome Create(const Call& call, const Account& account, const Write& write);
  // What `write` answers or continues goes into `body`; false: `failed` says why.
  bool Address(const Call& call, const Account& account, const Write& write, Json* body, Outcome* failed);
  bool AddMedia(const Call& call, const Account& account, const Draft& draft, Json* ids, Outcome* failed);
  bool AwaitMedia(const Call& call, const Account& account, const std::string& id, Outcome* failed);
  Outcome OnAuthor(const Call& call, const Account& account, const Write& write);
  Outcome Delete(const Call& call, const Account& account, const Write& write);
  // Whom a write is about: named, or the author of its target.
  bool AuthorOf(const Call& call, const Account& account, const Write& write, std::string* author, Outcome* failed);

  StatusOr<std::vector<OwnItem>> ReadTarget(const Call& call, const Account& account, const Write& write);
  // The newest id that was there at `since`, page by page; true when found.
  StatusOr<bool> FindStart(const Call& call, const Account& account, const std::string& path, absl::Time since,
                           Place* place, PollPage* page);
  StatusOr<std::vector<Json>> ReadForward(const Call& call, const Account& account, const std::string& path, int limit,
                                          Place* place, PollPage* page);
  Status FindRoots(const Call& call, const Account& account, const std::vector<Json>& statuses, MastodonRoots* roots,
                   PollPage* page);
  // Adds the happenings that `taken` are; asks for what lies above them.
  Status AddHappenings(const Call& call, const Account& account, const std::vector<MastodonTaken>& taken, PollPage* page);
  // Where the streams are: the server may have them at a host of their own.
  StatusOr<std::string> StreamingBase(const Call& call, const Account& account);

  net::HttpClient& http_;
  const Clock& clock_;
  net::StreamClient* const streams_;
  Capabilities capabilities_;
};

}  // namespace parvis::networks
