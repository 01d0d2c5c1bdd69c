// NodeBB forums (facts 10). Credentials: access_token of a user; or a master token, and `uid` for whom it acts.
// Account: base_url and remote_id are the forum's address without a slash at the end.
//
// Ids: a post is its number (pid); a topic goes by the number of its first post. "queue/reply-1700000000000" is a post
// that waits for approval; both are taken as targets. Thread and conversation of a post are its topic: "topic/12".
#pragma once

#include "networks/connector.h"
#include "networks/wire/answer.h"

namespace parvis::networks {

// What an answer of NodeBB means (facts 0.4, 10): by its status and, where the message is still the translation's key
// ("[[error:no-privileges]]"), by that. Pure.
Refusal ClassifyNodeBb(const net::ClientResult& http, const Json& json);
// Retry-After, or the seconds that "[[error:too-many-posts, 10]]" tells. Pure.
RateState NodeBbRate(const net::ClientResult& http, const Json& json);

class NodeBbConnector : public Connector {
 public:
  NodeBbConnector(net::HttpClient& http, const Clock& clock);
  const Capabilities& capabilities() const override { return capabilities_; }
  std::vector<Violation> Check(WriteKind kind, const Draft& draft) const override;
  int TextLength(std::string_view text) const override;
  StatusOr<Identity> WhoAmI(const Call& call, const Account& account) override;
  StatusOr<std::vector<OwnItem>> ReadBack(const Call& call, const Account& account, const Write& write,
                                          absl::Time since, int limit) override;
  bool Matches(const Write& write, const OwnItem& item) const override;
  StatusOr<PollPage> Poll(const Call& call, const Account& account, const std::string& cursor, absl::Time since,
                          int limit) override;
  StatusOr<Measurement> Measure(const Call& call, const Account& account,
                                const std::vector<std::string>& post_remote_ids) override;

 private:
  Outcome CarryOut(const Call& call, const Account& account, const Write& write) override;
  struct Round;
  // `path` below base_url: "/api/v3/topics" writes, "/api/recent/posts" reads. A JSON body, if any.
  Answer Ask(const Call& call, const Account& account, const std::string& method, const std::string& path,
             const Json* body = nullptr);
  Answer SendRequest(const Call& call, const Account& account, const std::string& path, net::ClientRequest request);
  // The answer to "GET /api/v3/posts/{pid}"; its `response` is the post.
  Answer AskPost(const Call& call, const Account& account, const std::string& pid);
  bool Find(const Call& call, const Account& account, const std::string& pid, Json* post, Outcome* failed);
  bool AddMedia(const Call& call, const Account& account, const Draft& draft, std::string* content, Outcome* failed);

  Outcome Create(const Call& call, const Account& account, const Write& write);
  Outcome Chat(const Call& call, const Account& account, const Write& write);
  Outcome Created(const Answer& answer, const Account& account) const;
  Outcome Moderate(const Call& call, const Account& account, const Write& write);
  Outcome Sanction(const Call& call, const Account& account, const Write& write);
  Outcome Changed(const Answer& answer, const Account& account, const std::string& id) const;

  StatusOr<std::vector<OwnItem>> OwnPosts(const Call& call, const Account& account, absl::Time since);
  StatusOr<std::vector<OwnItem>> Queued(const Call& call, const Account& account);
  StatusOr<std::vector<OwnItem>> ReadTarget(const Call& call, const Account& account, const Write& write);
  Status ReadQueue(const Call& call, const Account& account, Round* round, PollPage* page);

  net::HttpClient& http_;
  const Clock& clock_;
  Capabilities capabilities_;
};

}  // namespace parvis::networks
