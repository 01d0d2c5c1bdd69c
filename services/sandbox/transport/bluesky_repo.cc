// com.atproto.repo: records and blobs of the account's repository.
#include <atomic>

#include "sandbox/domain/cat.h"
#include "sandbox/domain/nature.h"
#include "sandbox/transport/bluesky.h"
#include "sandbox/transport/bluesky_json.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kRecordsMax = 200'000;  // besides the posts
constexpr size_t kImageBytes = 2'000'000, kThumbBytes = 1'000'000, kBlobBytes = 50 << 20;

net::HttpResponse Failed(const Status& status) {
  if (status.code() == Code::kNotFound || status.code() == Code::kInvalidArgument) {
    return XrpcInvalid(ToError(status).message);
  }
  return XrpcError(500, "InternalServerError", "Internal Server Error");
}

bool IsRkey(std::string_view text) {
  return !text.empty() && text.size() <= 512 && text != "." && text != ".." &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:~") == text.npos;
}

std::string CheckRecord(const std::string& collection, const Json& record) {
  if (record.contains("$type") && record.at("$type") != collection) {
    return Cat("Invalid $type: expected ", collection, ", got ", record.at("$type").dump());
  }
  const std::string wrong = collection == kBskyPost   ? CheckPostRecord(record)
                            : collection == kBskyGate ? CheckGateRecord(record)
                                                      : CheckBlockRecord(record);
  return wrong.empty() ? "" : Cat("Invalid ", collection, " record: ", wrong);
}

std::string NewTid(absl::Time now, const std::string& did) {
  static std::atomic<int64_t> number{0};
  const std::string uri = NatureOf(Network::kBluesky)
                              .item_id({.account = did, .author = did, .number = ++number, .snowflake = 0, .now = now});
  return uri.substr(uri.rfind('/') + 1);
}

Json Committed(const std::string& uri, const std::string& cid, absl::Time now) {
  return {{"uri", uri},
          {"cid", cid},
          {"commit", {{"cid", BskyCid(uri + cid, false)}, {"rev", NewTid(now, "did:plc:rev")}}},
          {"validationStatus", "valid"}};
}

}  // namespace

std::optional<net::HttpResponse> Bluesky::ReadBody(const Asked& asked, bool record, Key* key) {
  const Json& body = asked.request.json;
  for (const char* name : {"repo", "collection"}) {
    if (!body.contains(name)) return XrpcInvalid(Cat("Input must have the property \"", name, "\""));
    if (!body.at(name).is_string()) return XrpcInvalid(Cat("Input/", name, " must be a string"));
  }
  const std::string repo = body.at("repo").get<std::string>();
  const AccountPtr owner = FindActor(repo);
  if (owner == nullptr) return XrpcInvalid(Cat("Could not find repo: ", repo));
  if (owner->id != asked.account->id) return XrpcError(401, "AuthenticationRequired", "Authentication Required");
  *key = {owner->id, body.at("collection").get<std::string>(), ""};
  if (body.contains("rkey")) {
    if (!body.at("rkey").is_string() || !IsRkey(body.at("rkey").get<std::string>())) {
      return XrpcInvalid("Input/rkey must be a valid Record Key");
    }
    key->rkey = body.at("rkey").get<std::string>();
  }
  if (key->collection != kBskyPost && key->collection != kBskyGate && key->collection != kBskyBlock) {
    return XrpcInvalid(Cat("Lexicon not found: lex:", key->collection));
  }
  if (!record) return std::nullopt;
  if (!body.contains("record")) return XrpcInvalid("Input must have the property \"record\"");
  if (!body.at("record").is_object()) return XrpcInvalid("Input/record must be an object");
  if (key->collection != kBskyBlock && !key->rkey.empty() && !IsTid(key->rkey)) {
    return XrpcInvalid(Cat("Invalid record key for ", key->collection, ": must be a TID"));
  }
  std::string name = "InvalidRequest";
  std::string wrong = CheckRecord(key->collection, body.at("record"));
  if (wrong.empty() && key->collection == kBskyPost) wrong = CheckReferences(asked, body.at("record"), &name);
  if (!wrong.empty()) return XrpcError(400, name, wrong);
  return std::nullopt;
}

// What a post refers to must be there: blobs, and (a choice of the sandbox: the network would take it and show it
// nowhere) what it answers, by its present cid, with the root of that conversation.
std::string Bluesky::CheckReferences(const Asked& asked, const Json& record, std::string* name) {
  if (record.contains("reply")) {
    const Json& reply = record.at("reply");
    const std::string parent = reply.at("parent").at("uri"), root = reply.at("root").at("uri");
    for (const char* which : {"parent", "root"}) {
      const ItemPtr there = FindPost(reply.at(which).at("uri").get<std::string>());
      if (there == nullptr) return Cat("Sandbox: reply/", which, " refers to a post that is not there (any more)");
      if (CidOf(*there) != reply.at(which).at("cid")) return Cat("Sandbox: reply/", which, " has the wrong cid");
    }
    if (FindPost(parent)->thread != root) return "Sandbox: reply/root is not the root of the parent's conversation";
  }
  std::vector<std::pair<Json, size_t>> blobs;
  Json embed = Member(record, "embed");
  if (embed.contains("media")) embed = Member(Member(record, "embed"), "media");
  for (const char* list : {"images", "items"}) {
    for (const Json& image : Member(embed, list)) blobs.emplace_back(Member(image, "image"), kImageBytes);
  }
  const Json thumb = Member(Member(embed, "external"), "thumb");
  if (!thumb.is_null()) blobs.emplace_back(thumb, kThumbBytes);
  if (embed.contains("video")) blobs.emplace_back(Member(embed, "video"), 300'000'000);
  for (const auto& [blob, most] : blobs) {
    const Json link = Member(Member(blob, "ref"), "$link");
    if (!link.is_string() || Member(blob, "$type") != "blob") return "Record/embed must be a blob ref";
    const std::string cid = link.get<std::string>();
    const ItemPtr there = context_.world.Find(Network::kBluesky, Cat("blob:", asked.account->id, ":", cid));
    *name = "BlobNotFound";
    if (there == nullptr) return Cat("Could not find blob: ", cid);
    *name = "InvalidMimeType";
    if (there->media != Member(blob, "mimeType")) {
      return Cat("Referenced Mimetype does not match stored blob. Expected: ", there->media);
    }
    *name = "BlobTooLarge";
    if (std::stoull(there->extra.at("size")) > most)
      return Cat("This file is too large. The maximum size is ", most, " bytes.");
    *name = "InvalidRequest";
  }
  return "";
}

std::optional<Bluesky::Stored> Bluesky::Current(const Key& key) {
  if (key.collection == kBskyPost) {
    const ItemPtr item = FindPost(key.uri());
    if (item == nullptr) return std::nullopt;
    return Stored{BskyRecord(context_.world, *item, false), CidOf(*item)};
  }
  const auto it = records_.find(key.uri());
  if (it == records_.end()) return std::nullopt;
  return it->second;
}

net::HttpResponse Bluesky::CreateRecord(const Asked& asked, Answer answer) {
  Key key;
  if (auto refused = ReadBody(asked, true, &key)) return *std::move(refused);
  if (key.rkey.empty()) key.rkey = NewTid(context_.clock.WallNow(), key.did);
  std::lock_guard lock(mutex_);
  // The tree of records refuses a key that it has, and says no more than that (facts 0.2).
  if (Current(key)) return XrpcError(500, "InternalServerError", "Internal Server Error");
  return Write(asked, answer, key, std::nullopt);
}

net::HttpResponse Bluesky::PutRecord(const Asked& asked, Answer answer) {
  Key key;
  if (!asked.request.json.contains("rkey")) return XrpcInvalid("Input must have the property \"rkey\"");
  if (auto refused = ReadBody(asked, true, &key)) return *std::move(refused);
  std::lock_guard lock(mutex_);
  const std::optional<Stored> current = Current(key);
  const Json& body = asked.request.json;
  if (body.contains("swapRecord")) {
    const Json& swap = body.at("swapRecord");  // null: only when there is none
    if (!swap.is_null() && !swap.is_string()) return XrpcInvalid("Input/swapRecord must be a cid string");
    if (current ? swap != current->cid : !swap.is_null()) {
      return XrpcError(400, "InvalidSwap", Cat("Record was at ", current ? current->cid : "null"));
    }
  }
  return Write(asked, answer, key, current);
}

net::HttpResponse Bluesky::Write(const Asked& asked, Answer answer, const Key& key,
                                 const std::optional<Stored>& current) {
  Json record = asked.request.json.at("record");
  record["$type"] = key.collection;
  const std::string cid = BskyCid(record.dump(), false);
  if (current && current->cid == cid) {  // the same again: nothing happens, no commit
    return JsonResponse(200, {{"uri", key.uri()}, {"cid", cid}, {"validationStatus", "valid"}}, false);
  }
  Status done;
  if (key.collection == kBskyPost) {
    done = WritePost(asked, answer, key, cid, current.has_value());
  } else {
    if (records_.size() >= kRecordsMax) return XrpcError(500, "InternalServerError", "Internal Server Error");
    done = WriteOther(asked, answer, key, record);
    if (done.ok()) records_[key.uri()] = {record, cid};
  }
  if (!done.ok()) return Failed(done);
  return JsonResponse(200, Committed(key.uri(), cid, context_.clock.WallNow()), false);
}

Status Bluesky::WritePost(const Asked& asked, Answer answer, const Key& key, const std::string& cid, bool exists) {
  Json record = asked.request.json.at("record");
  record["$type"] = key.collection;
  const std::string written = record.dump(), text = record.at("text").get<std::string>();
  if (exists) {  // the repository has the new version, the AppView goes on to show the first
    return context_.world
        .EditPost(
            Network::kBluesky, key.uri(),
            [&](Item& item) {
              item.extra.emplace("first", item.extra["record"]);
              item.extra["record"] = written;
              item.extra["cid"] = cid;
            },
            Us(asked, answer))
        .status();
  }
  const bool reply = record.contains("reply");
  return context_.world
      .Create({.network = Network::kBluesky,
               .kind = reply ? Item::Kind::kComment : Item::Kind::kPost,
               .account = key.did,
               .parent = reply ? record.at("reply").at("parent").at("uri").get<std::string>() : "",
               .author_id = key.did,
               .author_name = asked.account->name,
               .author_handle = asked.account->handle,
               .text = text,
               .extra = {{"record", written}, {"cid", cid}},
               .by_us = true,
               .id = key.uri()},
              Us(asked, answer))
      .status();
}

net::HttpResponse Bluesky::DeleteRecord(const Asked& asked, Answer answer) {
  Key key;
  if (!asked.request.json.contains("rkey")) return XrpcInvalid("Input must have the property \"rkey\"");
  if (auto refused = ReadBody(asked, false, &key)) return *std::move(refused);
  std::lock_guard lock(mutex_);
  const std::optional<Stored> current = Current(key);
  const Json& body = asked.request.json;
  if (body.contains("swapRecord") && (!current || body.at("swapRecord") != current->cid)) {
    return XrpcError(400, "InvalidSwap", Cat("Record was at ", current ? current->cid : "null"));
  }
  if (!current) return JsonResponse(200, Json::object(), false);  // gone already: as good
  const Status done = key.collection == kBskyPost
                          ? context_.world.Delete(Network::kBluesky, key.uri(), Us(asked, answer)).status()
                          : DeleteOther(asked, answer, key, current->value);
  if (!done.ok()) return Failed(done);
  records_.erase(key.uri());
  Json json = Committed(key.uri(), current->cid, context_.clock.WallNow());
  return JsonResponse(200, {{"commit", json["commit"]}}, false);
}

net::HttpResponse Bluesky::GetRecord(const Asked& asked, Answer) {
  const Request& request = asked.request;
  for (const char* name : {"repo", "collection", "rkey"}) {
    if (request.Param(name).empty()) return XrpcInvalid(Cat("Error: Params must have the property \"", name, "\""));
  }
  Key key{request.Param("repo"), request.Param("collection"), request.Param("rkey")};
  if (const AccountPtr owner = FindActor(key.did)) key.did = owner->id;
  std::lock_guard lock(mutex_);
  const std::optional<Stored> current = Current(key);
  const std::string cid = request.Param("cid");
  if (!current || (!cid.empty() && cid != current->cid)) {
    return XrpcError(400, "RecordNotFound", Cat("Could not locate record: ", key.uri()));
  }
  return JsonResponse(200, {{"uri", key.uri()}, {"cid", current->cid}, {"value", current->value}}, false);
}

net::HttpResponse Bluesky::ListRecords(const Asked& asked, Answer answer) {
  const Request& request = asked.request;
  const AccountPtr owner = FindActor(request.Param("repo"));
  const std::string collection = request.Param("collection"), cursor = request.Param("cursor");
  if (owner == nullptr) return XrpcInvalid(Cat("Could not find repo: ", request.Param("repo")));
  if (collection.empty()) return XrpcInvalid("Error: Params must have the property \"collection\"");
  const auto limit = ReadNumber(request.Param("limit"), 50, 1, 100);
  if (!limit) return XrpcInvalid("Error: limit can not be greater than 100");
  const bool oldest_first = request.Param("reverse") == "true";
  // In the order of their keys; the cursor is the last key that was told.
  std::map<std::string, Stored> found;
  const std::string prefix = Key{owner->id, collection, ""}.uri();
  if (collection == kBskyPost) {
    const Page page = context_.world.Read(Network::kBluesky, World::List::kOwn, owner->id, {.limit = 100'000});
    for (const ItemPtr& item : page.items) {
      found[item->id.substr(prefix.size())] = {BskyRecord(context_.world, *item, false), CidOf(*item)};
    }
  } else {
    std::lock_guard lock(mutex_);
    for (auto it = records_.lower_bound(prefix); it != records_.end() && it->first.starts_with(prefix); ++it) {
      found[it->first.substr(prefix.size())] = it->second;
    }
  }
  Json json = {{"records", Json::array()}};
  std::string last = cursor;
  const auto take = [&](const std::string& rkey, const Stored& stored) {
    if (!cursor.empty() && (oldest_first ? rkey <= cursor : rkey >= cursor)) return true;
    if (json["records"].size() >= static_cast<size_t>(*limit)) return false;
    json["records"].push_back({{"uri", prefix + rkey}, {"cid", stored.cid}, {"value", stored.value}});
    last = rkey;
    return true;
  };
  if (answer == Answer::kEmptyPage) {
    json["cursor"] = !cursor.empty() ? cursor : oldest_first ? "0" : "zzzzzzzzzzzzzz";
    return JsonResponse(200, json, false);
  }
  if (oldest_first) {
    for (auto it = found.begin(); it != found.end() && take(it->first, it->second); ++it) {
    }
  } else {
    for (auto it = found.rbegin(); it != found.rend() && take(it->first, it->second); ++it) {
    }
  }
  if (!json["records"].empty()) json["cursor"] = last;  // also of the last page; the one behind it is empty
  return JsonResponse(200, json, false);
}

net::HttpResponse Bluesky::UploadBlob(const Asked& asked, Answer answer) {
  const net::HttpRequest& http = asked.request.http;
  const auto type = http.headers.find("content-type");
  if (type == http.headers.end()) return XrpcInvalid("Request encoding (Content-Type) required but not provided");
  if (http.body.empty()) return XrpcInvalid("A request body was expected but none was provided");
  if (http.body.size() > kBlobBytes) return XrpcError(413, "PayloadTooLarge", "request entity too large");
  const std::string cid = BskyCid(http.body, true), id = Cat("blob:", asked.account->id, ":", cid);
  const std::string mime = type->second.substr(0, type->second.find(';'));
  std::lock_guard lock(mutex_);
  if (context_.world.Find(Network::kBluesky, id) == nullptr) {  // the same bytes are the same blob
    const auto made = context_.world.Create({.network = Network::kBluesky,
                                             .kind = Item::Kind::kMedia,
                                             .account = asked.account->id,
                                             .author_id = asked.account->id,
                                             .author_name = asked.account->name,
                                             .author_handle = asked.account->handle,
                                             .media = mime,
                                             .extra = {{"size", std::to_string(http.body.size())}},
                                             .by_us = true,
                                             .id = id},
                                            Us(asked, answer));
    if (!made.ok()) return Failed(made.status());
  }
  return JsonResponse(
      200, {{"blob", {{"$type", "blob"}, {"ref", {{"$link", cid}}}, {"mimeType", mime}, {"size", http.body.size()}}}},
      false);
}

}  // namespace parvis::sandbox
