#include "sandbox/network/youtube_webhooks.h"

#include "sandbox/domain/cat.h"
#include "sandbox/network/signature.h"

namespace parvis::sandbox {
namespace {

constexpr char kHub[] = "https://pubsubhubbub.appspot.com/";
constexpr char kOpen[] =
    "<?xml version='1.0' encoding='UTF-8'?>\n<feed xmlns:yt=\"http://www.youtube.com/xml/schemas/2015\" "
    "xmlns=\"http://www.w3.org/2005/Atom\"";

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') out.push_back(c);  // XML has no others
    }
  }
  return out;
}

// With the micro- or nanoseconds that these feeds have, and the API has not.
std::string Time(absl::Time time, bool fine) {
  return absl::FormatTime(fine ? "%Y-%m-%dT%H:%M:%E9S+00:00" : "%Y-%m-%dT%H:%M:%S+00:00", time, absl::UTCTimeZone());
}

std::string Topic(const std::string& channel, bool newer) {
  return Cat("https://www.youtube.com/", newer ? "xml/" : "", "feeds/videos.xml?channel_id=", channel);
}

std::string Head(const std::string& channel, absl::Time now) {
  return Cat("<link rel=\"hub\" href=\"", kHub, "\"/><link rel=\"self\" href=\"", Topic(channel, false),
             "\"/><title>YouTube video feed</title><updated>", Time(now, true), "</updated>");
}

}  // namespace

// Uploads, changes of title and description, deletions; private videos are in no feed. Comments are never told.
bool YoutubeWebhooks::Tells(const Notice& notice) const {
  if (notice.item->kind != Item::Kind::kPost || !notice.item->published) return false;
  return notice.kind == Notice::Kind::kAdd || notice.kind == Notice::Kind::kEdit ||
         notice.kind == Notice::Kind::kRemove;
}

bool YoutubeWebhooks::Together(const StyleSettings&, const Notice&, const Notice&) const { return false; }

std::string YoutubeWebhooks::Body(const StyleSettings&, const std::vector<Notice>& notices, absl::Time now) const {
  const Notice& notice = notices.front();
  const Item& video = *notice.item;
  const std::string& channel = notice.account->id;
  const std::string uri = Cat("https://www.youtube.com/channel/", channel);
  if (notice.kind == Notice::Kind::kRemove) {
    return Cat(
        "<?xml version='1.0' encoding='UTF-8'?>\n<feed xmlns:at=\"http://purl.org/atompub/tombstones/1.0\" "
        "xmlns=\"http://www.w3.org/2005/Atom\"><at:deleted-entry ref=\"yt:video:",
        video.id, "\" when=\"", Time(notice.time, false),
        "\">\n<link href=\"https://www.youtube.com/watch?v=", video.id, "\"/>\n<at:by>\n<name>",
        Escaped(notice.account->name), "</name>\n<uri>", uri, "</uri>\n</at:by>\n</at:deleted-entry></feed>\n");
  }
  return Cat(kOpen, ">", Head(channel, now), "\n<entry>\n<id>yt:video:", video.id, "</id>\n<yt:videoId>", video.id,
             "</yt:videoId>\n<yt:channelId>", channel, "</yt:channelId>\n<title>", Escaped(video.title),
             "</title>\n<link rel=\"alternate\" href=\"https://www.youtube.com/watch?v=", video.id,
             "\"/>\n<author>\n<name>", Escaped(notice.account->name), "</name>\n<uri>", uri,
             "</uri>\n</author>\n<published>", Time(video.created, false), "</published>\n<updated>",
             Time(notice.time, true), "</updated>\n</entry></feed>\n");
}

std::string YoutubeWebhooks::Odd(const StyleSettings&, const Notice& like, absl::Time now) const {
  return Cat(kOpen, " xmlns:new=\"http://www.youtube.com/xml/schemas/2031\">", Head(like.account->id, now),
             "<new:hologram depth=\"3\"><new:part/>🛸</new:hologram></feed>\n");
}

void YoutubeWebhooks::Dress(const StyleSettings& settings, const std::string& body, const Notice& like,
                            net::Headers* headers) const {
  const std::string method = settings.shape.empty() ? "sha1" : settings.shape;
  (*headers)["Content-Type"] = "application/atom+xml";
  (*headers)["User-Agent"] = "FeedFetcher-Google; (+http://www.google.com/feedfetcher.html)";
  (*headers)["Link"] = Cat("<", Topic(like.account->id, false), ">; rel=self, <", kHub, ">; rel=hub");
  if (settings.secret.empty()) return;  // a subscriber need not give one
  (*headers)["X-Hub-Signature"] = Cat(method, "=", HmacHexBy(method, settings.secret, body));
}

std::optional<Challenge> YoutubeWebhooks::MakeChallenge(const StyleSettings& settings, Rng& rng) const {
  const std::string challenge =
      std::to_string(1'000'000'000'000'000'000 + static_cast<int64_t>(rng.Below(1'000'000'000)));
  std::string query = Cat("hub.topic=", net::UrlEncode(Topic(settings.account, rng.Chance(0.5))),
                          "&hub.challenge=", challenge, "&hub.mode=subscribe&hub.lease_seconds=432000");
  if (!settings.verify_token.empty())
    Append(query, "&hub.verify_token=", net::UrlEncode(settings.verify_token.Reveal()));
  return Challenge{query, challenge};
}

// The challenge and nothing else.
bool YoutubeWebhooks::Answered(const std::string& expected, const std::string& body) const { return body == expected; }

}  // namespace parvis::sandbox
