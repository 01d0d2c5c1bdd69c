// What is read from the Graph API: who we are, and our own items.
#include <algorithm>

#include "networks/instagram/instagram.h"

namespace parvis::networks {
namespace {

constexpr int kPageMax = 100;  // items a request (facts 1.3)

OwnItem MediaItem(const Json& json) {
  OwnItem item;
  item.remote_id = Text(json, "id");
  item.permalink = Text(json, "permalink");
  item.text = Text(json, "caption");
  item.created_at = ParseIsoTime(Text(json, "timestamp")).value_or(absl::InfinitePast());
  return item;
}

OwnItem CommentItem(const Json& json) {
  OwnItem item;
  item.remote_id = Text(json, "id");
  item.text = Text(json, "text");
  item.parent_remote_id = Text(json, "parent_id");
  item.created_at = ParseIsoTime(Text(json, "timestamp")).value_or(absl::InfinitePast());
  item.hidden = IsTrue(json, "hidden");
  return item;
}

// `user` is given of our own comments only, `from` of all where the token may see it.
bool IsOurs(const Json& comment, const Account& account) {
  return Text(Member(comment, "from"), "id") == account.remote_id || Text(Member(comment, "user"), "id") == account.remote_id;
}

}  // namespace

// With Facebook Login the token is a Page's, whose account it is; with Instagram Login it is the account's own.
StatusOr<Identity> InstagramConnector::WhoAmI(const Call& call, const Account& account) {
  const auto identity_of = [](const Json& json, const char* id_key) {
    Identity identity;
    identity.remote_id = Text(json, id_key);
    identity.name = Text(json, "name");
    identity.handle = Text(json, "username");
    if (identity.name.empty()) identity.name = identity.handle;
    if (!identity.handle.empty()) identity.url = "https://www.instagram.com/" + identity.handle + "/";
    return identity;
  };
  if (!account.remote_id.empty()) {
    const Answer answer = Ask(call, account, "GET", meta::Path(account.remote_id), {{"fields", "id,username,name"}});
    if (!answer.ok()) return FailedRead(answer, account);
    if (Text(answer.json, "id").empty()) return UnintelligibleRead();
    return identity_of(answer.json, "id");
  }
  const Answer page = Ask(call, account, "GET", "/me", {{"fields", "id,instagram_business_account{id,username,name}"}});
  const Json& linked = Member(page.json, "instagram_business_account");
  if (page.ok() && !Text(linked, "id").empty()) return identity_of(linked, "id");
  // To Instagram's own host the field is not known.
  if (!page.ok() && !(page.answered() && page.refusal.error == ErrorClass::kInvalid)) return FailedRead(page, account);
  const Answer answer = Ask(call, account, "GET", "/me", {{"fields", "user_id,username,name"}});
  if (!answer.ok()) return FailedRead(answer, account);
  if (Text(answer.json, "user_id").empty()) return UnintelligibleRead();
  return identity_of(answer.json, "user_id");
}

// Newest first; a page that reaches behind `since` is the last.
StatusOr<std::vector<OwnItem>> InstagramConnector::OwnMedia(const Call& call, const Account& account, bool stories,
                                                            absl::Time since, int limit) {
  std::vector<OwnItem> out;
  PARVIS_RETURN_IF_ERROR(ReadPages(
      account,
      [&](const std::string& after) {
        Fields fields = {{"fields", stories ? "id,permalink,timestamp" : "id,caption,permalink,timestamp"},
                         {"limit", std::to_string(std::clamp(limit, 1, kPageMax))}};
        if (!after.empty()) fields.emplace_back("after", after);
        return Ask(call, account, "GET", meta::Path(account.remote_id, stories ? "/stories" : "/media"), std::move(fields));
      },
      [&](const Answer& answer) -> StatusOr<std::string> {
        const Json& data = Member(answer.json, "data");
        if (!data.is_array() || data.size() > kPageItemsMax) return UnintelligibleRead();
        bool behind = false;
        for (const Json& one : data) {
          OwnItem item = MediaItem(one);
          // Whole seconds.
          behind = item.created_at < since - absl::Seconds(1);
          if (!behind && !item.remote_id.empty()) out.push_back(std::move(item));
        }
        return behind ? "" : meta::NextPage(answer.json);
      }));
  return out;
}

// Our own comments of an edge; its order is not relied on.
StatusOr<std::vector<OwnItem>> InstagramConnector::OwnComments(const Call& call, const Account& account,
                                                               const std::string& edge, absl::Time since, int limit) {
  std::vector<OwnItem> out;
  PARVIS_RETURN_IF_ERROR(ReadPages(
      account,
      [&](const std::string& after) {
        Fields fields = {{"fields", "id,text,timestamp,username,from,user,parent_id,hidden"},
                         {"limit", std::to_string(std::clamp(limit, 1, kPageMax))}};
        if (!after.empty()) fields.emplace_back("after", after);
        return Ask(call, account, "GET", edge, std::move(fields));
      },
      [&](const Answer& answer) -> StatusOr<std::string> {
        const Json& data = Member(answer.json, "data");
        if (!data.is_array() || data.size() > kPageItemsMax) return UnintelligibleRead();
        for (const Json& one : data) {
          OwnItem item = CommentItem(one);
          if (IsOurs(one, account) && item.created_at >= since - absl::Seconds(1)) out.push_back(std::move(item));
        }
        return meta::NextPage(answer.json);
      }));
  return out;
}

StatusOr<std::vector<OwnItem>> InstagramConnector::OwnReplies(const Call& call, const Account& account,
                                                              const Write& write, absl::Time since, int limit) {
  if (write.target_remote_id == write.post_remote_id) {
    return OwnComments(call, account, meta::Path(write.target_remote_id, "/comments"), since, limit);
  }
  PARVIS_ASSIGN_OR_RETURN(std::vector<OwnItem> out,
                          OwnComments(call, account, meta::Path(write.target_remote_id, "/replies"), since, limit));
  // An answer to an answer hangs below the top-level comment.
  const Answer answer = Ask(call, account, "GET", meta::Path(write.target_remote_id), {{"fields", "id,parent_id"}});
  if (!answer.ok()) return FailedRead(answer, account);
  const std::string parent = Text(answer.json, "parent_id");
  if (parent.empty()) return out;
  PARVIS_ASSIGN_OR_RETURN(std::vector<OwnItem> more,
                          OwnComments(call, account, meta::Path(parent, "/replies"), since, limit));
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

// What we wrote to the author of the comment.
StatusOr<std::vector<OwnItem>> InstagramConnector::OwnMessages(const Call& call, const Account& account,
                                                               const Write& write, absl::Time since) {
  std::string author = write.target_author_id;
  if (author.empty()) {
    const Answer answer = Ask(call, account, "GET", meta::Path(write.target_remote_id), {{"fields", "id,from"}});
    if (!answer.ok()) return FailedRead(answer, account);
    author = Text(Member(answer.json, "from"), "id");
    if (author.empty()) return CannotReadBack(write.kind, capabilities_);
  }
  return meta::MessagesTo(http_, call, account, "instagram", author, since);
}

StatusOr<std::vector<OwnItem>> InstagramConnector::ReadBack(const Call& call, const Account& account, const Write& write,
                                                            absl::Time since, int limit) {
  if (!capabilities_.Can(write.kind)) return CannotReadBack(write.kind, capabilities_);
  switch (write.kind) {
    case WriteKind::kPost: return OwnMedia(call, account, write.draft.format == PostFormat::kStory, since, limit);
    case WriteKind::kReply: return OwnReplies(call, account, write, since, limit);
    case WriteKind::kPrivateReply: return OwnMessages(call, account, write, since);
    default: break;
  }
  const bool lock = write.kind == WriteKind::kLock || write.kind == WriteKind::kUnlock;
  const bool hide = write.kind == WriteKind::kHide || write.kind == WriteKind::kUnhide;
  const Answer answer = Ask(call, account, "GET", meta::Path(write.target_remote_id),
                            {{"fields", lock   ? "id,is_comment_enabled"
                                        : hide ? "id,text,timestamp,hidden,parent_id"
                                               : "id"}});
  if (answer.answered() && answer.refusal.error == ErrorClass::kNotFound) return std::vector<OwnItem>();
  if (!answer.ok()) return FailedRead(answer, account);
  OwnItem item = CommentItem(answer.json);
  if (item.remote_id.empty()) return UnintelligibleRead();
  if (lock) {
    const Json& enabled = Member(answer.json, "is_comment_enabled");
    if (!enabled.is_boolean()) return UnintelligibleRead();
    item.hidden = !enabled.get<bool>();
  }
  return std::vector<OwnItem>{std::move(item)};
}

}  // namespace parvis::networks
