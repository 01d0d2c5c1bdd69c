// Routing, token and quota.
#include "sandbox/transport/youtube.h"

#include "sandbox/domain/cat.h"
#include "sandbox/transport/youtube_json.h"

namespace parvis::sandbox {
namespace {

constexpr std::string_view kCommon =
    " part alt key fields prettyPrint access_token oauth_token quotaUser callback uploadType upload_protocol $.xgafv ";

bool Holds(std::string_view list, std::string_view word) {
  return !word.empty() && list.find(Cat(" ", word, " ")) != std::string_view::npos;
}

net::HttpResponse NoToken(bool sent) {
  net::HttpResponse response = sent ? YoutubeError(401, "global", "authError", "Invalid Credentials", "Authorization")
                                    : YoutubeError(401, "global", "required", "Login Required.", "Authorization");
  response.headers["WWW-Authenticate"] =
      Cat("Bearer realm=\"https://accounts.google.com/\"", sent ? ", error=\"invalid_token\"" : "");
  return response;
}

}  // namespace

AccountPtr Youtube::AccountOf(const net::HttpRequest& http) const {
  const std::optional<std::string> token = BearerOf(http);
  if (!token) return nullptr;
  const AccountPtr account = context_.world.FindByToken(Network::kYoutube, *token);
  return account == nullptr || account->token_state != TokenState::kValid ? nullptr : account;
}

Reply Youtube::Handle(const net::HttpRequest& http) {
  StatusOr<Request> read = ReadRequest(http, "/youtube");
  if (!read.ok()) return {YoutubeError(400, "global", "parseError", ToError(read.status()).message)};
  const Request& request = *read;
  std::vector<std::string> path = request.path;
  if (path.size() > 1 && path[0] == "resumable" && path[1] == "upload") path.erase(path.begin());
  const bool bytes = !path.empty() && path[0] == "upload";
  if (bytes) path.erase(path.begin());
  const net::HttpResponse nothing = YoutubeError(404, "global", "notFound", "Not Found");
  if (path.size() < 3 || path[0] != "youtube" || path[1] != "v3") return {nothing};
  path.erase(path.begin(), path.begin() + 2);
  const Query query = net::ParseQuery(http.query);
  const bool sent = http.headers.contains("authorization");
  const AccountPtr account = AccountOf(http);
  // The address of an upload under way is enough; a token that is sent besides must be right.
  if (bytes && path[0] == "videos" && query.contains("upload_id")) {
    return sent && account == nullptr ? Reply{NoToken(true)} : Session(request, query);
  }
  if (account == nullptr) return {NoToken(sent)};
  const Call call = CallOf(request, path, bytes);
  if (call.perform == nullptr) return {nothing};
  Asked asked{request, account, query, {}};
  return Guarded(asked, call);
}

Youtube::Call Youtube::CallOf(const Request& request, const std::vector<std::string>& path, bool bytes) {
  const std::string& method = request.http.method;
  if (bytes) {
    if (method != "POST") return {};
    if (path.size() == 1 && path[0] == "videos") {
      return {"media",
              "videos.insert",
              1,
              &Youtube::StartUpload,
              " notifySubscribers autoLevels stabilize ",
              " snippet status contentDetails id localizations recordingDetails processingDetails statistics "};
    }
    if (path.size() == 2 && path[0] == "thumbnails" && path[1] == "set") {
      return {"media", "units", 50, &Youtube::SetThumbnail, " videoId ", ""};
    }
    return {};
  }
  if (path.size() == 1 && (path[0] == "comments" || path[0] == "commentThreads"))
    return CommentCallOf(request, path[0]);
  if (path.size() == 2 && path[0] == "comments" && path[1] == "setModerationStatus" && method == "POST") {
    const auto query = net::ParseQuery(request.http.query);
    const auto status = query.find("moderationStatus"), ban = query.find("banAuthor");
    const std::string to = status == query.end() ? "" : status->second;
    const bool bans = ban != query.end() && ban->second == "true";
    const std::string_view operation = to == "published"  ? "unhide"
                                       : to != "rejected" ? "hide"
                                       : bans             ? "ban"
                                                          : "delete";
    return {operation, "units", 50, &Youtube::Moderate, " id moderationStatus banAuthor ", ""};
  }
  return path.size() == 1 ? VideoCallOf(request, path[0]) : Call{};
}

Youtube::Call Youtube::CommentCallOf(const Request& request, const std::string& what) {
  const std::string& method = request.http.method;
  if (what == "commentThreads") {
    if (method == "GET") {
      return {"list",
              "units",
              1,
              &Youtube::Threads,
              " allThreadsRelatedToChannelId channelId id videoId maxResults moderationStatus order pageToken "
              "searchTerms textFormat ",
              " id snippet replies "};
    }
    if (method == "POST") return {"reply", "units", 50, &Youtube::NewThread, " ", " snippet id "};
    return {};
  }
  if (method == "GET") {
    const bool one = net::ParseQuery(request.http.query).contains("id");
    return {one ? "read" : "list", "units", 1, &Youtube::Comments, " id parentId maxResults pageToken textFormat ",
            " id snippet "};
  }
  if (method == "POST") return {"reply", "units", 50, &Youtube::NewReply, " ", " snippet id "};
  if (method == "PUT") return {"edit", "units", 50, &Youtube::EditComment, " ", " snippet id "};
  if (method == "DELETE") return {"delete", "units", 50, &Youtube::DeleteComment, " id ", ""};
  return {};
}

Youtube::Call Youtube::VideoCallOf(const Request& request, const std::string& what) {
  const std::string& method = request.http.method;
  constexpr std::string_view kVideoParts =
      " id snippet status statistics contentDetails processingDetails localizations recordingDetails player "
      "topicDetails "
      "liveStreamingDetails fileDetails suggestions ";
  if (what == "videos") {
    if (method == "GET") {
      return {"read",     "units", 1, &Youtube::Videos, " id chart myRating maxResults pageToken hl regionCode ",
              kVideoParts};
    }
    if (method == "PUT") return {"edit", "units", 50, &Youtube::UpdateVideo, " ", kVideoParts};
    if (method == "DELETE") return {"delete", "units", 50, &Youtube::DeleteVideo, " id ", ""};
  }
  if (what == "channels" && method == "GET") {
    return {"identity",
            "units",
            1,
            &Youtube::Channels,
            " mine id forHandle forUsername maxResults pageToken hl ",
            " id snippet contentDetails statistics status brandingSettings topicDetails localizations auditDetails "};
  }
  if (what == "playlistItems" && method == "GET") {
    return {"list",
            "units",
            1,
            &Youtube::Playlist,
            " id playlistId maxResults pageToken videoId ",
            " id snippet contentDetails status "};
  }
  return {};
}

std::optional<net::HttpResponse> Youtube::WrongParameters(Asked& asked, const Call& call) const {
  for (const auto& [name, value] : asked.query) {
    if (!Holds(kCommon, name) && !Holds(call.known, name)) return YoutubeUnknownName(name, true);
  }
  if (call.parts.empty()) return std::nullopt;
  for (const std::string& one : AllOf(asked.request.http.query, "part")) {
    for (std::string& part : YoutubeList(one)) asked.parts.push_back(std::move(part));
  }
  if (asked.parts.empty()) return YoutubeError(400, "global", "required", "Required parameter: part", "part");
  for (const std::string& part : asked.parts) {
    if (!Holds(call.parts, part)) {
      return YoutubeError(400, "youtube.part", "unknownPart", Cat("'", part, "'"), "part");
    }
  }
  return std::nullopt;
}

// Used up for the day, or asked too fast.
net::HttpResponse Youtube::TooMuch(bool quota) const {
  if (quota) {
    return YoutubeError(403, "youtube.quota", "quotaExceeded",
                        "The request cannot be completed because you have exceeded your <a "
                        "href=\"/youtube/v3/getting-started#quota\">quota</a>.");
  }
  return YoutubeError(403, "usageLimits", "rateLimitExceeded", "Rate Limit Exceeded");
}

// The quota is the project's: all channels share it.
Reply Youtube::Guarded(Asked& asked, const Call& call) {
  const LimitState state =
      context_.limits.Take(Network::kYoutube, "", call.bucket, context_.clock.WallNow(), call.cost);
  if (state.limited && state.exceeded) return {TooMuch(true)};
  if (auto wrong = WrongParameters(asked, call)) return {*std::move(wrong)};
  return UnderFaults(context_, Network::kYoutube, asked.account->id, call.operation,
                     {.limited = [&] { return TooMuch(refusals_++ % 2 == 0); },
                      .forbidden =
                          [] {
                            return YoutubeError(403, "global", "insufficientPermissions",
                                                "Request had insufficient authentication scopes.");
                          }},
                     [&](Answer answer) { return (this->*call.perform)(asked, answer); });
}

ItemPtr Youtube::FindComment(const std::string& id) const {
  ItemPtr item = context_.world.Find(Network::kYoutube, id);
  return item == nullptr || item->deleted || item->kind != Item::Kind::kComment ? nullptr : item;
}

ItemPtr Youtube::FindVideo(const std::string& id) const {
  ItemPtr item = context_.world.Find(Network::kYoutube, id);
  return item == nullptr || item->deleted || item->kind != Item::Kind::kPost ? nullptr : item;
}

WriteContext Youtube::Us(const Account& account, const std::string& digest, Answer answer) const {
  return {.by = "us", .actor_id = account.id, .actor_name = account.name, .digest = digest, .answered = answer};
}

}  // namespace parvis::sandbox
