#include "sandbox/network/linkedin_webhooks.h"

#include "platform/base/ids.h"
#include "sandbox/domain/cat.h"
#include "sandbox/domain/linkedin_urns.h"
#include "sandbox/domain/nature.h"
#include "sandbox/network/signature.h"

namespace parvis::sandbox {
namespace {

using Json = nlohmann::json;

constexpr char kType[] = "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS";

// "" for what is not told.
std::string_view ActionOf(const Notice& notice) {
  if (notice.item->kind == Item::Kind::kMention) return notice.kind == Notice::Kind::kAdd ? "SHARE_MENTION" : "";
  if (notice.item->kind != Item::Kind::kComment || notice.item->post.empty()) return "";  // other people's posts
  switch (notice.kind) {
    case Notice::Kind::kAdd:
      return notice.item->by_us ? "ADMIN_COMMENT" : "COMMENT";
    case Notice::Kind::kEdit:
      return "COMMENT_EDIT";
    case Notice::Kind::kRemove:
      return "COMMENT_DELETE";
    case Notice::Kind::kHide:
    case Notice::Kind::kUnhide:
      return "";
  }
  return "";
}

// The same for the same notice, however often it is delivered; a number that fits into a double.
int64_t IdOf(const Notice& notice) {
  uint64_t hash = 14695981039346656037ull;
  for (const char c : Cat(notice.item->id, "/", static_cast<int>(notice.kind), "/", absl::ToUnixMicros(notice.time))) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  }
  return static_cast<int64_t>(hash >> 12);
}

// The member that subscribed.
std::string SubscriberOf(const Notice& notice) {
  return NatureOf(Network::kLinkedin).person_id(Cat("admin of ", notice.account->id));
}

Json NotificationOf(const StyleSettings& settings, const Notice& notice) {
  const Item& item = *notice.item;
  Json out = {{"notificationId", IdOf(notice)},
              {"organizationalEntity", notice.account->id},
              {"action", ActionOf(notice)},
              {"lastModifiedAt", absl::ToUnixMillis(notice.time)},
              {"subscriber", SubscriberOf(notice)}};
  Json made = {{"entity", item.id}, {"owner", item.author_id}};
  if (notice.kind != Notice::Kind::kRemove) made["text"] = item.text;
  if (item.kind == Item::Kind::kMention) {
    out["sourcePost"] = LinkedinActivityOf(item.id);
    out["generatedActivity"] = item.id;
    out["decoratedGeneratedActivity"] = {{"share", std::move(made)}};
    return out;
  }
  const std::string activity = LinkedinActivityOf(item.post);
  made["object"] = activity;
  if (item.parent != item.post) made["parentComment"] = item.parent;
  out["sourcePost"] = activity;
  out["decoratedSourcePost"] = {{"entity", item.post}, {"owner", notice.account->id}};
  out["generatedActivity"] = settings.shape == "short" ? Cat(kLinkedinComment, "(activity:", LinkedinNumber(activity),
                                                             ",", LinkedinCommentNumber(item.id), ")")
                                                       : item.id;
  out["decoratedGeneratedActivity"] = {{"comment", std::move(made)}};
  return out;
}

}  // namespace

bool LinkedinWebhooks::Tells(const Notice& notice) const { return !ActionOf(notice).empty(); }

bool LinkedinWebhooks::Together(const StyleSettings&, const Notice&, const Notice&) const { return true; }

std::string LinkedinWebhooks::Body(const StyleSettings& settings, const std::vector<Notice>& notices,
                                   absl::Time) const {
  Json all = Json::array();
  for (const Notice& notice : notices) all.push_back(NotificationOf(settings, notice));
  return DumpJson({{"type", kType}, {"notifications", std::move(all)}}, false);
}

std::string LinkedinWebhooks::Odd(const StyleSettings& settings, const Notice& like, absl::Time now) const {
  Json strange = NotificationOf(settings, like);
  strange["notificationId"] = absl::ToUnixMicros(now);
  strange["action"] = "SPARKLE";
  strange["decoratedGeneratedActivity"] = {{"hologram", {{"deep", {1, nullptr, "🛸"}}}}};
  return DumpJson({{"type", kType}, {"notifications", {std::move(strange)}}, {"newMember", true}}, false);
}

// The signed text begins with what elsewhere stands in the header (facts 0.1).
void LinkedinWebhooks::Dress(const StyleSettings& settings, const std::string& body, const Notice&,
                             net::Headers* headers) const {
  (*headers)["Content-Type"] = "application/json";
  (*headers)["X-LI-Signature"] = HmacHex(settings.secret, Cat("hmacsha256=", body));
}

std::optional<Challenge> LinkedinWebhooks::MakeChallenge(const StyleSettings& settings, Rng&) const {
  const std::string hex = RandomHex(32);
  const std::string code = Cat(hex.substr(0, 8), "-", hex.substr(8, 4), "-4", hex.substr(13, 3), "-a",
                               hex.substr(17, 3), "-", hex.substr(20, 12));
  return Challenge{"challengeCode=" + code, Cat(code, " ", HmacHex(settings.secret, code))};
}

bool LinkedinWebhooks::Answered(const std::string& expected, const std::string& body) const {
  const auto json = Json::parse(body, nullptr, false);
  const size_t space = expected.find(' ');
  return json.is_object() && json.value("challengeCode", Json()) == expected.substr(0, space) &&
         json.value("challengeResponse", Json()) == expected.substr(space + 1);
}

}  // namespace parvis::sandbox
