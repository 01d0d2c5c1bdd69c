// LinkedIn organisation pages, versioned REST (facts 5). Credentials: access_token of a member who administers the
// page; client_secret of the app for webhooks; api_version ("202607") to go ahead of, or stay behind, the built-in one.
// Account: remote_id is "urn:li:organization:1", base_url "https://api.linkedin.com".
//
// Ids are URNs: a post is urn:li:share:N or urn:li:ugcPost:N, a comment urn:li:comment:(urn:li:activity:A,N). There are
// two levels of comments; the thread of a comment is its top-level one.
#pragma once

#include "networks/connector.h"
#include "networks/wire/answer.h"

namespace parvis::networks {

// What an answer of LinkedIn means (facts 0.5, 5.5). Pure.
Refusal ClassifyLinkedIn(const net::ClientResult& http, const Json& json);

class LinkedInConnector : public Connector {
 public:
  LinkedInConnector(net::HttpClient& http, const Clock& clock);
  const Capabilities& capabilities() const override { return capabilities_; }
  std::vector<Violation> Check(WriteKind kind, const Draft& draft) const override;
  int TextLength(std::string_view text) const override;
  Appearance Show(const Draft& draft) const override;
  StatusOr<Identity> WhoAmI(const Call& call, const Account& account) override;
  StatusOr<std::vector<OwnItem>> ReadBack(const Call& call, const Account& account, const Write& write,
                                          absl::Time since, int limit) override;
  bool Matches(const Write& write, const OwnItem& item) const override;
  // `app_secrets` are client secrets: the challenge is answered with the first.
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
  // `path` below base_url. `method` DELETE and finders name themselves to Rest.li.
  Answer Ask(const Call& call, const Account& account, const std::string& method, const std::string& path,
             const Json* body = nullptr);
  Answer SendRequest(const Call& call, const Account& account, net::ClientRequest request);
  // Uploads: "" and `failed` when there is no asset to show. Nobody sees an asset without its post.
  std::string UploadImage(const Call& call, const Account& account, const Media& media, const char* collection,
                          Outcome* failed);
  std::string UploadVideo(const Call& call, const Account& account, const Draft& draft, Outcome* failed);
  std::optional<Json> PutParts(const Call& call, const Account& account, const Media& media, const Json& parts,
                               int64_t size, Outcome* failed);
  // The ETag of a part, or of a whole; nullopt and `failed` otherwise.
  std::optional<std::string> Put(const Call& call, const Account& account, const std::string& url,
                                 const std::string& type, const std::string& bytes, Outcome* failed);
  bool AddContent(const Call& call, const Account& account, const Draft& draft, Json* post, Outcome* failed);

  Outcome Post(const Call& call, const Account& account, const Write& write);
  Outcome Adopt(const Call& call, const Account& account, const Write& write, const Answer& answer);
  Outcome Comment(const Call& call, const Account& account, const Write& write);
  Outcome Remove(const Call& call, const Account& account, const Write& write);

  Answer AskComments(const Call& call, const Account& account, const std::string& urn, int64_t start, int count);
  Answer AskComment(const Call& call, const Account& account, const std::string& urn);
  StatusOr<std::vector<OwnItem>> OwnComments(const Call& call, const Account& account, const std::string& below,
                                             absl::Time since, int limit);
  Status ListPosts(const Call& call, const Account& account, std::vector<std::string>* posts, RateState* rate);
  Status Statistics(const Call& call, const Account& account, const std::string& parameter,
                    const std::vector<std::string>& urns, Measurement* out);

  net::HttpClient& http_;
  const Clock& clock_;
  Capabilities capabilities_;
};

}  // namespace parvis::networks
