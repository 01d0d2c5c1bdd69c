// X, API v2 (facts 3). Credentials: access_token (OAuth 2 user context). Account: remote_id is the user's id, base_url
// "https://api.x.com".
//
// Thread: the network's conversation_id. Conversation: the thread and the other person, because a conversation of X spans
// many people.
#pragma once

#include "networks/connector.h"
#include "networks/wire/answer.h"

namespace parvis::networks {

// What an answer of the API means (facts 0.5, 3.5). Pure.
Refusal ClassifyX(const net::ClientResult& http, const Json& json);
// x-rate-limit-*: the reset is a Unix time in seconds (facts 0.4). Pure.
RateState XRate(const net::Headers& headers, absl::Time now);
// When a post was made: `created_at` where it is given, else the time inside the id (a "snowflake"), both in whole seconds
// (what the API shows), so that a webhook and a poll agree. nullopt when neither tells.
std::optional<absl::Time> XPostTime(std::string_view created_at, std::string_view id);

// Videos and GIFs, which X wants in pieces; pictures are sent at once. Pure.
bool InPieces(const Media& media);
// To a refusal for lack of permission, what may be behind it: keys that anybody can get may answer only who mentioned or
// quoted the account (since 2026-02-23), and may not quote (since 2026-04-20; facts 3.1). Pure.
Outcome WithPermissionHint(Outcome outcome, const Write& write);

class XConnector : public Connector {
 public:
  // Without `streaming.client` and `streaming.x_bearer_token` no stream can be opened.
  XConnector(net::HttpClient& http, const Clock& clock, const Streaming& streaming = {});
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
  // The filtered stream, of which X lets an app have one: for each account a rule for what mentions it, made and tidied up
  // as channels come and go. The cursor is when something, be it a heartbeat, was heard last (Unix seconds): up to five
  // minutes are sent again, a gap is said beyond, or where the app's access does not include that. All of it goes with the
  // app's own token; no channel's credentials are asked for.
  StatusOr<SharedOpening> OpenSharedStream(const Call& call, const std::vector<Listener>& listeners, const std::string& cursor,
                                           AccountOpener open) override;
  StatusOr<Measurement> Measure(const Call& call, const Account& account,
                                const std::vector<std::string>& post_remote_ids) override;

 private:
  // x_stream.cc, x_rules.cc: with the app's own token
  class FilteredStream;
  class StreamRules;
  Answer AskApp(const Call& call, const std::string& method, const std::string& path, const Json* body = nullptr);
  // 401 and 403 speak of the app, not of a channel, which must not be taken for broken.
  Status FailedApp(const Answer& answer) const;
  Answer OpenFiltered(const Call& call, int backfill_minutes, std::unique_ptr<net::ByteStream>* bytes);
  Outcome CarryOut(const Call& call, const Account& account, const Write& write) override;
  struct Upload {
    std::vector<std::string> ids;
    std::optional<Outcome> failed;
  };
  // The media's id; `failed` is how the write ended instead. An error when the media cannot be read.
  StatusOr<std::string> UploadInPieces(const Call& call, const Account& account, const Media& media, std::optional<Outcome>* failed);
  std::optional<Outcome> Append(const Call& call, const Account& account, const std::string& path, int segment, const std::string& piece);
  std::optional<Outcome> Describe(const Call& call, const Account& account, const Media& media, const std::string& id);
  std::optional<Outcome> AwaitProcessing(const Call& call, const Account& account, const std::string& id, Json info);
  Answer Ask(const Call& call, const Account& account, const std::string& method, const std::string& path, const Json* body = nullptr);
  Answer SendRequest(const Call& call, const Account& account, net::ClientRequest request);
  Upload UploadMedia(const Call& call, const Account& account, const Draft& draft);
  Outcome Tweet(const Call& call, const Account& account, const Write& write);
  Outcome Mute(const Call& call, const Account& account, const Write& write);
  Outcome Changed(const Answer& answer, const Account& account, const char* key, const std::string& id) const;

  net::HttpClient& http_;
  const Clock& clock_;
  const Streaming streaming_;
  Account app_;   // whose only credential is the app's token
  Capabilities capabilities_;
};

}  // namespace parvis::networks
