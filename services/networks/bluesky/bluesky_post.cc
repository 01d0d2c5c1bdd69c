#include "networks/bluesky/bluesky_post.h"

#include <algorithm>

#include "networks/bluesky/bluesky_ids.h"
#include "networks/text/unicode.h"
#include "networks/wire/answer.h"
#include "networks/wire/webhook_json.h"

namespace parvis::networks {

namespace {

void AddPictures(const Json& record, const std::string& did, Happening* h) {
  const Json& embed = Member(record, "embed");
  const Json& images = Member(Member(embed, "media").is_object() ? Member(embed, "media") : embed, "images");
  for (size_t i = 0; images.is_array() && i < images.size() && i < 20; ++i) {
    const std::string cid = Text(Member(Member(images[i], "image"), "ref"), "$link");
    if (cid.empty()) continue;
    h->attachments.emplace_back("image", "https://cdn.bsky.app/img/feed_fullsize/plain/" + did + "/" + cid + "@jpeg");
  }
}

// The text with each shortened or disguised link as what it leads to.
std::string TextWithLinks(const Json& record) {
  struct Stretch {
    size_t begin, end;
    std::string uri;
  };
  std::string out = Text(record, "text");
  std::vector<Stretch> links;
  const Json& facets = Member(record, "facets");
  for (size_t i = 0; facets.is_array() && i < facets.size() && i < 100; ++i) {
    const Json &index = Member(facets[i], "index"), &features = Member(facets[i], "features");
    const int64_t begin = NumberOf(index, "byteStart"), end = NumberOf(index, "byteEnd");
    const std::string uri = features.is_array() && !features.empty() ? Text(features[0], "uri") : "";
    if (uri.empty() || begin < 0 || end <= begin || end > static_cast<int64_t>(out.size())) continue;
    links.push_back({static_cast<size_t>(begin), static_cast<size_t>(end), uri});
  }
  std::sort(links.begin(), links.end(), [](const Stretch& a, const Stretch& b) { return a.begin > b.begin; });
  size_t upper = out.size();
  for (const Stretch& link : links) {  // from the end, so that the places before stay where they are
    if (link.end > upper) continue;    // overlaps another
    upper = link.begin;
    const size_t length = link.end - link.begin;
    if (link.uri.find(out.substr(link.begin, length)) == std::string::npos) out.replace(link.begin, length, link.uri);
  }
  return out;
}

// createdAt has milliseconds, the record key's clock microseconds: where both tell the same one, what was written within it has
// an order.
absl::Time Refined(absl::Time created, std::string_view rkey) {
  const auto micros = MicrosOfTid(rkey);
  return micros && *micros / 1000 == absl::ToUnixMillis(created) ? absl::FromUnixMicros(*micros) : created;
}

}  // namespace

std::optional<Happening> BlueskyHappening(const Json& post, const Account& account, const std::string& partner) {
  const Json &record = Member(post, "record"), &author = Member(post, "author");
  Happening h;
  h.remote_id = Text(post, "uri");
  h.author_remote_id = DidOf(h.remote_id);
  const auto seen = ParseIsoTime(Text(post, "indexedAt"));
  if (!IsBlueskyPost(h.remote_id) || !record.is_object() || !seen) return std::nullopt;
  const auto created = ParseIsoTime(Text(record, "createdAt"));
  h.account_remote_id = account.remote_id;
  h.by_us = h.author_remote_id == account.remote_id;
  const Json& reply = Member(record, "reply");
  h.parent_remote_id = Text(Member(reply, "parent"), "uri");
  h.thread = Text(Member(reply, "root"), "uri");
  // A reply is a reply whichever way it reached us: the kind is part of the natural key.
  h.kind = h.parent_remote_id.empty() ? Happening::Kind::kMention : Happening::Kind::kComment;
  if (h.thread.empty()) h.thread = h.remote_id;
  if (!h.parent_remote_id.empty()) h.post_remote_id = h.thread;
  h.conversation = h.thread + "/" + (h.by_us && !partner.empty() ? partner : h.author_remote_id);
  h.author_name = text::CutBytes(text::ToUtf8(Text(author, "displayName")), 1000);
  h.author_handle = Text(author, "handle");
  if (h.author_name.empty()) h.author_name = h.author_handle;
  h.text = text::CutBytes(text::ToUtf8(TextWithLinks(record)), kHappeningTextMax);
  // What claims to be of the future is of when it was seen.
  h.occurred_at = created ? Refined(std::clamp(*created, absl::UnixEpoch(), std::max(*seen, absl::UnixEpoch())),
                                    RkeyOf(h.remote_id))
                          : *seen;
  h.revision = created ? std::max<int64_t>(0, absl::ToUnixMicros(*created)) : 0;
  h.permalink = BlueskyPermalink(h.remote_id);
  AddPictures(record, h.author_remote_id, &h);
  return h;
}

Unparsed UnreadBlueskyPost(const Json& item) {
  Json alone = Json::object();
  for (auto it = item.begin(); item.is_object() && it != item.end(); ++it) {
    if (it.key() != "replies") alone[it.key()] = it.value();
  }
  return {Dump(item.is_object() ? alone : item), "MISSING_FIELD", "a post without uri, record or indexedAt"};
}

bool ConcernsUs(const Json& record, const Account& account) {
  const std::string& us = account.remote_id;
  const Json& reply = Member(record, "reply");
  for (const char* above : {"parent", "root"}) {
    if (DidOf(Text(Member(reply, above), "uri")) == us) return true;
  }
  const Json &facets = Member(record, "facets"), &embed = Member(record, "embed");
  for (size_t i = 0; facets.is_array() && i < facets.size() && i < 100; ++i) {
    const Json& features = Member(facets[i], "features");
    for (size_t k = 0; features.is_array() && k < features.size() && k < 10; ++k) {
      if (Text(features[k], "did") == us) return true;
    }
  }
  // A quote is the embed's record, or, beside pictures, the record of its record.
  const Json& quoted = Member(embed, "record");
  return DidOf(Text(quoted, "uri")) == us || DidOf(Text(Member(quoted, "record"), "uri")) == us;
}

}  // namespace parvis::networks
