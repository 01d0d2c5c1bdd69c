// The stream of an account (facts 7.3): GET /api/v1/streaming/user, and /user/notification with its notifications alone.
// Nothing is replayed. What is told of: mentions and answers (notification), what we write ourselves (update, and
// status.update when we edit it), and removals of either (delete).
#include "sandbox/domain/cat.h"
#include "sandbox/transport/mastodon.h"
#include "sandbox/transport/mastodon_json.h"
#include "sandbox/transport/streams.h"

namespace parvis::sandbox {
namespace {

std::string Event(std::string_view name, std::string_view data) { return Cat("event: ", name, "\ndata: ", data, "\n\n"); }

std::string JsonEvent(std::string_view name, const Json& json) {
  return Event(name, json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

bool Mastodon::IsStream(const Asked& asked) {
  const auto& path = asked.path;
  if (asked.request.http.method != "GET" || path.size() < 3 || path[0] != "v1" || path[1] != "streaming") return false;
  return path[2] == "user" && (path.size() == 3 || (path.size() == 4 && path[3] == "notification"));
}

// What the stream of `me` says of something that happened.
std::string Mastodon::Told(const Account& me, const std::string& base, bool all, const Notice& notice) const {
  const Item& item = *notice.item;
  if (item.account != me.id || item.kind == Item::Kind::kMedia) return "";
  const auto marked = [&](const char* kind) {
    return context_.world.IsMarked(Network::kMastodon, me.id, item.author_id, kind);
  };
  switch (notice.kind) {
    case Notice::Kind::kAdd:
      if (item.by_us) return all ? JsonEvent("update", Shown(base, item)) : "";
      if (marked("ban") || marked("mute")) return "";
      return JsonEvent("notification", Notification(base, item));
    case Notice::Kind::kEdit:  // of others' edits only those are told who boosted it
      return all && item.by_us ? JsonEvent("status.update", Shown(base, item)) : "";
    case Notice::Kind::kRemove:
      return all ? Event("delete", item.id) : "";
    default:
      return "";
  }
}

Reply Mastodon::OpenStream(const Asked& asked) {
  const Account me = *asked.account;
  Reply reply = UnderFaults(context_, Network::kMastodon, me.id, "stream",
                            {.limited = [] { return MastodonError(429, "Too many requests"); },
                             .forbidden = [] { return MastodonError(403, "Access token does not have the required scopes"); }},
                            [](Answer) { return net::HttpResponse(); });
  if (reply.abort || reply.response.status != 200 || !reply.response.body.empty()) return reply;
  auto opening = std::make_shared<StreamOpening>();
  opening->network = Network::kMastodon;
  opening->account = me.id;
  opening->head = {200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "private, no-store"}}, ""};
  opening->first = ":)\n";
  opening->heartbeat = ":thump\n";
  opening->garbage = "event: notification\ndata: {\"id\":\"1\",\"type\":\"ment\n\n";
  opening->tell = [this, me, base = asked.request.base_url, all = asked.path.size() == 3](const Notice& notice) {
    return Told(me, base, all, notice);
  };
  reply.stream = std::move(opening);
  return reply;
}

}  // namespace parvis::sandbox
