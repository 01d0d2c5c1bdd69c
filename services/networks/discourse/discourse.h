// Discourse forums (facts 9). Credentials: api_key, api_username (headers; keys in the query are refused). Account:
// base_url and remote_id are the forum's address without a slash at the end.
//
// Ids: a post is its number, whatever topic it lies in (posts are moved between topics); a topic goes by the number of
// its first post. "t/12/3" is the third post of topic 12, which is how the forum itself names what a post answers, and
// "review/7" is an entry of the review queue. Both are taken wherever a post's number is. Thread and conversation of a
// post are its topic: "t/12".
//
// Idempotency: the key of a delivery becomes the topic's external_id, which is unique in a forum.
#pragma once

#include "networks/connector.h"
#include "networks/wire/answer.h"

namespace parvis::networks {

// What an answer of Discourse means (facts 0.5, 9). Pure.
Refusal ClassifyDiscourse(const net::ClientResult& http, const Json& json);
// Retry-After, or extras.wait_seconds of the error's body. Pure.
RateState DiscourseRate(const net::ClientResult& http, const Json& json);

class DiscourseConnector : public Connector {
 public:
  DiscourseConnector(net::HttpClient& http, const Clock& clock);
  const Capabilities& capabilities() const override { return capabilities_; }
  std::vector<Violation> Check(WriteKind kind, const Draft& draft) const override;
  int TextLength(std::string_view text) const override;
  StatusOr<Identity> WhoAmI(const Call& call, const Account& account) override;
  StatusOr<std::vector<OwnItem>> ReadBack(const Call& call, const Account& account, const Write& write,
                                          absl::Time since, int limit) override;
  bool Matches(const Write& write, const OwnItem& item) const override;
  // There is no handshake: the forum's "ping" event is an ordinary call.
  Status VerifySignature(const WebhookCall& call, const std::vector<Secret>& app_secrets) const override;
  // The forum is named by a header; the query of the webhook's own address may say who we are there ("?us=brand"),
  // without which nothing that comes is by us.
  WebhookContent ParseCall(const WebhookCall& call) const override;
  WebhookContent ParseWebhook(std::string_view body) const override;
  StatusOr<PollPage> Poll(const Call& call, const Account& account, const std::string& cursor, absl::Time since,
                          int limit) override;
  StatusOr<Measurement> Measure(const Call& call, const Account& account,
                                const std::vector<std::string>& post_remote_ids) override;

 private:
  Outcome CarryOut(const Call& call, const Account& account, const Write& write) override;
  // Where a post lies, as the forum says now.
  struct Place {
    std::string id, topic, number, user, username, title;
  };
  // `path` below base_url, with its query. A JSON body, if any.
  Answer Ask(const Call& call, const Account& account, const std::string& method, const std::string& path,
             const Json* body = nullptr);
  Answer SendRequest(const Call& call, const Account& account, const std::string& path, net::ClientRequest request);
  Answer AskPost(const Call& call, const Account& account, const std::string& id);
  // Asks where `id` lies. Otherwise false, and `failed` says how the write ended.
  bool Find(const Call& call, const Account& account, const std::string& id, Place* place, Outcome* failed);
  bool FindUser(const Call& call, const Account& account, const Write& write, std::string* user, Outcome* failed);

  Outcome Create(const Call& call, const Account& account, const Write& write);
  bool AddMedia(const Call& call, const Account& account, const Draft& draft, std::string* raw, Outcome* failed);
  Outcome Created(const Call& call, const Account& account, const Answer& answer, const std::string& external_id);
  Outcome Approve(const Call& call, const Account& account, const Write& write);
  Outcome Moderate(const Call& call, const Account& account, const Write& write);
  Outcome Sanction(const Call& call, const Account& account, const Write& write);
  Outcome Changed(const Answer& answer, const Account& account, const std::string& id) const;

  // The topic with our external id; nullopt when there is none.
  StatusOr<std::optional<OwnItem>> TopicOf(const Call& call, const Account& account, const std::string& external_id);
  StatusOr<std::vector<OwnItem>> Pending(const Call& call, const Account& account);
  StatusOr<std::vector<OwnItem>> OwnReplies(const Call& call, const Account& account, const std::string& topic,
                                            absl::Time since, int limit);
  StatusOr<std::vector<OwnItem>> ReadTarget(const Call& call, const Account& account, const Write& write);
  Status MeasurePost(const Call& call, const Account& account, const std::string& id, Measurement* out);

  net::HttpClient& http_;
  const Clock& clock_;
  Capabilities capabilities_;
};

}  // namespace parvis::networks
