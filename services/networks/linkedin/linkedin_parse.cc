#include "networks/linkedin/linkedin_parse.h"

#include "networks/linkedin/linkedin_text.h"
#include "networks/text/unicode.h"
#include "networks/wire/webhook_json.h"

namespace parvis::networks {
namespace {

constexpr size_t kIdMax = 256;
constexpr int64_t kMillisMax = 253'402'300'799'000;  // the year 9999

std::string MessageOf(const Json& object) {
  const Json& message = Member(object, "message");
  const std::string text = message.is_object() ? Text(message, "text") : Text(object, "text");
  return text::CutBytes(text::ToUtf8(text), kHappeningTextMax);
}

// The same comment is told of by a webhook, which knows when it was reported, and read back, which knows when it was
// made: only the number says both times the same.
int64_t RevisionOfNew(const std::string& id, absl::Time otherwise) {
  return RevisionOf(TimeInId(id).value_or(otherwise));
}

bool IsCommentUrn(const std::string& urn) { return urn.compare(0, 15, "urn:li:comment:") == 0; }

}  // namespace

std::optional<absl::Time> LinkedInTime(const Json& object, const char* key) {
  const Json& member = Member(object, key);
  const Json& value = member.is_object() ? Member(member, "time") : member;
  if (!value.is_number_integer()) return std::nullopt;
  const int64_t millis = value.get<int64_t>();
  if (millis < 0 || millis > kMillisMax) return std::nullopt;
  return absl::FromUnixMillis(millis);
}

std::vector<Happening> LinkedInComment(const Json& comment, const std::string& organisation, const std::string& post) {
  std::string urn = CleanText(comment, "commentUrn");
  if (urn.empty()) urn = CleanText(comment, "$URN");
  if (urn.empty()) urn = CommentUrn{CleanText(comment, "object"), CleanText(comment, "id")}.Text();
  const auto id = ParseCommentUrn(urn);
  const auto created = LinkedInTime(comment, "created");
  if (!id || !created) return {};
  Happening h;
  h.account_remote_id = organisation;
  h.remote_id = id->Text();
  const auto parent = ParseCommentUrn(CleanText(comment, "parentComment"));
  h.thread = h.conversation = parent ? parent->Text() : h.remote_id;
  h.post_remote_id = post;
  h.parent_remote_id = parent ? parent->Text() : post;
  h.author_remote_id = CleanText(comment, "actor");
  h.by_us = h.author_remote_id == organisation;
  h.text = MessageOf(comment);
  h.occurred_at = *created;
  h.revision = RevisionOfNew(id->id, *created);
  h.permalink = LinkedInPermalink(post);
  std::vector<Happening> out = {h};
  // The time of the last change is the comment's own at first, give or take what writing it took.
  const auto changed = LinkedInTime(comment, "lastModified");
  if (changed && *changed > *created + absl::Seconds(2)) {
    h.kind = Happening::Kind::kEdit;
    h.occurred_at = *changed;
    h.revision = RevisionOf(*changed);
    out.push_back(std::move(h));
  }
  return out;
}

std::vector<Happening> LinkedInNotification(const Json& notification, std::string* missing) {
  const std::string action = Text(notification, "action");
  const bool mention = action == "SHARE_MENTION" || action == "COMMENT_MENTION";
  const bool edit = action == "COMMENT_EDIT", removal = action == "COMMENT_DELETE";
  if (!mention && !edit && !removal && action != "COMMENT" && action != "ADMIN_COMMENT") return {};
  const Json& decorated = Member(notification, "decoratedGeneratedActivity");
  const Json& comment = Member(decorated, "comment");
  const Json& share = Member(decorated, "share");
  const Json& what = comment.is_object() ? comment : share.is_object() ? share : decorated;
  std::string urn = CleanText(what, "entity");
  if (urn.empty()) urn = CleanText(notification, "generatedActivity");
  const auto id = ParseCommentUrn(urn);
  if (id) urn = id->Text();
  const auto time = LinkedInTime(notification, "lastModifiedAt");
  const std::string organisation = CleanText(notification, "organizationalEntity");
  if (urn.empty() || organisation.empty() || !time || (!id && !mention)) {
    *missing = "a notification without its comment or share, organizationalEntity or lastModifiedAt";
    return {};
  }
  Happening h;
  h.account_remote_id = organisation;
  h.remote_id = urn;
  // The share's own URN, which is what publishing it answered; the activity is another name for it.
  std::string post = CleanText(Member(notification, "decoratedSourcePost"), "entity");
  if (post.empty()) post = CleanText(notification, "sourcePost");
  std::string above = CleanText(what, "parentComment");
  if (above.empty()) above = CleanText(what, "object");
  const auto parent = IsCommentUrn(above) ? ParseCommentUrn(above) : std::nullopt;
  h.thread = h.conversation = parent ? parent->Text() : h.remote_id;
  h.kind = mention   ? Happening::Kind::kMention
           : edit    ? Happening::Kind::kEdit
           : removal ? Happening::Kind::kRemoval
                     : Happening::Kind::kComment;
  if (!mention) {
    h.post_remote_id = post;
    h.parent_remote_id = parent ? parent->Text() : post;
  }
  h.author_remote_id = CleanText(what, "owner");
  if (h.author_remote_id.empty()) h.author_remote_id = CleanText(what, "actor");
  h.by_us = h.author_remote_id == organisation;
  h.text = removal ? "" : MessageOf(what);
  h.occurred_at = *time;
  h.revision = edit || removal ? RevisionOf(*time) : RevisionOfNew(id ? id->id : urn.substr(urn.rfind(':') + 1), *time);
  h.permalink = LinkedInPermalink(mention && !id ? urn : post);
  return {h};
}

std::optional<int64_t> LinkedInNextStart(const Json& page, int64_t start, int count) {
  const Json& elements = Member(page, "elements");
  const Json& paging = Member(page, "paging");
  const int64_t here = elements.is_array() ? static_cast<int64_t>(elements.size()) : 0;
  const Json& total = Member(paging, "total");
  const Json& links = Member(paging, "links");
  bool next = false;
  for (size_t i = 0; links.is_array() && i < links.size(); ++i) next = next || Text(links[i], "rel") == "next";
  // A page may be short or empty, because what one may not see was taken out of it, and still have a next one.
  const bool more = total.is_number_integer() ? start + count < total.get<int64_t>() || next : next || here >= count;
  if (!more || start > 1'000'000) return std::nullopt;
  return start + count;
}

}  // namespace parvis::networks
