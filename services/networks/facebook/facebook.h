// Facebook Pages on the Graph API (facts 1). Credentials: access_token (a Page token); app_secret if the app asks for
// appsecret_proof. Account: remote_id is the Page's id, base_url ends with the version ("https://graph.facebook.com/v23.0").
//
// Thread of a comment: its top-level comment. Facebook shows two levels, so a reply's parent is the top-level comment.
#pragma once

#include "networks/connector.h"
#include "networks/meta/graph.h"
#include "networks/wire/answer.h"

namespace parvis::networks {

// What an answer of the Graph API means (facts 0.5, 1.6). Pure.
Refusal ClassifyFacebook(const net::ClientResult& http, const Json& json);
// Usage headers are percentages and minutes (facts 0.4). Pure.
RateState FacebookRate(const net::Headers& headers, const std::string& page_id);

class FacebookConnector : public Connector {
 public:
  FacebookConnector(net::HttpClient& http, const Clock& clock);
  const Capabilities& capabilities() const override { return capabilities_; }
  std::vector<Violation> Check(WriteKind kind, const Draft& draft) const override;
  int TextLength(std::string_view text) const override;
  Appearance Show(const Draft& draft) const override;
  StatusOr<Identity> WhoAmI(const Call& call, const Account& account) override;
  StatusOr<std::vector<OwnItem>> ReadBack(const Call& call, const Account& account, const Write& write, absl::Time since,
                                          int limit) override;
  bool Matches(const Write& write, const OwnItem& item) const override;
  StatusOr<HandshakeAnswer> Handshake(const WebhookCall& call, const std::vector<Secret>& app_secrets,
                                      const Secret& verify_token) const override;
  Status VerifySignature(const WebhookCall& call, const std::vector<Secret>& app_secrets) const override;
  WebhookContent ParseWebhook(std::string_view body) const override;
  StatusOr<PollPage> Poll(const Call& call, const Account& account, const std::string& cursor, absl::Time since, int limit) override;
  StatusOr<Measurement> Measure(const Call& call, const Account& account,
                                const std::vector<std::string>& post_remote_ids) override;

 private:
  Outcome CarryOut(const Call& call, const Account& account, const Write& write) override;
  using Fields = meta::Fields;
  // `path` below base_url: "/{id}/feed". POST sends `fields` as a form, the others as the query.
  Answer Ask(const Call& call, const Account& account, const std::string& method, const std::string& path, Fields fields);
  Outcome PrivateReply(const Call& call, const Account& account, const Write& write);
  Outcome Ban(const Call& call, const Account& account, const Write& write);
  Outcome Post(const Call& call, const Account& account, const Write& write);
  // An unpublished photo's id; "" and `failed` when there is none.
  // To the Page's photos: `media` by its address, or its bytes; `failed` has a message when they could not be had.
  Answer AskWithPhoto(const Call& call, const Account& account, const Media& media, Fields fields, Outcome* failed);
  std::string HiddenPhoto(const Call& call, const Account& account, const Media& media, Outcome* failed);
  Outcome PostVideo(const Call& call, const Account& account, const Write& write);
  Outcome PostReel(const Call& call, const Account& account, const Write& write, const char* edge);
  Outcome PostStory(const Call& call, const Account& account, const Write& write);
  bool Transfer(const Call& call, const Account& account, const Media& media, const Answer& begun, Outcome* failed);
  // The post's id, its address and its picture, once a video is published.
  void Complete(const Call& call, const Account& account, const Draft& draft, const std::string& video, Outcome* out);
  Answer AskAuthor(const Call& call, const Account& account, const std::string& id);
  Outcome PostPhotos(const Call& call, const Account& account, const Write& write, Fields fields);
  StatusOr<std::vector<OwnItem>> OwnItems(const Call& call, const Account& account, const std::string& edge, Fields fields,
                                          absl::Time since, int limit, bool unsigned_too);
  StatusOr<std::vector<OwnItem>> OwnReels(const Call& call, const Account& account, absl::Time since, int limit);
  StatusOr<std::vector<OwnItem>> OwnStories(const Call& call, const Account& account, absl::Time since, int limit);
  StatusOr<std::vector<OwnItem>> Person(const Call& call, const Account& account, const Write& write, absl::Time since);
  StatusOr<std::vector<OwnItem>> OwnComments(const Call& call, const Account& account, const std::string& below, absl::Time since,
                                             int limit);
  Status ListPosts(const Call& call, const Account& account, std::vector<std::string>* posts, RateState* rate);

  net::HttpClient& http_;
  const Clock& clock_;
  Capabilities capabilities_;
};

}  // namespace parvis::networks
