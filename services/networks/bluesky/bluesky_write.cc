// Posts, replies and what hangs on them: facets, pictures, cards, quotes (facts 6.2). One call has the effect:
// putRecord.
#include "networks/bluesky/bluesky.h"
#include "networks/text/facets.h"
#include "networks/text/unicode.h"
#include "networks/wire/check.h"
#include "networks/wire/media.h"

namespace parvis::networks {
namespace {

bool IsRef(const Json& json) { return !Text(json, "uri").empty() && !Text(json, "cid").empty(); }

}  // namespace

std::optional<BlueskyConnector::Referred> BlueskyConnector::Refer(const Call& call, const Account& account,
                                                                  const std::string& uri, Outcome* failed) {
  Referred out;
  if (!IsBlueskyPost(uri)) {
    *failed =
        RefusedBeforeSending(ErrorClass::kInvalid, "\"" + text::CutBytes(text::ToUtf8(uri), 100) + "\" is no post");
    return std::nullopt;
  }
  // Ours from our own server, which knows what it was just told; others' from the AppView.
  const bool ours = IsOurBlueskyPost(uri, account);
  const Answer answer = ours ? GetRecord(call, account, kBlueskyPosts, RkeyOf(uri)) : GetPosts(call, account, {uri});
  if (!answer.ok()) {
    *failed = FailedWrite(answer, account, false);
    return std::nullopt;
  }
  const Json& posts = Member(answer.json, "posts");
  if (!ours && posts.is_array() && posts.empty()) {
    *failed = RefusedBeforeSending(ErrorClass::kNotFound, "the post is gone, or its author does not let us see it");
    return std::nullopt;
  }
  const Json none;
  const Json& post = ours ? answer.json : posts.is_array() ? posts[0] : none;
  out.ref = {{"uri", uri}, {"cid", Text(post, "cid")}};
  out.record = Member(post, ours ? "value" : "record");
  out.closed = IsTrue(Member(post, "viewer"), "replyDisabled");
  if (!IsRef(out.ref) || !out.record.is_object()) {
    *failed = Unusable(answer);
    return std::nullopt;
  }
  return out;
}

Json BlueskyConnector::Facets(const Call& call, const Account& account, const std::string& text,
                              std::optional<Outcome>* failed) {
  Json out = Json::array();
  const std::string type = "app.bsky.richtext.facet";
  for (const text::Facet& facet : text::FindFacets(text)) {
    Json feature;
    if (facet.kind == text::Facet::Kind::kMention) {
      const Answer answer =
          Ask(call, account, "com.atproto.identity.resolveHandle?handle=" + net::UrlEncode(facet.value));
      const ErrorClass error = answer.refusal.error;
      const bool nobody = answer.answered() && (error == ErrorClass::kInvalid || error == ErrorClass::kNotFound);
      if (nobody) continue;  // stays plain text, as in the network's own app
      if (!answer.ok()) {
        *failed = FailedWrite(answer, account, false);
        return out;
      }
      feature = {{"$type", type + "#mention"}, {"did", Text(answer.json, "did")}};
    } else if (facet.kind == text::Facet::Kind::kLink) {
      feature = {{"$type", type + "#link"}, {"uri", facet.value}};
    } else {
      feature = {{"$type", type + "#tag"}, {"tag", facet.value}};
    }
    out.push_back(
        {{"index", {{"byteStart", facet.begin}, {"byteEnd", facet.end}}}, {"features", Json::array({feature})}});
  }
  return out;
}

std::optional<Json> BlueskyConnector::Upload(const Call& call, const Account& account, const Media& media,
                                             Outcome* failed) {
  auto bytes = MediaBytes(http_, call, media, capabilities_.media_max_bytes);
  if (!bytes.ok()) {
    *failed = MediaFailed(bytes.status());
    return std::nullopt;
  }
  net::ClientRequest request;
  request.method = "POST";
  request.headers["Content-Type"] = media.type;
  request.body = *std::move(bytes);
  const Answer answer = SendRequest(call, account, "com.atproto.repo.uploadBlob", std::move(request));
  const Json& blob = Member(answer.json, "blob");
  if (!answer.ok() || !blob.is_object()) {
    *failed = answer.ok() ? Unusable(answer) : FailedWrite(answer, account, false);
    return std::nullopt;
  }
  return blob;
}

bool BlueskyConnector::AddEmbed(const Call& call, const Account& account, const Draft& draft, Json* record,
                                Outcome* failed) {
  Json media;
  if (!draft.media.empty()) {
    Json images = Json::array();
    for (const Media& one : draft.media) {
      const auto blob = Upload(call, account, one, failed);
      if (!blob) return false;
      Json image = {{"image", *blob}, {"alt", one.alt_text}};
      if (one.width > 0 && one.height > 0) image["aspectRatio"] = {{"width", one.width}, {"height", one.height}};
      images.push_back(std::move(image));
    }
    media = {{"$type", "app.bsky.embed.images"}, {"images", std::move(images)}};
  } else if (!draft.link.empty()) {
    // The network looks at no page: its card shows what the post says.
    const Json external = {
        {"uri", draft.link}, {"title", draft.title.empty() ? draft.link : draft.title}, {"description", ""}};
    media = {{"$type", "app.bsky.embed.external"}, {"external", external}};
  }
  if (draft.quote_remote_id.empty()) {
    if (!media.is_null()) (*record)["embed"] = std::move(media);
    return true;
  }
  const auto quoted = Refer(call, account, draft.quote_remote_id, failed);
  if (!quoted) return false;
  const Json quote = {{"$type", "app.bsky.embed.record"}, {"record", quoted->ref}};
  (*record)["embed"] =
      media.is_null()
          ? quote
          : Json{{"$type", "app.bsky.embed.recordWithMedia"}, {"record", quote}, {"media", std::move(media)}};
  return true;
}

bool BlueskyConnector::AddReply(const Call& call, const Account& account, const Write& write, Json* record,
                                Outcome* failed) {
  const std::string& uri = write.target_remote_id;
  if (uri.empty() && write.kind == WriteKind::kPost) return true;
  if (write.kind == WriteKind::kPost && !IsOurBlueskyPost(uri, account)) {
    *failed = RefusedBeforeSending(ErrorClass::kInvalid, "a thread continues our own post");
    return false;
  }
  const auto parent = Refer(call, account, uri, failed);
  if (!parent) return false;
  if (parent->closed) {
    *failed = RefusedBeforeSending(ErrorClass::kPermission, "the thread's author takes no replies from us");
    return false;
  }
  // The root is what the parent's own record says: all replies of a thread name the same.
  const Json& root = Member(Member(parent->record, "reply"), "root");
  (*record)["reply"] = {{"root", IsRef(root) ? root : parent->ref}, {"parent", parent->ref}};
  return true;
}

Outcome BlueskyConnector::Post(const Call& call, const Account& account, const Write& write) {
  if (write.idempotency_key.empty()) {
    return RefusedBeforeSending(ErrorClass::kInvalid, "no idempotency key is given: the record's key is made of it");
  }
  const Draft& draft = write.draft;
  const std::string text = BlueskyText(write.kind, draft), rkey = TidOfKey(write.idempotency_key);
  Json record = {{"$type", kBlueskyPosts}, {"text", text}, {"createdAt", FormatIsoTime(clock_.WallNow())}};
  Outcome stopped;
  if (!AddReply(call, account, write, &record, &stopped)) return stopped;
  std::optional<Outcome> failed;
  if (Json facets = Facets(call, account, text, &failed); !facets.empty()) record["facets"] = std::move(facets);
  if (failed) return *failed;
  if (!draft.language.empty()) record["langs"] = Json::array({draft.language});
  if (!draft.tags.empty()) record["tags"] = draft.tags;
  if (const auto label = draft.options.find("label"); label != draft.options.end()) {
    record["labels"] = {{"$type", "com.atproto.label.defs#selfLabels"},
                        {"values", Json::array({Json{{"val", label->second}}})}};
  }
  if (!AddEmbed(call, account, draft, &record, &stopped)) return stopped;
  Answer answer = PutRecord(call, account, kBlueskyPosts, rkey, record, nullptr);
  if (answer.answered() && answer.refusal.error == ErrorClass::kDuplicate) {  // sent before: is it what we meant?
    Answer there = GetRecord(call, account, kBlueskyPosts, rkey);
    const Json& value = Member(there.json, "value");
    const bool same =
        Text(value, "text") == text && Text(Member(Member(value, "reply"), "parent"), "uri") == write.target_remote_id;
    const bool gone = there.answered() && there.refusal.error == ErrorClass::kNotFound;
    if (there.ok() ? same : !gone) answer = std::move(there);
  }
  if (!answer.ok()) return FailedWrite(answer, account);
  Outcome out;
  out.remote_id = Text(answer.json, "uri");
  if (out.remote_id.empty()) return UnclearWrite(answer);
  out.kind = OutcomeKind::kAccepted;
  out.permalink = BlueskyPermalink(out.remote_id);
  out.rate = answer.rate;
  return out;
}

Outcome BlueskyConnector::Delete(const Call& call, const Account& account, const Write& write) {
  if (!IsOurBlueskyPost(write.target_remote_id, account)) {
    return RefusedBeforeSending(ErrorClass::kPermission, capabilities_.WhyNot(Feature::kDelete));
  }
  const Json body = {
      {"repo", account.remote_id}, {"collection", kBlueskyPosts}, {"rkey", RkeyOf(write.target_remote_id)}};
  const Answer answer = Ask(call, account, "com.atproto.repo.deleteRecord", &body);
  return SettledWrite(answer, account, write.target_remote_id);
}

}  // namespace parvis::networks
