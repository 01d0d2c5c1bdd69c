#include "sandbox/network/instagram_webhooks.h"

namespace parvis::sandbox {
namespace {

using Json = nlohmann::json;

Json CommentValue(const Item& item) {
  const std::string username = item.author_handle.empty() ? item.author_name : item.author_handle;
  Json value = {{"id", item.id},
                {"text", item.text},
                {"from", {{"id", item.author_id}, {"username", username}}},
                {"media", {{"id", item.post}, {"media_product_type", "FEED"}}}};
  if (item.parent != item.post) value["parent_id"] = item.parent;
  return value;
}

// Ids only.
Json MentionValue(const Item& item) {
  if (item.kind == Item::Kind::kMention) return {{"media_id", item.id}};
  return {{"media_id", item.thread}, {"comment_id", item.id}};
}

Json ChangeOf(const Notice& notice) {
  const Item& item = *notice.item;
  const bool comment = item.kind == Item::Kind::kComment && !item.post.empty();
  return {{"field", comment ? "comments" : "mentions"}, {"value", comment ? CommentValue(item) : MentionValue(item)}};
}

}  // namespace

// Of what is new, and of no edits, hidings or removals; below what others published only of what others write there.
bool InstagramWebhooks::Tells(const Notice& notice) const {
  const Item& item = *notice.item;
  if (notice.kind != Notice::Kind::kAdd) return false;
  if (item.kind == Item::Kind::kMention) return true;
  return item.kind == Item::Kind::kComment && (!item.post.empty() || !item.by_us);
}

std::string InstagramWebhooks::Body(const StyleSettings& settings, const std::vector<Notice>& notices,
                                    absl::Time sent) const {
  Json entries = Json::array();
  for (const Notice& notice : notices) {
    Json change = ChangeOf(notice);
    if (settings.shape == "flat") {
      change["id"] = notice.account->id;
      change["time"] = absl::ToUnixSeconds(sent);
      entries.push_back(std::move(change));
      continue;
    }
    if (entries.empty() || entries.back()["id"] != notice.account->id) {
      entries.push_back({{"id", notice.account->id}, {"time", absl::ToUnixSeconds(sent)}, {"changes", Json::array()}});
    }
    entries.back()["changes"].push_back(std::move(change));
  }
  return DumpJson({{"object", "instagram"}, {"entry", std::move(entries)}}, true);
}

std::string InstagramWebhooks::Odd(const StyleSettings&, const Notice& like, absl::Time now) const {
  const Json member = {{"deep", {1, nullptr, "🛸"}}};
  const Json changes = {{{"field", "holograms"}, {"value", member}},
                        {{"field", "story_insights"},
                         {"value", {{"media_id", like.item->id}, {"impressions", 4}, {"new_member", member}}}}};
  return DumpJson({{"object", "instagram"},
                   {"entry", {{{"id", like.account->id}, {"time", absl::ToUnixSeconds(now)}, {"changes", changes}}}}},
                  true);
}

}  // namespace parvis::sandbox
