// Ghost 6, Admin API (README.md here has the facts and their sources). Account: base_url and remote_id are the site's
// URL, as its admin area is reached: calls go to <base_url>/ghost/api/admin/. Credentials: admin_key ("id:secret" of a
// custom integration), member_id (the member that we comment as: Ghost's comments are members', never the staff's).
//
// Posts and comments both go by 24 hexadecimal digits, so a target is a comment unless it is the very post
// (target == post_remote_id). There are no events of comments: they are read. Webhooks tell of posts.
#pragma once

#include "networks/connector.h"
#include "networks/wire/answer.h"
#include "networks/wire/seen_comments.h"

namespace parvis::networks {

// What an answer of the Admin API means: by status, `type` and `code`. Pure.
Refusal ClassifyGhost(const net::ClientResult& http, const Json& json);
// The JSON Web Token (HS256, five minutes) of an Admin API key; "" when it is not "id:secret" with a secret in
// hexadecimal.
std::string GhostToken(std::string_view admin_key, absl::Time now);

class GhostConnector : public Connector {
 public:
  GhostConnector(net::HttpClient& http, const Clock& clock);
  const Capabilities& capabilities() const override { return capabilities_; }
  std::vector<Violation> Check(WriteKind kind, const Draft& draft) const override;
  int TextLength(std::string_view text) const override;
  Appearance Show(const Draft& draft) const override;
  StatusOr<Identity> WhoAmI(const Call& call, const Account& account) override;
  StatusOr<std::vector<OwnItem>> ReadBack(const Call& call, const Account& account, const Write& write,
                                          absl::Time since, int limit) override;
  bool Matches(const Write& write, const OwnItem& item) const override;
  // There is no handshake. The signature is over the body and the milliseconds that stand behind it in the header.
  Status VerifySignature(const WebhookCall& call, const std::vector<Secret>& app_secrets) const override;
  WebhookContent ParseCall(const WebhookCall& call) const override;
  WebhookContent ParseWebhook(std::string_view body) const override;
  StatusOr<PollPage> Poll(const Call& call, const Account& account, const std::string& cursor, absl::Time since,
                          int limit) override;
  StatusOr<Measurement> Measure(const Call& call, const Account& account,
                                const std::vector<std::string>& post_remote_ids) override;

 private:
  Outcome CarryOut(const Call& call, const Account& account, const Write& write) override;
  // `path` below /ghost/api/admin, with its slash at the end ("/posts/": without it the site redirects), then a query
  // without '?'. A JSON body, if any.
  Answer Ask(const Call& call, const Account& account, const std::string& method, const std::string& path,
             const std::string& query, const Json* body = nullptr);
  Answer SendRequest(const Call& call, const Account& account, const std::string& path, const std::string& query,
                     net::ClientRequest request);

  Outcome Post(const Call& call, const Account& account, const Write& write);
  Outcome Publish(const Call& call, const Account& account, const Write& write, const Answer& draft);
  Outcome Reply(const Call& call, const Account& account, const Write& write);
  Outcome SetStatus(const Call& call, const Account& account, const Write& write, const std::string& status);
  Outcome Remove(const Call& call, const Account& account, const Write& write);
  Outcome Sanction(const Call& call, const Account& account, const Write& write);
  // The address of the picture on the site; "" when that failed, and `failed` says how.
  std::string Upload(const Call& call, const Account& account, const Media& media, size_t index, Outcome* failed);

  StatusOr<std::vector<OwnItem>> ReadTarget(const Call& call, const Account& account, const Write& write);
  StatusOr<Measurement> MeasureSite(const Call& call, const Account& account);
  Status ReadNewComments(const Call& call, const Account& account, int limit, SeenComments* round,
                         PollPage* page);
  Status ReadWatched(const Call& call, const Account& account, SeenComments* round, PollPage* page);
  Happening HappeningOf(const Json& comment, const Account& account) const;

  net::HttpClient& http_;
  const Clock& clock_;
  Capabilities capabilities_;
};

}  // namespace parvis::networks
