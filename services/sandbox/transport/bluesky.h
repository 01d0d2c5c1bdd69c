// Bluesky's XRPC as a PDS serves it, facts 6: /bluesky/xrpc/<NSID>. The repository's methods are the PDS's own;
// app.bsky.* is what the AppView behind it answers.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// Thread-safe. Posts and blobs are the World's. What it keeps itself (threadgates, block records, refresh tokens) is
// keyed by the account's DID, and a DID is never given twice.
class Bluesky : public Face {
 public:
  explicit Bluesky(Context& context) : context_(context) {}
  Reply Handle(const net::HttpRequest& http) override;

 private:
  struct Asked {
    const Request& request;
    AccountPtr account;  // nullptr: nobody is signed in, and nobody need be
  };
  struct Key {
    std::string did, collection, rkey;
    std::string uri() const { return "at://" + did + "/" + collection + "/" + rkey; }
  };
  struct Stored {
    Json value;
    std::string cid;
  };
  struct Call {
    bool procedure = false;
    bool signed_in = true;
    std::string_view operation;  // "": it depends on the record
    int points = 0;
    net::HttpResponse (Bluesky::*perform)(const Asked&, Answer) = nullptr;
  };
  static const Call* CallOf(const std::string& nsid);
  Reply Guarded(const Asked& asked, const Call& call);
  std::string OperationOf(const Asked& asked, const Call& call);
  std::optional<net::HttpResponse> SignIn(const net::HttpRequest& http, AccountPtr* account);

  // bluesky_session.cc
  Reply CreateSession(const Request& request);
  Reply RefreshSession(const Request& request);
  net::HttpResponse GetSession(const Asked& asked, Answer);
  net::HttpResponse DescribeServer(const Asked& asked, Answer);
  net::HttpResponse ResolveHandle(const Asked& asked, Answer);
  Json Session(const Request& request, const Account& account);

  // bluesky_repo.cc
  net::HttpResponse CreateRecord(const Asked& asked, Answer answer);
  net::HttpResponse PutRecord(const Asked& asked, Answer answer);
  net::HttpResponse DeleteRecord(const Asked& asked, Answer answer);
  net::HttpResponse GetRecord(const Asked& asked, Answer);
  net::HttpResponse ListRecords(const Asked& asked, Answer answer);
  net::HttpResponse UploadBlob(const Asked& asked, Answer answer);
  // What is wrong with repo, collection, rkey and record of the body.
  std::optional<net::HttpResponse> ReadBody(const Asked& asked, bool record, Key* key);
  net::HttpResponse Write(const Asked& asked, Answer answer, const Key& key, const std::optional<Stored>& current);
  Status WritePost(const Asked& asked, Answer answer, const Key& key, const std::string& cid, bool exists);
  std::optional<Stored> Current(const Key& key);
  std::string CheckReferences(const Asked& asked, const Json& record, std::string* name);

  // bluesky_moderation.cc
  Status WriteOther(const Asked& asked, Answer answer, const Key& key, const Json& record);
  Status DeleteOther(const Asked& asked, Answer answer, const Key& key, const Json& record);
  Status ApplyGate(const Asked& asked, Answer answer, const std::string& post, const Json& before, const Json& after);
  net::HttpResponse MuteActor(const Asked& asked, Answer answer);
  net::HttpResponse UnmuteActor(const Asked& asked, Answer answer);
  net::HttpResponse Mute(const Asked& asked, Answer answer, const char* kind);
  net::HttpResponse CreateReport(const Asked& asked, Answer answer);

  // bluesky_feed.cc
  net::HttpResponse GetProfile(const Asked& asked, Answer);
  net::HttpResponse StrangersProfile(const Asked& asked, const std::string& did);
  net::HttpResponse GetPosts(const Asked& asked, Answer);
  net::HttpResponse GetPostThread(const Asked& asked, Answer);
  net::HttpResponse GetAuthorFeed(const Asked& asked, Answer answer);
  net::HttpResponse ListNotifications(const Asked& asked, Answer answer);
  Json PostView(const Asked& asked, const Item& item);
  Json Author(const Asked& asked, const Item& item) const;
  Json Thread(const Asked& asked, const ItemPtr& item, int depth, int* left);

  AccountPtr FindActor(std::string_view actor) const;
  ItemPtr FindPost(const std::string& uri) const;  // nullptr when it is gone
  WriteContext Us(const Asked& asked, Answer answer) const;

  Context& context_;
  std::mutex mutex_;                            // one write to a repository at a time
  std::map<std::string, Stored> records_;       // by URI: what is no post
  std::map<std::string, std::string> refresh_;  // refresh token -> DID
};

}  // namespace parvis::sandbox
