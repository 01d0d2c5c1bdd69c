#include "sandbox/network/ghost_webhooks.h"

#include "sandbox/domain/cat.h"
#include "sandbox/domain/forum.h"
#include "sandbox/network/signature.h"

namespace parvis::sandbox {
namespace {

using Json = nlohmann::json;

std::string Iso(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%S.000Z", time, absl::UTCTimeZone()); }

// "" for what nobody is told of.
std::string_view EventOf(const Notice& notice) {
  const Item& item = *notice.item;
  if (item.kind != Item::Kind::kPost) return "";
  if (notice.kind == Notice::Kind::kRemove) return "post.deleted";
  const bool shown = item.status == "published" || item.status == "sent";
  if (notice.kind == Notice::Kind::kAdd) return shown ? "post.published" : "post.added";
  if (notice.kind != Notice::Kind::kEdit) return "";
  const std::string published_at = Extra(item, "published_at");
  if (!shown) return published_at.empty() ? "post.edited" : "post.unpublished";
  return published_at == Iso(item.changed) ? "post.published" : "post.published.edited";
}

Json PostJson(const Item& item) {
  const std::string published_at = Extra(item, "published_at");
  return {{"id", item.id},
          {"title", item.title},
          {"status", item.status},
          {"visibility", "public"},
          {"html", item.text},
          {"plaintext", item.title},
          {"created_at", Iso(item.created)},
          {"updated_at", Iso(item.changed)},
          {"published_at", published_at.empty() ? Json() : Json(published_at)},
          {"url", Cat("http://", item.account, ".example/p/", item.id, "/")},
          {"tags", Json::array()},
          {"authors", Json::array({{{"id", "1"}, {"name", item.author_name}}})}};
}

}  // namespace

bool GhostWebhooks::Tells(const Notice& notice) const { return !EventOf(notice).empty(); }

bool GhostWebhooks::Together(const StyleSettings&, const Notice&, const Notice&) const { return false; }

std::string GhostWebhooks::Body(const StyleSettings&, const std::vector<Notice>& notices, absl::Time) const {
  const Notice& notice = notices.front();
  const std::string event(EventOf(notice));
  const bool gone = event == "post.deleted";
  Json previous = Json::object();
  if (event == "post.unpublished") previous["status"] = "published";
  // What is gone has nothing current: it is told of by what it was.
  const Json post = PostJson(*notice.item);
  return DumpJson(
      {{"event", event}, {"post", {{"current", gone ? Json::object() : post}, {"previous", gone ? post : previous}}}},
      false);
}

std::string GhostWebhooks::Odd(const StyleSettings&, const Notice& like, absl::Time now) const {
  if (absl::ToUnixMicros(now) % 2 == 0) return DumpJson({{"event", "site.changed"}}, false);
  return DumpJson(
      {{"event", "post.sparkled"},
       {"post", {{"current", {{"id", like.item->id}, {"deep", {1, nullptr, "🛸"}}}}, {"previous", Json::object()}}}},
      false);
}

void GhostWebhooks::Dress(const StyleSettings& settings, const std::string& body, const Notice& like,
                          net::Headers* headers) const {
  // The milliseconds are those of the event; each try of a delivery has the same.
  const std::string time = std::to_string(absl::ToUnixMillis(like.time));
  (*headers)["Content-Type"] = "application/json";
  (*headers)["Content-Version"] = "v6.65";
  (*headers)["User-Agent"] = "Ghost/6.65 (https://github.com/TryGhost/Ghost)";
  (*headers)["X-Ghost-Signature"] = Cat("sha256=", HmacHex(settings.secret, Cat(body, time)), ", t=", time);
}

std::optional<Challenge> GhostWebhooks::MakeChallenge(const StyleSettings&, Rng&) const { return std::nullopt; }

bool GhostWebhooks::Answered(const std::string&, const std::string&) const { return true; }

}  // namespace parvis::sandbox
