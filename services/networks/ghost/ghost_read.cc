// Finding out what became of a write, and counting.
#include <algorithm>

#include "networks/ghost/ghost_parts.h"
#include "networks/text/html.h"
#include "networks/text/unicode.h"

namespace parvis::networks {
namespace {

constexpr int kPageMax = 100;  // the site gives no more
constexpr size_t kMeasuredMax = 50;

OwnItem PostItem(const Json& json) {
  OwnItem item;
  item.remote_id = Text(json, "id");
  item.permalink = Text(json, "url");
  // The key stands at the end, where Matches looks for it.
  item.text = Text(json, "html") + Text(json, "codeinjection_foot");
  item.created_at = ParseIsoTime(Text(json, "created_at")).value_or(absl::InfinitePast());
  const std::string status = Text(json, "status");
  item.hidden = status != "published" && status != "sent";
  return item;
}

OwnItem CommentItem(const Json& json) {
  OwnItem item;
  item.remote_id = Text(json, "id");
  item.text = Text(json, "html");
  item.parent_remote_id = Text(json, "in_reply_to_id");
  if (item.parent_remote_id.empty()) item.parent_remote_id = Text(json, "parent_id");
  if (item.parent_remote_id.empty()) item.parent_remote_id = Text(Member(json, "post"), "id");
  item.created_at = ParseIsoTime(Text(json, "created_at")).value_or(absl::InfinitePast());
  item.hidden = Text(json, "status") != "published";
  return item;
}

int64_t Number(const Json& object, const char* key) {
  const Json& value = Member(object, key);
  return value.is_number_integer() && value.get<int64_t>() > 0 ? value.get<int64_t>() : 0;
}

std::string Encoded(const std::string& filter) { return "filter=" + net::UrlEncode(filter); }

}  // namespace

int64_t GhostNextPage(const Json& answer) {
  return std::max<int64_t>(0, NumberOf(Member(Member(answer, "meta"), "pagination"), "next"));
}

StatusOr<std::vector<OwnItem>> GhostConnector::ReadTarget(const Call& call, const Account& account,
                                                          const Write& write) {
  if (FeatureOf(write.kind) == Feature::kBan) {
    std::string member = write.target_author_id;
    if (member.empty()) {
      const Answer comment = Ask(call, account, "GET", "/comments/" + net::UrlEncode(write.target_remote_id) + "/", "");
      if (!comment.ok()) return FailedRead(comment, account);
      member = Text(Member(GhostOnly(comment.json, "comments"), "member"), "id");
    }
    const Answer answer = Ask(call, account, "GET", "/members/" + net::UrlEncode(member) + "/", "");
    if (answer.answered() && answer.refusal.error == ErrorClass::kNotFound) return std::vector<OwnItem>();
    if (!answer.ok()) return FailedRead(answer, account);
    const Json& can = Member(GhostOnly(answer.json, "members"), "can_comment");
    if (!can.is_boolean()) return UnintelligibleRead();
    OwnItem item;
    item.remote_id = member;
    item.hidden = !can.get<bool>();
    return std::vector<OwnItem>{item};
  }
  const bool post = write.target_remote_id == write.post_remote_id;
  const Answer answer =
      Ask(call, account, "GET", (post ? "/posts/" : "/comments/") + net::UrlEncode(write.target_remote_id) + "/", "");
  if (answer.answered() && answer.refusal.error == ErrorClass::kNotFound)
    return std::vector<OwnItem>();  // a deleted comment is one, too
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& one = GhostOnly(answer.json, post ? "posts" : "comments");
  OwnItem item = post ? PostItem(one) : CommentItem(one);
  if (item.remote_id.empty()) return UnintelligibleRead();
  if (!post && Text(one, "status") == "deleted") return std::vector<OwnItem>();
  return std::vector<OwnItem>{item};
}

StatusOr<std::vector<OwnItem>> GhostConnector::ReadBack(const Call& call, const Account& account, const Write& write,
                                                        absl::Time since, int limit) {
  const bool post = write.kind == WriteKind::kPost;
  if (!post && write.kind != WriteKind::kReply) return ReadTarget(call, account, write);
  // Times are kept in whole seconds. A draft is not yet what was wanted: it is left out.
  std::string filter = "created_at:>=" + GhostTime(since - absl::Seconds(1));
  filter +=
      post ? "+status:[published,sent]" : "+member_id:" + GhostLiteral(account.credentials.Get("member_id").Reveal());
  if (!post && IsGhostId(write.post_remote_id)) filter += "+post_id:" + GhostLiteral(write.post_remote_id);
  const std::string query = Encoded(filter) + "&order=" + net::UrlEncode("created_at desc, id desc") +
                            (post ? "&formats=html" : "") + "&limit=" + std::to_string(std::clamp(limit, 1, kPageMax));
  std::vector<OwnItem> out;
  PARVIS_RETURN_IF_ERROR(ReadPages(
      account,
      [&](const std::string& place) {
        return Ask(call, account, "GET", post ? "/posts/" : "/comments/",
                   query + "&page=" + (place.empty() ? "1" : place));
      },
      [&](const Answer& answer) -> StatusOr<std::string> {
        const Json& list = Member(answer.json, post ? "posts" : "comments");
        if (!list.is_array() || list.size() > kPageItemsMax) return UnintelligibleRead();
        for (const Json& one : list) out.push_back(post ? PostItem(one) : CommentItem(one));
        const int64_t next = GhostNextPage(answer.json);
        return next == 0 ? "" : std::to_string(next);
      }));
  return out;
}

bool GhostConnector::Matches(const Write& write, const OwnItem& item) const {
  const auto reads_as = [](const std::string& html) { return text::ForComparison(text::HtmlToText(html, false)); };
  switch (write.kind) {
    case WriteKind::kPost:
      if (item.hidden) return false;
      if (!write.idempotency_key.empty() && item.text.find("<!-- parvis:") != std::string::npos) {
        return item.text.find(GhostMarker(write.idempotency_key)) != std::string::npos;
      }
      return reads_as(GhostHtml(write.draft)) == reads_as(item.text);
    case WriteKind::kReply:
      return item.parent_remote_id == write.target_remote_id && reads_as(GhostHtml(write.draft)) == reads_as(item.text);
    case WriteKind::kHide:
    case WriteKind::kBan:
      return item.hidden;
    case WriteKind::kUnhide:
    case WriteKind::kUnban:
      return !item.hidden;
    default:
      return false;  // what is deleted and still there was not deleted
  }
}

StatusOr<Measurement> GhostConnector::MeasureSite(const Call& call, const Account& account) {
  Measurement out;
  Counts site;
  site.remote_id = account.remote_id;
  for (const char* what : {"members", "posts", "comments"}) {
    const std::string published = what == std::string("posts") ? "&" + Encoded("status:[published,sent]") : "";
    const Answer answer = Ask(call, account, "GET", std::string("/") + what + "/", "limit=1" + published);
    if (!answer.ok()) return FailedRead(answer, account);
    const Json& pagination = Member(Member(answer.json, "meta"), "pagination");
    if (!pagination.is_object()) return UnintelligibleRead();
    TakeRate(answer, &out.rate);
    site.values[what] = Number(pagination, "total");
  }
  out.counts.push_back(std::move(site));
  return out;
}

StatusOr<Measurement> GhostConnector::Measure(const Call& call, const Account& account,
                                              const std::vector<std::string>& post_remote_ids) {
  if (post_remote_ids.empty()) return MeasureSite(call, account);
  std::string ids;
  for (size_t i = 0; i < post_remote_ids.size() && i < kMeasuredMax; ++i) {
    if (IsGhostId(post_remote_ids[i])) ids += (ids.empty() ? "" : ",") + GhostLiteral(post_remote_ids[i]);
  }
  Measurement out;
  if (ids.empty()) return out;
  const Answer posts =
      Ask(call, account, "GET", "/posts/",
          Encoded("id:[" + ids + "]") + "&include=" + net::UrlEncode("email,count.clicks,count.positive_feedback") +
              "&limit=" + std::to_string(kMeasuredMax));
  if (!posts.ok()) return FailedRead(posts, account);
  const Json& list = Member(posts.json, "posts");
  if (!list.is_array() || list.size() > kPageItemsMax) return UnintelligibleRead();
  TakeRate(posts, &out.rate);
  for (const Json& post : list) {
    Counts counts;
    counts.remote_id = Text(post, "id");
    if (counts.remote_id.empty()) continue;
    // How many comments there are, the post does not say: the list of them does.
    const Answer comments =
        Ask(call, account, "GET", "/comments/", Encoded("post_id:" + GhostLiteral(counts.remote_id)) + "&limit=1");
    if (!comments.ok()) return FailedRead(comments, account);
    TakeRate(comments, &out.rate);
    counts.values["comments"] = Number(Member(Member(comments.json, "meta"), "pagination"), "total");
    const Json& count = Member(post, "count");
    counts.values["clicks"] = Number(count, "clicks");
    counts.values["likes"] = Number(count, "positive_feedback");
    if (const Json& email = Member(post, "email"); email.is_object()) {
      counts.values["emails"] = Number(email, "email_count");
      counts.values["opens"] = Number(email, "opened_count");
    }
    out.counts.push_back(std::move(counts));
  }
  return out;
}

}  // namespace parvis::networks
