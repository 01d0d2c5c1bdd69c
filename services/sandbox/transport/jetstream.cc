#include "sandbox/transport/jetstream.h"

#include <algorithm>

#include "platform/net/socket_server.h"
#include "sandbox/domain/cat.h"
#include "sandbox/transport/bluesky_json.h"
#include "sandbox/transport/streams.h"

namespace parvis::sandbox {
namespace {

using Ordered = nlohmann::ordered_json;  // the envelope's members come in the order of the original

constexpr size_t kCollectionsMax = 100, kDidsMax = 10'000;
constexpr int kReplayMax = 100'000;

net::HttpResponse Refused(int status, std::string_view why) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, Cat(why, "\n")};
}

bool Within(const std::vector<std::string>& wanted, std::string_view one) {
  return wanted.empty() || std::ranges::any_of(wanted, [&](const std::string& some) {
    return some == one || (some.ends_with(".*") && one.starts_with(some.substr(0, some.size() - 1)));
  });
}

}  // namespace

std::string Jetstream::Read(const Request& request, Wanted* wanted) const {
  wanted->collections = AllOf(request.http.query, "wantedCollections");
  wanted->dids = AllOf(request.http.query, "wantedDids");
  if (wanted->collections.size() > kCollectionsMax) return "too many wanted collections";
  if (wanted->dids.size() > kDidsMax) return "too many wanted DIDs";
  for (const std::string& collection : wanted->collections) {
    if (std::ranges::count(collection, '.') < 2) return Cat("invalid collection: ", collection);
  }
  for (const std::string& did : wanted->dids) {
    if (!IsDid(did)) return Cat("invalid did: ", did);
  }
  if (request.Param("compress") == "true") return "compression is not offered here";
  const std::string cursor = request.Param("cursor");
  const auto micros = ReadNumber(cursor, -1, 0, INT64_MAX);
  if (!micros) return Cat("invalid cursor: ", cursor);
  // One of the future is as good as none.
  const absl::Time since = absl::FromUnixMicros(*micros);
  if (*micros >= 0 && since <= context_.clock.WallNow()) wanted->since = since;
  return "";
}

std::string Jetstream::Commit(const Wanted& wanted, const Item& item, bool removed, absl::Time time) const {
  if (item.kind == Item::Kind::kMedia || !Within(wanted.collections, kBskyPost) || !Within(wanted.dids, item.author_id)) {
    return "";
  }
  Ordered commit = {{"rev", "3lsandboxrev2a"},
                    {"operation", removed ? "delete" : "create"},
                    {"collection", kBskyPost},
                    {"rkey", item.id.substr(item.id.rfind('/') + 1)}};
  if (!removed) {
    commit["record"] = Ordered::parse(BskyRecord(context_.world, item, true).dump());
    commit["cid"] = CidOf(item);
  }
  const Ordered message = {
      {"did", item.author_id}, {"time_us", absl::ToUnixMicros(time)}, {"kind", "commit"}, {"commit", commit}};
  return net::TextFrame(message.dump(-1, ' ', false, Ordered::error_handler_t::replace));
}

std::string Jetstream::Replay(const Wanted& wanted, size_t max, bool* all) const {
  std::vector<ItemPtr> items;
  for (const AccountPtr& account : context_.world.Accounts()) {
    if (account->network != Network::kBluesky) continue;
    for (const World::List list : {World::List::kOwn, World::List::kInbox}) {
      const Page page = context_.world.Read(
          Network::kBluesky, list, account->id, {.newest_first = false, .limit = kReplayMax, .since = wanted.since});
      std::ranges::copy_if(page.items, std::back_inserter(items),
                           [&](const ItemPtr& item) { return item->created >= wanted.since; });
    }
  }
  std::ranges::stable_sort(items, [](const ItemPtr& a, const ItemPtr& b) { return a->created < b->created; });
  std::string out;
  for (const ItemPtr& item : items) {
    const std::string told = Commit(wanted, *item, false, item->created);
    if (out.size() + told.size() > max) {
      *all = false;
      break;
    }
    out += told;
  }
  return out;
}

Reply Jetstream::Handle(const net::HttpRequest& http) {
  StatusOr<Request> read = ReadRequest(http, "/jetstream");
  if (!read.ok()) return {Refused(400, ToError(read.status()).message)};
  if (read->path.size() != 1 || read->path[0] != "subscribe") return {Refused(404, "404 page not found")};
  Wanted wanted;
  if (const std::string wrong = Read(*read, &wanted); !wrong.empty()) return {Refused(400, wrong)};
  const auto accepted = net::AcceptSocket(http);
  if (!accepted) return {Refused(400, "Bad Request: a WebSocket is wanted")};
  Reply reply = UnderFaults(context_, Network::kBluesky, "", "stream",
                            {.limited = [] { return Refused(429, "rate limit exceeded"); },
                             .forbidden = [] { return Refused(403, "forbidden"); }},
                            [](Answer) { return net::HttpResponse(); });
  if (reply.abort || reply.response.status != 200 || !reply.response.body.empty()) return reply;
  auto opening = std::make_shared<StreamOpening>();
  opening->network = Network::kBluesky;
  opening->head = *accepted;
  opening->heartbeat = std::string("\x89\0", 2);  // a ping
  opening->garbage = net::TextFrame("{\"did\":\"did:plc:");
  opening->tell = [this, wanted](const Notice& notice) -> std::string {
    if (notice.kind != Notice::Kind::kAdd && notice.kind != Notice::Kind::kRemove) return "";
    return Commit(wanted, *notice.item, notice.kind == Notice::Kind::kRemove, notice.time);
  };
  if (wanted.since != absl::InfiniteFuture()) {
    opening->replay = [this, wanted](size_t max, bool* all) { return Replay(wanted, max, all); };
  }
  reply.stream = std::move(opening);
  return reply;
}

}  // namespace parvis::sandbox
