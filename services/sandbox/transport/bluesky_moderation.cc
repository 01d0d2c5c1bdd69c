// Deeds on what others wrote: threadgates (hide, lock), block records (ban), mutes and reports (facts 6.3).
#include <algorithm>
#include <atomic>
#include <set>

#include "sandbox/domain/cat.h"
#include "sandbox/transport/bluesky.h"
#include "sandbox/transport/bluesky_json.h"

namespace parvis::sandbox {
namespace {

std::set<std::string> HiddenBy(const Json& gate) {
  const Json hidden = Member(gate, "hiddenReplies");
  std::set<std::string> out;
  for (const Json& uri : hidden) out.insert(uri.get<std::string>());
  return out;
}

// An empty list allows nobody; no list at all everybody; rules some.
bool Locks(const Json& gate) { return gate.contains("allow"); }

bool IsReason(std::string_view reason) {
  constexpr std::string_view kOld = "com.atproto.moderation.defs#reason", kNew = "tools.ozone.report.defs#reason";
  if (reason.starts_with(kNew)) return reason.size() > kNew.size();
  if (!reason.starts_with(kOld)) return false;
  for (std::string_view known : {"Spam", "Violation", "Misleading", "Sexual", "Rude", "Other", "Appeal"}) {
    if (reason.substr(kOld.size()) == known) return true;
  }
  return false;
}

}  // namespace

Status Bluesky::WriteOther(const Asked& asked, Answer answer, const Key& key, const Json& record) {
  if (key.collection == kBskyGate) {
    const std::string post = record.at("post").get<std::string>();
    const ItemPtr root = FindPost(post);
    // The network would take the record and do nothing with it.
    if (post != Cat("at://", key.did, "/", kBskyPost, "/", key.rkey) || root == nullptr || !root->parent.empty()) {
      return MakeError(Code::kInvalidArgument, "NOT_THE_ROOT",
                       "Sandbox: a threadgate has the rkey of the root post it is for, in the same repository");
    }
    const auto before = records_.find(key.uri());
    return ApplyGate(asked, answer, post, before == records_.end() ? Json::object() : before->second.value, record);
  }
  const std::string subject = record.at("subject").get<std::string>();
  const std::string prefix = Key{key.did, key.collection, ""}.uri();
  // A second block of the same person takes the place of the first (facts 0.2).
  for (auto it = records_.lower_bound(prefix); it != records_.end() && it->first.starts_with(prefix);) {
    it = it->second.value.at("subject") == subject ? records_.erase(it) : std::next(it);
  }
  if (context_.world.IsMarked(Network::kBluesky, key.did, subject, "ban")) return absl::OkStatus();
  return context_.world.MarkPerson(Network::kBluesky, key.did, subject, "ban", Us(asked, answer));
}

Status Bluesky::DeleteOther(const Asked& asked, Answer answer, const Key& key, const Json& record) {
  if (key.collection == kBskyGate) {
    return ApplyGate(asked, answer, record.at("post").get<std::string>(), record, Json::object());
  }
  return context_.world.MarkPerson(Network::kBluesky, key.did, record.at("subject").get<std::string>(), "unban",
                                   Us(asked, answer));
}

// What of the conversation is otherwise with the gate `after` than it was with `before`.
Status Bluesky::ApplyGate(const Asked& asked, Answer answer, const std::string& post, const Json& before,
                          const Json& after) {
  const std::set<std::string> was = HiddenBy(before), is = HiddenBy(after);
  const auto set = [&](const std::string& uri, bool hidden) -> Status {
    const ItemPtr item = FindPost(uri);
    if (item == nullptr || item->thread != post || item->hidden == hidden) return absl::OkStatus();
    return context_.world.SetHidden(Network::kBluesky, uri, hidden, Us(asked, answer)).status();
  };
  for (const std::string& uri : is) {
    if (!was.contains(uri)) PARVIS_RETURN_IF_ERROR(set(uri, true));
  }
  for (const std::string& uri : was) {
    if (!is.contains(uri)) PARVIS_RETURN_IF_ERROR(set(uri, false));
  }
  if (Locks(before) == Locks(after) || FindPost(post) == nullptr) return absl::OkStatus();
  return context_.world
      .Mark(Network::kBluesky, post, Locks(after) ? "lock" : "unlock", Us(asked, answer),
            [&](Item& item) { item.extra["locked"] = Locks(after) ? "1" : ""; })
      .status();
}

net::HttpResponse Bluesky::MuteActor(const Asked& asked, Answer answer) { return Mute(asked, answer, "mute"); }
net::HttpResponse Bluesky::UnmuteActor(const Asked& asked, Answer answer) { return Mute(asked, answer, "unmute"); }

net::HttpResponse Bluesky::Mute(const Asked& asked, Answer answer, const char* kind) {
  std::string actor = asked.request.Param("actor");
  if (actor.empty()) return XrpcInvalid("Input must have the property \"actor\"");
  if (const AccountPtr account = FindActor(actor)) actor = account->id;
  if (!IsDid(actor)) return XrpcInvalid("Actor not found");
  std::lock_guard lock(mutex_);
  const bool muted = context_.world.IsMarked(Network::kBluesky, asked.account->id, actor, "mute");
  if (muted == (kind == std::string_view("unmute"))) {
    const Status done = context_.world.MarkPerson(Network::kBluesky, asked.account->id, actor, kind, Us(asked, answer));
    if (!done.ok()) return XrpcError(500, "InternalServerError", "Internal Server Error");
  }
  return {};  // 200 without a body
}

net::HttpResponse Bluesky::CreateReport(const Asked& asked, Answer answer) {
  static std::atomic<int64_t> last{0};
  const Json& body = asked.request.json;
  const std::string reason = asked.request.Param("reasonType");
  if (!body.contains("reasonType")) return XrpcInvalid("Input must have the property \"reasonType\"");
  if (!IsReason(reason)) return XrpcInvalid(Cat("Invalid report reason type: ", reason));
  const Json subject = Member(body, "subject");
  if (!subject.is_object() || !subject.contains("$type")) {
    return XrpcInvalid("Input/subject must be an object which includes the \"$type\" property");
  }
  if (asked.request.Param("reason").size() > 20'000) {
    return XrpcInvalid("Input/reason must not be longer than 20000 characters");
  }
  const auto text = [&](const char* name) {
    return subject.contains(name) && subject.at(name).is_string() ? subject.at(name).get<std::string>() : "";
  };
  Status done;
  if (subject.at("$type") == "com.atproto.admin.defs#repoRef") {
    if (!IsDid(text("did"))) return XrpcInvalid("Input/subject/did must be a valid did");
    done = context_.world.MarkPerson(Network::kBluesky, asked.account->id, text("did"), "report", Us(asked, answer));
  } else if (subject.at("$type") == "com.atproto.repo.strongRef") {
    if (!IsAtUri(text("uri")) || text("cid").empty()) return XrpcInvalid("Input/subject must be a strong reference");
    done = context_.world.Mark(Network::kBluesky, text("uri"), "report", Us(asked, answer), [](Item&) {}).status();
  } else {
    return XrpcInvalid("Input/subject $type must be one of com.atproto.admin.defs#repoRef, com.atproto.repo.strongRef");
  }
  if (!done.ok()) return XrpcInvalid("Subject not found");
  return JsonResponse(200,
                      {{"id", ++last},
                       {"reasonType", reason},
                       {"subject", subject},
                       {"reason", asked.request.Param("reason")},
                       {"reportedBy", asked.account->id},
                       {"createdAt", BskyTime(context_.clock.WallNow())}},
                      false);
}

}  // namespace parvis::sandbox
