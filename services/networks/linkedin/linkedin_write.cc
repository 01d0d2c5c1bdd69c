// What is written to LinkedIn.
#include "networks/linkedin/linkedin.h"
#include "networks/linkedin/linkedin_text.h"
#include "networks/text/unicode.h"
#include "networks/wire/check.h"
#include "networks/wire/wait.h"

namespace parvis::networks {
namespace {

constexpr int kTries = 4;   // of a post whose assets are too new
constexpr absl::Duration kFirstPause = absl::Milliseconds(200);
constexpr absl::Duration kForThePost = absl::Seconds(3);

Outcome Accepted(const Answer& answer, std::string id, const std::string& post) {
  Outcome out;
  out.kind = OutcomeKind::kAccepted;
  out.remote_id = std::move(id);
  if (!post.empty()) out.permalink = LinkedInPermalink(post);
  out.rate = answer.rate;
  return out;
}

// Right after its upload an asset may be forbidden for a while.
bool IsForbidden(const Answer& answer) {
  return answer.answered() && answer.http.http_status == 403 && answer.refusal.error == ErrorClass::kPermission;
}

}  // namespace

// "Content is a duplicate of urn:li:share:1": the post may be what an earlier try of this delivery made, whose answer
// was lost. It is taken for that when it is the page's and says the same.
Outcome LinkedInConnector::Adopt(const Call& call, const Account& account, const Write& write, const Answer& answer) {
  const std::string urn = PostUrnIn(Text(answer.json, "message"));
  Outcome refused = FailedWrite(answer, account);
  if (urn.empty()) return refused;
  const Answer post = Ask(call, account, "GET", "/rest/posts/" + net::UrlEncode(urn));
  if (!post.ok()) return refused;
  OwnItem item;
  item.text = FromLittleText(Text(post.json, "commentary"));
  if (Text(post.json, "author") != OrganisationUrn(account.remote_id) || !Matches(write, item)) return refused;
  return Accepted(answer, urn, urn);
}

Outcome LinkedInConnector::Post(const Call& call, const Account& account, const Write& write) {
  Json body = {{"author", OrganisationUrn(account.remote_id)},
               {"commentary", ToLittleText(CommentaryOf(write.draft))},
               {"visibility", "PUBLIC"},
               {"distribution",
                {{"feedDistribution", "MAIN_FEED"},
                 {"targetEntities", Json::array()},
                 {"thirdPartyDistributionChannels", Json::array()}}},
               {"lifecycleState", "PUBLISHED"},
               {"isReshareDisabledByAuthor", false}};
  Outcome failed;
  if (!AddContent(call, account, write.draft, &body, &failed)) {
    failed.budget = "media";  // what an upload's answer says holds for uploads
    return failed;
  }
  const bool shows_media = !write.draft.media.empty();
  Answer answer = Ask(call, account, "POST", "/rest/posts", &body);
  // The refused call did nothing. The same assets are shown again: uploaded anew they would be as new as these were.
  absl::Duration pause = kFirstPause;
  for (int tries = 1; shows_media && IsForbidden(answer) && tries < kTries; ++tries, pause *= 2) {
    if (!WaitWithin(call, clock_, pause, kForThePost)) break;
    answer = Ask(call, account, "POST", "/rest/posts", &body);
  }
  if (answer.answered() && answer.refusal.error == ErrorClass::kDuplicate) return Adopt(call, account, write, answer);
  if (!answer.ok()) {
    Outcome out = FailedWrite(answer, account);
    // That this page may post, the upload has shown.
    if (shows_media && IsForbidden(answer)) {
      out.kind = OutcomeKind::kNotSent;
      out.error = ErrorClass::kTransient;
      out.reason = ReasonName(out.error);
    }
    return out;
  }
  std::string urn = net::HeaderOf(answer.http.headers, "x-restli-id");
  if (urn.empty()) urn = net::HeaderOf(answer.http.headers, "x-linkedin-id");
  if (urn.empty()) urn = Text(answer.json, "id");
  if (urn.empty()) return UnclearWrite(answer);
  // The header may carry the URN as a path would: "urn%3Ali%3Ashare%3A1".
  if (const auto decoded = net::UrlDecode(urn, false); decoded.ok()) urn = *decoded;
  return Accepted(answer, urn, urn);
}

Outcome LinkedInConnector::Comment(const Call& call, const Account& account, const Write& write) {
  const auto target = ParseCommentUrn(write.target_remote_id);
  Json body = {{"actor", OrganisationUrn(account.remote_id)},
               {"object", target ? target->object : write.target_remote_id},
               {"message", {{"text", TextWithLink(write.draft)}}}};
  if (!write.draft.media.empty()) {
    Outcome failed;
    const std::string image = UploadImage(call, account, write.draft.media[0], "images", &failed);
    if (image.empty()) {
      failed.budget = "media";
      return failed;
    }
    body["content"] = Json::array({{{"entity", {{"image", image}}}}});
  }
  const auto send = [&](const std::string& below) {
    if (target) body["parentComment"] = below;
    return Ask(call, account, "POST", "/rest/socialActions/" + net::UrlEncode(below) + "/comments", &body);
  };
  std::string below = target ? target->Text() : write.target_remote_id;
  Answer answer = send(below);
  if (target && answer.answered() && answer.refusal.error == ErrorClass::kInvalid) {
    // There are two levels: who answers a reply answers its top-level comment.
    const Answer comment = AskComment(call, account, below);
    const auto parent = ParseCommentUrn(Text(comment.json, "parentComment"));
    if (comment.ok() && parent) {
      below = parent->Text();
      answer = send(below);
    }
  }
  if (!answer.ok()) return FailedWrite(answer, account);
  std::string urn = Text(answer.json, "commentUrn");
  if (urn.empty()) urn = Text(answer.json, "$URN");
  std::string id = Text(answer.json, "id");
  if (id.empty()) id = net::HeaderOf(answer.http.headers, "x-restli-id");
  if (urn.empty() && !id.empty()) {
    const std::string object = Text(answer.json, "object");
    urn = CommentUrn{object.empty() ? Text(body, "object") : object, id}.Text();
  }
  const auto parsed = ParseCommentUrn(urn);
  if (!parsed) return UnclearWrite(answer);
  return Accepted(answer, parsed->Text(), write.post_remote_id.empty() ? parsed->object : write.post_remote_id);
}

Outcome LinkedInConnector::Remove(const Call& call, const Account& account, const Write& write) {
  const auto comment = ParseCommentUrn(write.target_remote_id);
  const std::string path = comment ? "/rest/socialActions/" + net::UrlEncode(comment->object) + "/comments/" +
                                         comment->id + "?actor=" + net::UrlEncode(OrganisationUrn(account.remote_id))
                                   : "/rest/posts/" + net::UrlEncode(write.target_remote_id);
  const Answer answer = Ask(call, account, "DELETE", path);
  return SettledWrite(answer, account, write.target_remote_id);
}

Outcome LinkedInConnector::CarryOut(const Call& call, const Account& account, const Write& write) {
  if (write.kind == WriteKind::kPost && !write.target_remote_id.empty()) {
    return RefusedBeforeSending(ErrorClass::kInvalid, capabilities_.WhyNot(Feature::kThread));
  }
  switch (write.kind) {
    case WriteKind::kPost:
      return Post(call, account, write);
    case WriteKind::kReply:
      return Comment(call, account, write);
    case WriteKind::kDelete:
      return Remove(call, account, write);
    default:
      break;
  }
  return RefusedBeforeSending(ErrorClass::kInvalid, capabilities_.WhyNot(write.kind));
}

}  // namespace parvis::networks
