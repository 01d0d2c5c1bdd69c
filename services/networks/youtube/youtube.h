// YouTube, Data API v3 and WebSub (facts 4). Credentials: access_token (Google OAuth 2, scopes youtube.upload and
// youtube.force-ssl). Account: remote_id is the channel's id, base_url "https://www.googleapis.com"; below it the API's
// own paths /youtube/v3/... and /upload/youtube/v3/...
//
// A post is a video. Thread and conversation: the top-level comment, below which all replies hang side by side.
#pragma once

#include "networks/connector.h"
#include "networks/wire/answer.h"

namespace parvis::networks {

// What an answer of the API means (facts 0.5, 4.4): 403 is quota as well as permission, the error's reason decides.
// Pure.
Refusal ClassifyYouTube(const net::ClientResult& http, const Json& json);
// There are no rate headers: a used-up quota comes back at midnight Pacific (facts 4.1), which is the rate's
// retry_after. Pure.
RateState YouTubeRate(const net::ClientResult& http, const Json& json, absl::Time now);
// The next midnight in Los Angeles.
absl::Time NextPacificMidnight(absl::Time now);
// What arrived of an upload by the Range header of a 308: "bytes=0-n" is n + 1 bytes, no header none; nullopt for
// anything else, or more than `size`. Pure.
std::optional<int64_t> ArrivedBytes(const net::Headers& headers, int64_t size);
// The top-level comment of a thread by any id in it: replies are "<top-level>.<reply>". Pure.
std::string TopLevelComment(const std::string& id);

class YouTubeConnector : public Connector {
 public:
  YouTubeConnector(net::HttpClient& http, const Clock& clock);
  const Capabilities& capabilities() const override { return capabilities_; }
  std::vector<Violation> Check(WriteKind kind, const Draft& draft) const override;
  int TextLength(std::string_view text) const override;
  StatusOr<Identity> WhoAmI(const Call& call, const Account& account) override;
  StatusOr<std::vector<OwnItem>> ReadBack(const Call& call, const Account& account, const Write& write,
                                          absl::Time since, int limit) override;
  bool Matches(const Write& write, const OwnItem& item) const override;
  StatusOr<HandshakeAnswer> Handshake(const WebhookCall& call, const std::vector<Secret>& app_secrets,
                                      const Secret& verify_token) const override;
  Status VerifySignature(const WebhookCall& call, const std::vector<Secret>& app_secrets) const override;
  WebhookContent ParseWebhook(std::string_view body) const override;
  // Google's hub where the base is Google's, else <base>/subscribe; nothing is asked.
  StatusOr<Hub> FindHub(const Call& call, const Account& account) override;
  StatusOr<PollPage> Poll(const Call& call, const Account& account, const std::string& cursor, absl::Time since,
                          int limit) override;
  StatusOr<Measurement> Measure(const Call& call, const Account& account,
                                const std::vector<std::string>& post_remote_ids) override;

 private:
  Outcome CarryOut(const Call& call, const Account& account, const Write& write) override;
  struct Session;
  using Query = std::vector<std::pair<std::string, std::string>>;
  Answer Ask(const Call& call, const Account& account, const std::string& method, const std::string& path,
             const Query& query, const Json* body = nullptr);
  Answer SendRequest(const Call& call, const Account& account, net::ClientRequest request, bool with_token = true);
  Outcome Upload(const Call& call, const Account& account, const Write& write);
  Answer StartUpload(const Call& call, const Account& account, const Draft& draft, int64_t size);
  Outcome SendVideo(const Call& call, const Account& account, const Media& media, Session& session);
  Answer SendPiece(const Call& call, const Account& account, const Session& session, const std::string& range,
                   std::string piece);
  std::string SetThumbnail(const Call& call, const Account& account, const std::string& video, const Media& thumbnail);
  Outcome Reply(const Call& call, const Account& account, const Write& write);
  Outcome Moderate(const Call& call, const Account& account, const Write& write, const char* status, bool ban);
  Outcome Delete(const Call& call, const Account& account, const Write& write);
  StatusOr<std::vector<OwnItem>> OwnVideos(const Call& call, const Account& account, absl::Time since, int limit);
  StatusOr<std::vector<OwnItem>> OwnComments(const Call& call, const Account& account, const Write& write,
                                             absl::Time since, int limit);
  StatusOr<std::vector<OwnItem>> Target(const Call& call, const Account& account, const Write& write);

  net::HttpClient& http_;
  const Clock& clock_;
  Capabilities capabilities_;
};

}  // namespace parvis::networks
