// Instagram professional accounts on the Graph API, with Facebook Login or Instagram Login (facts 2). Credentials:
// access_token; app_secret if the app asks for appsecret_proof. Account: remote_id is the Instagram account's id, base_url
// ends with the version ("https://graph.facebook.com/v23.0", "https://graph.instagram.com/v23.0").
//
// A post is made in two steps: containers, which nobody sees, then media_publish, which is the one effect. Thread of a
// comment: its top-level comment. The revision of everything that happens here is the same: comments and captions are not dated
// by webhooks and not edited by people, so an id is all there is to know one by.
#pragma once

#include "networks/connector.h"
#include "networks/meta/graph.h"

namespace parvis::networks {

inline constexpr int64_t kInstagramOnlyRevision = 1;

class InstagramConnector : public Connector {
 public:
  InstagramConnector(net::HttpClient& http, const Clock& clock);
  const Capabilities& capabilities() const override { return capabilities_; }
  std::vector<Violation> Check(WriteKind kind, const Draft& draft) const override;
  int TextLength(std::string_view text) const override;
  Appearance Show(const Draft& draft) const override;
  StatusOr<Identity> WhoAmI(const Call& call, const Account& account) override;
  StatusOr<std::vector<OwnItem>> ReadBack(const Call& call, const Account& account, const Write& write,
                                          absl::Time since, int limit) override;
  bool Matches(const Write& write, const OwnItem& item) const override;
  StatusOr<HandshakeAnswer> Handshake(const WebhookCall& call, const std::vector<Secret>& app_secrets,
                                      const Secret& verify_token) const override;
  Status VerifySignature(const WebhookCall& call, const std::vector<Secret>& app_secrets) const override;
  WebhookContent ParseWebhook(std::string_view body) const override;
  StatusOr<PollPage> Poll(const Call& call, const Account& account, const std::string& cursor, absl::Time since,
                          int limit) override;
  StatusOr<Measurement> Measure(const Call& call, const Account& account,
                                const std::vector<std::string>& post_remote_ids) override;

 private:
  Outcome CarryOut(const Call& call, const Account& account, const Write& write) override;
  using Fields = meta::Fields;
  struct Round;   // of polling, see instagram_poll.cc
  Answer Ask(const Call& call, const Account& account, const std::string& method, const std::string& path, Fields fields);

  // Containers: "" and `failed` when there is none to publish.
  std::string MakeContainer(const Call& call, const Account& account, const Media& media, Fields fields, Outcome* failed);
  std::string MakeCarousel(const Call& call, const Account& account, const Draft& draft, Outcome* failed);
  std::string MakeSingle(const Call& call, const Account& account, const Draft& draft, Outcome* failed);
  bool UploadVideo(const Call& call, const Account& account, const std::string& container, const Json& made,
                   const Media& media, Outcome* failed);
  // Waits until the network has worked the container through; false and `failed` when it does not within the call.
  bool AwaitReady(const Call& call, const Account& account, const std::string& container, Outcome* failed);
  Outcome Publish(const Call& call, const Account& account, const Write& write);
  // What became of a publishing whose answer was lost, by the container's status.
  Outcome Settle(const Call& call, const Account& account, const Write& write, const std::string& container,
                 absl::Time begun, Outcome unclear);
  Outcome Reply(const Call& call, const Account& account, const Write& write);
  Outcome PrivateReply(const Call& call, const Account& account, const Write& write);

  StatusOr<std::vector<OwnItem>> OwnMedia(const Call& call, const Account& account, bool stories, absl::Time since,
                                          int limit);
  StatusOr<std::vector<OwnItem>> OwnComments(const Call& call, const Account& account, const std::string& edge,
                                             absl::Time since, int limit);
  StatusOr<std::vector<OwnItem>> OwnReplies(const Call& call, const Account& account, const Write& write,
                                            absl::Time since, int limit);
  StatusOr<std::vector<OwnItem>> OwnMessages(const Call& call, const Account& account, const Write& write,
                                             absl::Time since);

  Status ListMedia(const Call& call, const Account& account, Round* round, RateState* rate);
  Status ReadTags(const Call& call, const Account& account, int limit, Round* round, PollPage* page);
  Status ReadReplies(const Call& call, const Account& account, int limit, Round* round, PollPage* page);
  Status ReadComments(const Call& call, const Account& account, int limit, Round* round, PollPage* page);

  net::HttpClient& http_;
  const Clock& clock_;
  Capabilities capabilities_;
};

}  // namespace parvis::networks
