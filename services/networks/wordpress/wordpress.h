// WordPress, REST API v2 of the core (facts 8). Credentials: username, application_password (HTTP Basic). Account: base_url
// and remote_id are the site's URL; the REST routes are looked for below /wp-json and then below /?rest_route=.
//
// what happened to a comment after it was made is found by reading the latest ones again, and is dated by our clock.
//
// Posts and comments are numbered apart, so a target is a comment unless it is the very post (target == post_remote_id).
#pragma once

#include "networks/connector.h"
#include "networks/wire/answer.h"

namespace parvis::networks {

// What an answer of the REST API means (facts 0.5, 8). Pure.
Refusal ClassifyWordPress(const net::ClientResult& http, const Json& json);

class WordPressConnector : public Connector {
 public:
  WordPressConnector(net::HttpClient& http, const Clock& clock);
  const Capabilities& capabilities() const override { return capabilities_; }
  std::vector<Violation> Check(WriteKind kind, const Draft& draft) const override;
  int TextLength(std::string_view text) const override;
  Appearance Show(const Draft& draft) const override;
  StatusOr<Identity> WhoAmI(const Call& call, const Account& account) override;
  StatusOr<std::vector<OwnItem>> ReadBack(const Call& call, const Account& account, const Write& write, absl::Time since,
                                          int limit) override;
  bool Matches(const Write& write, const OwnItem& item) const override;
  StatusOr<PollPage> Poll(const Call& call, const Account& account, const std::string& cursor, absl::Time since, int limit) override;

 private:
  Outcome CarryOut(const Call& call, const Account& account, const Write& write) override;
  struct Round;
  struct Uploaded {
    std::string id, url;
  };
  // `route`: "/wp/v2/posts"; `query` without '?'. A JSON body, if any.
  Answer Ask(const Call& call, const Account& account, const std::string& method, const std::string& route, const std::string& query,
             const Json* body = nullptr);
  Answer SendRequest(const Call& call, const Account& account, const std::string& route, const std::string& query, net::ClientRequest request);
  Outcome Post(const Call& call, const Account& account, const Write& write);
  Outcome Reply(const Call& call, const Account& account, const Write& write);
  Outcome SetStatus(const Call& call, const Account& account, const Write& write, const std::string& status);
  Outcome Remove(const Call& call, const Account& account, const Write& write);
  StatusOr<Uploaded> Upload(const Call& call, const Account& account, const Media& media, size_t index, Outcome* failed);
  Outcome Created(const Answer& answer, const Account& account) const;

  Status ReadNewComments(const Call& call, const Account& account, int limit, Round* round, PollPage* page);
  Status FindRoots(const Call& call, const Account& account, Round* round, const Json& comments);
  Status ReadWatched(const Call& call, const Account& account, Round* round, PollPage* page);
  Happening HappeningOf(const Json& comment, const Account& account, const Round& round) const;

  net::HttpClient& http_;
  const Clock& clock_;
  Capabilities capabilities_;
};

}  // namespace parvis::networks
