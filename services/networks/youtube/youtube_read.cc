// What is read from YouTube: who we are, our own videos and comments, the counters.
#include <algorithm>

#include "networks/text/unicode.h"
#include "networks/youtube/youtube.h"

namespace parvis::networks {
namespace {

constexpr size_t kIdsMax = 50;  // a request (facts 4.3)

OwnItem VideoOf(const Json& item) {
  const Json& snippet = Member(item, "snippet");
  OwnItem out;
  out.remote_id = Text(Member(item, "contentDetails"), "videoId");
  if (out.remote_id.empty()) out.remote_id = Text(Member(snippet, "resourceId"), "videoId");
  out.permalink = "https://www.youtube.com/watch?v=" + out.remote_id;
  out.text = Text(snippet, "title") + "\n" + Text(snippet, "description");
  out.created_at = ParseIsoTime(Text(snippet, "publishedAt")).value_or(absl::InfinitePast());
  out.hidden = Text(Member(item, "status"), "privacyStatus") == "private";
  return out;
}

OwnItem CommentOf(const Json& comment) {
  const Json& snippet = Member(comment, "snippet");
  OwnItem out;
  out.remote_id = Text(comment, "id");
  out.text = Text(snippet, "textOriginal");
  if (out.text.empty()) out.text = Text(snippet, "textDisplay");
  out.parent_remote_id = Text(snippet, "parentId");
  if (out.parent_remote_id.empty() && TopLevelComment(out.remote_id) != out.remote_id) {
    out.parent_remote_id = TopLevelComment(out.remote_id);
  }
  out.created_at = ParseIsoTime(Text(snippet, "publishedAt")).value_or(absl::InfinitePast());
  const std::string status = Text(snippet, "moderationStatus");
  out.hidden = !status.empty() && status != "published";
  return out;
}

bool IsOurs(const Json& comment, const std::string& us) {
  return Text(Member(Member(comment, "snippet"), "authorChannelId"), "value") == us;
}

// The counters are texts of unsigned numbers and are missing where they are hidden.
void Take(const Json& statistics, const char* theirs, const char* ours, Counts* counts) {
  const std::string value = Text(statistics, theirs);
  if (value.empty() || value.size() > 18 || value.find_first_not_of("0123456789") != std::string::npos) return;
  counts->values[ours] = std::stoll(value);
}

const Json& ItemsOf(const Answer& answer) { return Member(answer.json, "items"); }
bool IsList(const Json& items) { return items.is_array() && items.size() <= kPageItemsMax; }

}  // namespace

StatusOr<Identity> YouTubeConnector::WhoAmI(const Call& call, const Account& account) {
  const Answer answer = Ask(call, account, "GET", "/youtube/v3/channels", {{"part", "snippet"}, {"mine", "true"}});
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& items = ItemsOf(answer);
  if (items.is_null() || (items.is_array() && items.empty())) {  // an answer without results leaves the list out
    if (!answer.json.is_object()) return UnintelligibleRead();
    return MakeError(Code::kNotFound, "NOT_FOUND", "this Google account has no YouTube channel");
  }
  if (!IsList(items)) return UnintelligibleRead();
  const Json& snippet = Member(items[0], "snippet");
  Identity identity;
  identity.remote_id = Text(items[0], "id");
  identity.name = Text(snippet, "title");
  identity.handle = Text(snippet, "customUrl");
  if (!identity.handle.empty() && identity.handle[0] == '@') identity.handle.erase(0, 1);
  identity.url = "https://www.youtube.com/channel/" + identity.remote_id;
  if (identity.remote_id.empty()) return UnintelligibleRead();
  return identity;
}

// The uploads playlist, newest first; search.list would show them too and has a hundred calls a day.
StatusOr<std::vector<OwnItem>> YouTubeConnector::OwnVideos(const Call& call, const Account& account, absl::Time since,
                                                           int limit) {
  const Answer channel =
      Ask(call, account, "GET", "/youtube/v3/channels", {{"part", "contentDetails"}, {"id", account.remote_id}});
  if (!channel.ok()) return FailedRead(channel, account);
  const Json& channels = ItemsOf(channel);
  const std::string playlist = IsList(channels) && !channels.empty()
                                   ? Text(Member(Member(channels[0], "contentDetails"), "relatedPlaylists"), "uploads")
                                   : "";
  if (playlist.empty()) return UnintelligibleRead();
  std::vector<OwnItem> out;
  PARVIS_RETURN_IF_ERROR(ReadPages(
      account,
      [&](const std::string& token) {
        Query query = {{"part", "snippet,contentDetails,status"},
                       {"playlistId", playlist},
                       {"maxResults", std::to_string(std::clamp(limit, 1, 50))}};
        if (!token.empty()) query.emplace_back("pageToken", token);
        return Ask(call, account, "GET", "/youtube/v3/playlistItems", query);
      },
      [&](const Answer& answer) -> StatusOr<std::string> {
        const Json& items = ItemsOf(answer);
        if (!IsList(items)) return UnintelligibleRead();
        bool all_older = !items.empty();
        for (const Json& one : items) {
          OwnItem item = VideoOf(one);
          if (item.created_at < since) continue;
          all_older = false;
          out.push_back(std::move(item));
        }
        return all_older ? "" : Text(answer.json, "nextPageToken");
      }));
  return out;
}

StatusOr<std::vector<OwnItem>> YouTubeConnector::OwnComments(const Call& call, const Account& account,
                                                             const Write& write, absl::Time since, int limit) {
  const bool on_video = write.target_remote_id == write.post_remote_id;
  std::vector<OwnItem> out;
  PARVIS_RETURN_IF_ERROR(ReadPages(
      account,
      [&](const std::string& token) {
        Query query = {{"part", "snippet"},
                       {"maxResults", std::to_string(std::clamp(limit, 1, 100))},
                       {"textFormat", "plainText"}};
        query.emplace_back(on_video ? "videoId" : "parentId",
                           on_video ? write.target_remote_id : TopLevelComment(write.target_remote_id));
        if (on_video) query.emplace_back("order", "time");
        if (!token.empty()) query.emplace_back("pageToken", token);
        return Ask(call, account, "GET", on_video ? "/youtube/v3/commentThreads" : "/youtube/v3/comments", query);
      },
      [&](const Answer& answer) -> StatusOr<std::string> {
        const Json& items = ItemsOf(answer);
        if (!IsList(items)) return UnintelligibleRead();
        bool all_older = on_video && !items.empty();  // replies are not promised in the order of time
        for (const Json& one : items) {
          const Json& comment = on_video ? Member(Member(one, "snippet"), "topLevelComment") : one;
          OwnItem item = CommentOf(comment);
          if (item.created_at < since) continue;
          all_older = false;
          if (IsOurs(comment, account.remote_id)) out.push_back(std::move(item));
        }
        return all_older ? "" : Text(answer.json, "nextPageToken");
      }));
  std::stable_sort(out.begin(), out.end(),
                   [](const OwnItem& a, const OwnItem& b) { return a.created_at > b.created_at; });
  return out;
}

// The comment itself. Asked for by its id it is shown without its moderation status (memory): then it counts as not yet
// in the wanted state, and setting that again does no harm.
StatusOr<std::vector<OwnItem>> YouTubeConnector::Target(const Call& call, const Account& account, const Write& write) {
  if (write.kind == WriteKind::kBan) {
    return MakeError(Code::kFailedPrecondition, "READ_BACK_IMPOSSIBLE", "YouTube does not show whether a ban happened");
  }
  const std::string& id = write.target_remote_id;
  Answer answer =
      Ask(call, account, "GET", "/youtube/v3/comments", {{"part", "snippet"}, {"id", id}, {"textFormat", "plainText"}});
  if (answer.ok() && IsList(ItemsOf(answer)) && !ItemsOf(answer).empty()) {
    const Json& comment = ItemsOf(answer)[0];
    const std::string status = Text(Member(comment, "snippet"), "moderationStatus");
    OwnItem item = CommentOf(comment);
    if (item.remote_id.empty()) return UnintelligibleRead();
    if (write.kind == WriteKind::kDelete && status == "rejected") return std::vector<OwnItem>();
    if (status.empty()) item.hidden = write.kind != WriteKind::kHide;
    return std::vector<OwnItem>{std::move(item)};
  }
  const bool none =
      (answer.answered() && answer.refusal.error == ErrorClass::kNotFound) ||
      (answer.ok() && (IsList(ItemsOf(answer)) || (answer.json.is_object() && ItemsOf(answer).is_null())));
  if (!none) return answer.ok() ? StatusOr<std::vector<OwnItem>>(UnintelligibleRead()) : FailedRead(answer, account);
  if (write.kind != WriteKind::kDelete) return std::vector<OwnItem>();
  answer = Ask(call, account, "GET", "/youtube/v3/videos", {{"part", "snippet,status"}, {"id", id}});
  if (answer.answered() && answer.refusal.error == ErrorClass::kNotFound) return std::vector<OwnItem>();
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& videos = ItemsOf(answer);
  if (!IsList(videos)) return UnintelligibleRead();
  if (videos.empty()) return std::vector<OwnItem>();
  OwnItem video = VideoOf(videos[0]);
  video.remote_id = id;
  return std::vector<OwnItem>{std::move(video)};
}

StatusOr<std::vector<OwnItem>> YouTubeConnector::ReadBack(const Call& call, const Account& account, const Write& write,
                                                          absl::Time since, int limit) {
  since -= absl::Seconds(1);  // times are in whole seconds
  if (write.kind == WriteKind::kPost) return OwnVideos(call, account, since, limit);
  if (write.kind == WriteKind::kReply) return OwnComments(call, account, write, since, limit);
  return Target(call, account, write);
}

StatusOr<Measurement> YouTubeConnector::Measure(const Call& call, const Account& account,
                                                const std::vector<std::string>& post_remote_ids) {
  if (post_remote_ids.size() > kIdsMax) {
    return InvalidField("post_remote_ids", "TOO_MANY", "at most " + std::to_string(kIdsMax) + " at once");
  }
  const bool channel = post_remote_ids.empty();
  std::string ids = channel ? account.remote_id : "";
  for (const std::string& id : post_remote_ids) ids += (ids.empty() ? "" : ",") + id;
  const Answer answer = Ask(call, account, "GET", channel ? "/youtube/v3/channels" : "/youtube/v3/videos",
                            {{"part", "statistics"}, {"id", ids}, {"maxResults", "50"}});
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& items = ItemsOf(answer);
  if (!IsList(items)) return UnintelligibleRead();
  Measurement out{{}, answer.rate};
  for (const Json& one : items) {
    Counts counts;
    counts.remote_id = Text(one, "id");
    if (counts.remote_id.empty()) continue;
    const Json& statistics = Member(one, "statistics");
    Take(statistics, "viewCount", "views", &counts);
    if (channel) {
      const Json& hidden = Member(statistics, "hiddenSubscriberCount");
      if (!hidden.is_boolean() || !hidden.get<bool>()) Take(statistics, "subscriberCount", "followers", &counts);
      Take(statistics, "videoCount", "posts", &counts);
    } else {
      Take(statistics, "likeCount", "likes", &counts);
      Take(statistics, "commentCount", "comments", &counts);
    }
    out.counts.push_back(std::move(counts));
  }
  return out;
}

}  // namespace parvis::networks
