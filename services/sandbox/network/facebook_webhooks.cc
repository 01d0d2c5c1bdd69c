#include "sandbox/network/facebook_webhooks.h"

#include "sandbox/domain/cat.h"
#include "sandbox/network/signature.h"

namespace parvis::sandbox {
namespace {

using Json = nlohmann::json;

constexpr size_t kChangesPerEntry = 5;  // so that one Page often has several entries in one body

std::string_view VerbOf(Notice::Kind kind) {
  switch (kind) {
    case Notice::Kind::kAdd:
      return "add";
    case Notice::Kind::kEdit:
      return "edited";
    case Notice::Kind::kRemove:
      return "remove";
    case Notice::Kind::kHide:
      return "hide";
    case Notice::Kind::kUnhide:
      return "unhide";
  }
  return "";
}

Json FacebookChange(const Notice& notice) {
  const Item& item = *notice.item;
  const bool post = item.kind == Item::Kind::kPost;
  // The time of what happened: of the creation for "add", of the change for all others (seconds).
  Json value = {{"verb", VerbOf(notice.kind)},
                {"post_id", item.post},
                {"from", {{"id", notice.actor_id}, {"name", notice.actor_name}}},
                {"created_time", absl::ToUnixSeconds(notice.time)}};
  if (post) {
    const bool gone = notice.kind == Notice::Kind::kRemove;
    value["item"] = gone ? "post" : item.media.empty() ? "status" : item.extra.contains("video") ? "video" : "photo";
    if (!gone) {
      if (!item.text.empty()) value["message"] = item.text;
      if (!item.link.empty()) value["link"] = item.link;
      value["published"] = item.published ? 1 : 0;
    }
  } else {
    value["item"] = "comment";
    value["comment_id"] = item.id;
    value["parent_id"] = item.parent;  // the post for a top-level comment, else the comment it answers
    if (notice.kind != Notice::Kind::kRemove) value["message"] = item.text;
  }
  return {{"field", "feed"}, {"value", std::move(value)}};
}

}  // namespace

bool FacebookWebhooks::Tells(const Notice& notice) const {
  return notice.item->kind != Item::Kind::kMedia && !notice.item->extra.contains("story");
}

bool FacebookWebhooks::Together(const StyleSettings&, const Notice&, const Notice&) const { return true; }

// All notices in one body, several changes of a Page in one entry; all but ASCII escaped.
std::string FacebookWebhooks::Body(const StyleSettings&, const std::vector<Notice>& notices, absl::Time sent) const {
  Json entries = Json::array();
  for (const Notice& notice : notices) {
    if (entries.empty() || entries.back()["id"] != notice.account->id ||
        entries.back()["changes"].size() >= kChangesPerEntry) {
      entries.push_back({{"id", notice.account->id}, {"time", absl::ToUnixSeconds(sent)}, {"changes", Json::array()}});
    }
    entries.back()["changes"].push_back(FacebookChange(notice));
  }
  return DumpJson({{"object", "page"}, {"entry", std::move(entries)}}, true);
}

std::string FacebookWebhooks::Odd(const StyleSettings&, const Notice& like, absl::Time now) const {
  const std::string& account = like.account->id;
  const Json member = {{"deep", {1, nullptr, "🛸"}}};
  const Json value = {{"item", "hologram"},
                      {"verb", "sparkle"},
                      {"post_id", like.item->post},
                      {"created_time", absl::ToUnixSeconds(now)},
                      {"new_member", member}};
  return DumpJson({{"object", "page"},
               {"entry",
                {{{"id", account},
                  {"time", absl::ToUnixSeconds(now)},
                  {"changes", {{{"field", "feed"}, {"value", value}}, {{"field", "ratings"}, {"value", member}}}}}}}},
              true);
}

void FacebookWebhooks::Dress(const StyleSettings& settings, const std::string& body, const Notice&,
                             net::Headers* headers) const {
  (*headers)["Content-Type"] = "application/json";
  (*headers)["X-Hub-Signature-256"] = Cat("sha256=", HmacHex(settings.secret, body));
}

std::optional<Challenge> FacebookWebhooks::MakeChallenge(const StyleSettings& settings, Rng& rng) const {
  const std::string number = std::to_string(1'000'000'000 + rng.Below(1'000'000'000));
  return Challenge{Cat("hub.mode=subscribe&hub.challenge=", number,
                       "&hub.verify_token=", net::UrlEncode(settings.verify_token.Reveal())),
                   number};
}

// The challenge and nothing else.
bool FacebookWebhooks::Answered(const std::string& expected, const std::string& body) const { return body == expected; }

}  // namespace parvis::sandbox
