// Moderation (facts 6.3). Below our own posts: the thread gate, one record with the root's own key, which hides replies
// and closes the thread. Everywhere: block (public), mute (ours alone), report. Nobody can delete what others wrote.
#include <algorithm>

#include "networks/bluesky/bluesky.h"

namespace parvis::networks {
namespace {

constexpr int kTries = 3;           // when somebody else changes the gate at the same time
constexpr size_t kHiddenMax = 300;  // facts 6.3

std::string WhoOf(const Write& write) {
  return write.target_author_id.empty() ? DidOf(write.target_remote_id) : write.target_author_id;
}

bool Names(const Json& list, const std::string& uri) {
  if (!list.is_array()) return false;
  return std::any_of(list.begin(), list.end(), [&](const Json& one) { return one.is_string() && one == uri; });
}

std::string BlockKey(const std::string& did) { return TidOfKey("block " + did); }

bool IsMissing(const Answer& answer) { return answer.answered() && answer.refusal.error == ErrorClass::kNotFound; }

}  // namespace

Outcome BlueskyConnector::ChangeGate(const Call& call, const Account& account, const std::string& root,
                                     const std::string& target,
                                     const std::function<bool(Json* gate, Outcome* failed)>& change) {
  Answer answer;
  for (int tries = 0; tries < kTries; ++tries) {
    answer = GetRecord(call, account, kBlueskyGates, RkeyOf(root));
    if (!answer.ok() && !IsMissing(answer)) return FailedWrite(answer, account, false);
    Json gate = {{"$type", kBlueskyGates}, {"post", root}, {"createdAt", FormatIsoTime(clock_.WallNow())}};
    Json swap;  // null: only create
    if (answer.ok()) {
      gate = Member(answer.json, "value");
      swap = Text(answer.json, "cid");
      if (!gate.is_object() || swap == "") return FailedWrite(answer, account, false);
    }
    Outcome failed;
    failed.kind = OutcomeKind::kAccepted;
    if (!change(&gate, &failed)) {  // refused, or it is so already
      if (failed.kind == OutcomeKind::kAccepted) failed.remote_id = target;
      return failed;
    }
    answer = PutRecord(call, account, kBlueskyGates, RkeyOf(root), gate, swap);
    if (answer.ok()) return SettledWrite(answer, account, target);
    if (!answer.answered() || answer.refusal.error != ErrorClass::kDuplicate) return FailedWrite(answer, account);
  }
  answer.refusal = {ErrorClass::kTransient, "somebody else changes the thread's gate all the time"};
  return FailedWrite(answer, account, false);
}

std::string BlueskyConnector::RootOf(const Call& call, const Account& account, const Write& write, Outcome* failed) {
  const auto target = Refer(call, account, write.target_remote_id, failed);
  if (!target) return "";
  const std::string root = Text(Member(Member(target->record, "reply"), "root"), "uri");
  if (IsOurBlueskyPost(root, account)) return root;
  *failed = RefusedBeforeSending(ErrorClass::kPermission, "only replies below our own posts can be hidden");
  return "";
}

Outcome BlueskyConnector::Hide(const Call& call, const Account& account, const Write& write) {
  Outcome stopped;
  const std::string root = RootOf(call, account, write, &stopped);
  if (root.empty()) return stopped;
  const bool hide = write.kind == WriteKind::kHide;
  const std::string& target = write.target_remote_id;
  return ChangeGate(call, account, root, target, [&](Json* gate, Outcome* failed) {
    Json& list = (*gate)["hiddenReplies"];
    if (!list.is_array()) list = Json::array();
    if (Names(list, target) == hide) return false;
    if (hide && list.size() >= kHiddenMax) {
      *failed = RefusedBeforeSending(ErrorClass::kInvalid,
                                     "300 replies are hidden below this post: there is no room for another");
      return false;
    }
    if (hide) {
      list.push_back(target);
      return true;
    }
    Json rest = Json::array();
    for (const Json& one : list) {
      if (one != target) rest.push_back(one);
    }
    list = std::move(rest);
    return true;
  });
}

Outcome BlueskyConnector::Lock(const Call& call, const Account& account, const Write& write) {
  const std::string& target = write.target_remote_id;
  if (!IsOurBlueskyPost(target, account)) {
    return RefusedBeforeSending(ErrorClass::kPermission, "only our own threads can be closed");
  }
  Outcome stopped;
  const auto post = Refer(call, account, target, &stopped);
  if (!post) return stopped;
  if (Member(post->record, "reply").is_object()) {
    return RefusedBeforeSending(ErrorClass::kInvalid, "a thread is closed as a whole: by its first post");
  }
  const bool lock = write.kind == WriteKind::kLock;
  return ChangeGate(call, account, target, target, [&](Json* gate, Outcome*) {
    const Json& allow = Member(*gate, "allow");
    if (lock ? allow.is_array() && allow.empty() : !allow.is_array()) return false;
    if (lock) (*gate)["allow"] = Json::array();  // nobody; without it, everybody
    if (!lock) gate->erase("allow");
    return true;
  });
}

// The record's key follows from whom it is about: there is one, however often it is written.
Outcome BlueskyConnector::Block(const Call& call, const Account& account, const Write& write) {
  const std::string who = WhoOf(write);
  if (who.empty()) return RefusedBeforeSending(ErrorClass::kInvalid, "it is not said who is to be blocked");
  if (who == account.remote_id) return RefusedBeforeSending(ErrorClass::kInvalid, "that is us");
  const Json record = {{"$type", kBlueskyBlocks}, {"subject", who}, {"createdAt", FormatIsoTime(clock_.WallNow())}};
  const Answer answer = PutRecord(call, account, kBlueskyBlocks, BlockKey(who), record, nullptr);
  if (!answer.answered() || answer.refusal.error != ErrorClass::kDuplicate) return SettledWrite(answer, account, who);
  Outcome there;   // the block stands already
  there.kind = OutcomeKind::kAccepted;
  there.remote_id = who;
  there.rate = answer.rate;
  return there;
}

Outcome BlueskyConnector::Unblock(const Call& call, const Account& account, const Write& write) {
  const std::string who = WhoOf(write);
  if (who.empty()) return RefusedBeforeSending(ErrorClass::kInvalid, "it is not said who is blocked");
  const Answer profile = Ask(call, account, "app.bsky.actor.getProfile?actor=" + net::UrlEncode(who));
  // Somebody without a profile (400 "Profile not found") can still be blocked by us under our own key.
  const bool no_profile = profile.answered() && profile.refusal.error == ErrorClass::kInvalid;
  if (!profile.ok() && !IsMissing(profile) && !no_profile) return FailedWrite(profile, account, false);
  std::vector<std::string> keys = {BlockKey(who)};
  const std::string uri = Text(Member(profile.json, "viewer"), "blocking");  // made elsewhere, it has another key
  if (DidOf(uri) == account.remote_id && CollectionOf(uri) == kBlueskyBlocks && RkeyOf(uri) != keys[0]) {
    keys.push_back(RkeyOf(uri));
  }
  Answer answer;
  for (const std::string& key : keys) {  // deleting what is not there succeeds
    const Json body = {{"repo", account.remote_id}, {"collection", kBlueskyBlocks}, {"rkey", key}};
    answer = Ask(call, account, "com.atproto.repo.deleteRecord", &body);
    if (!answer.ok()) return FailedWrite(answer, account);
  }
  return SettledWrite(answer, account, who);
}

Outcome BlueskyConnector::Mute(const Call& call, const Account& account, const Write& write) {
  const std::string who = WhoOf(write);
  if (who.empty()) return RefusedBeforeSending(ErrorClass::kInvalid, "it is not said who is to be muted");
  const Json body = {{"actor", who}};
  const Answer answer = Ask(
      call, account, write.kind == WriteKind::kMute ? "app.bsky.graph.muteActor" : "app.bsky.graph.unmuteActor", &body);
  return SettledWrite(answer, account, who);
}

Outcome BlueskyConnector::Report(const Call& call, const Account& account, const Write& write) {
  const auto chosen = write.draft.options.find("reason");
  std::string type = chosen == write.draft.options.end() ? "other" : chosen->second;
  if (type.empty()) type = "other";
  type[0] = static_cast<char>(type[0] - 'a' + 'A');
  Json body = {{"reasonType", "com.atproto.moderation.defs#reason" + type}};
  if (!write.draft.text.empty()) body["reason"] = write.draft.text;
  if (IsBlueskyPost(write.target_remote_id)) {
    Outcome stopped;
    const auto post = Refer(call, account, write.target_remote_id, &stopped);
    if (!post) return stopped;
    body["subject"] = post->ref;
    body["subject"]["$type"] = "com.atproto.repo.strongRef";
  } else if (!write.target_author_id.empty()) {
    body["subject"] = {{"$type", "com.atproto.admin.defs#repoRef"}, {"did", write.target_author_id}};
  } else {
    return RefusedBeforeSending(ErrorClass::kInvalid, "it is not said what is to be reported");
  }
  const Answer answer = Ask(call, account, "com.atproto.moderation.createReport", &body);
  return SettledWrite(answer, account, write.target_remote_id);
}

StatusOr<std::vector<OwnItem>> BlueskyConnector::ReadTarget(const Call& call, const Account& account,
                                                            const Write& write) {
  OwnItem item;
  item.remote_id = write.target_remote_id;
  const bool person = write.kind == WriteKind::kBan || write.kind == WriteKind::kUnban ||
                      write.kind == WriteKind::kMute || write.kind == WriteKind::kUnmute;
  if (person) {
    item.remote_id = WhoOf(write);
    const Answer profile = Ask(call, account, "app.bsky.actor.getProfile?actor=" + net::UrlEncode(item.remote_id));
    if (IsMissing(profile)) return std::vector<OwnItem>();
    if (!profile.ok()) return FailedRead(profile, account);
    if (Text(profile.json, "did").empty()) return UnintelligibleRead();
    const Json& viewer = Member(profile.json, "viewer");
    const bool blocks = write.kind == WriteKind::kBan || write.kind == WriteKind::kUnban;
    item.hidden = blocks ? !Text(viewer, "blocking").empty() : Member(viewer, "muted") == true;
    return std::vector<OwnItem>{item};
  }
  Outcome stopped;
  const auto target = Refer(call, account, write.target_remote_id, &stopped);
  if (!target && stopped.error == ErrorClass::kNotFound) return std::vector<OwnItem>();
  if (!target) return MakeError(Code::kUnavailable, "TRANSIENT", "the post could not be read: " + stopped.message);
  item.text = Text(target->record, "text");
  if (write.kind == WriteKind::kReport) return std::vector<OwnItem>{item};
  const std::string root = Text(Member(Member(target->record, "reply"), "root"), "uri");
  const Answer gate = GetRecord(call, account, kBlueskyGates, RkeyOf(root.empty() ? item.remote_id : root));
  if (!gate.ok() && !IsMissing(gate)) return FailedRead(gate, account);
  const Json& value = Member(gate.json, "value");
  const bool hides = write.kind == WriteKind::kHide || write.kind == WriteKind::kUnhide;
  const Json& allow = Member(value, "allow");
  item.hidden = hides ? Names(Member(value, "hiddenReplies"), item.remote_id) : allow.is_array() && allow.empty();
  return std::vector<OwnItem>{item};
}

}  // namespace parvis::networks
