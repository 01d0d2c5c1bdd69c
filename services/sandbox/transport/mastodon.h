// A Mastodon instance's REST API, facts 7: /mastodon/api/v1/..., /mastodon/api/v2/{media,instance}.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// Thread-safe. Everything is the World's but the idempotency keys.
class Mastodon : public Face {
 public:
  explicit Mastodon(Context& context) : context_(context) {}
  Reply Handle(const net::HttpRequest& http) override;

 private:
  struct Asked {
    const Request& request;
    AccountPtr account;
    std::vector<std::string> path;  // behind "api"
  };
  using Perform = net::HttpResponse (Mastodon::*)(const Asked&, Answer);
  struct Call {
    std::string_view operation;
    const char* endpoint;  // the rate limit besides the one that all calls count for, or ""
    Perform perform;
  };
  static Call CallOf(const Asked& asked);
  static Call AccountCallOf(const Asked& asked);
  static Call StatusCallOf(const Asked& asked);
  Reply Guarded(const Asked& asked, const Call& call);

  // mastodon_statuses.cc
  net::HttpResponse CreateStatus(const Asked& asked, Answer answer);
  net::HttpResponse EditStatus(const Asked& asked, Answer answer);
  net::HttpResponse DeleteStatus(const Asked& asked, Answer answer);
  net::HttpResponse ShowStatus(const Asked& asked, Answer);
  net::HttpResponse ShowStatuses(const Asked& asked, Answer);
  net::HttpResponse ShowContext(const Asked& asked, Answer);
  // "" or what is wrong with the text; with the attachments; with the poll.
  std::string CheckText(const Asked& asked, const std::string& text, bool more) const;
  std::string CheckMedia(const Asked& asked, const std::vector<std::string>& ids) const;
  net::HttpResponse Write(const Asked& asked, Answer answer, const std::string& parent, const std::string& poll);

  // mastodon_accounts.cc
  net::HttpResponse VerifyCredentials(const Asked& asked, Answer);
  net::HttpResponse ShowAccount(const Asked& asked, Answer);
  net::HttpResponse Lookup(const Asked& asked, Answer);
  net::HttpResponse AccountStatuses(const Asked& asked, Answer answer);
  net::HttpResponse Notifications(const Asked& asked, Answer answer);
  net::HttpResponse Relate(const Asked& asked, Answer answer);
  net::HttpResponse Report(const Asked& asked, Answer answer);
  net::HttpResponse Paged(const Asked& asked, Answer answer, World::List list, const std::string& id, int64_t most,
                          int64_t shift, const std::function<bool(const Item&)>& filter,
                          const std::function<Json(const Item&)>& show);

  // mastodon_media.cc
  net::HttpResponse Upload(const Asked& asked, Answer answer);
  net::HttpResponse ShowMedia(const Asked& asked, Answer);
  net::HttpResponse Describe(const Asked& asked, Answer);
  net::HttpResponse Instance(const Request& request);

  // mastodon_stream.cc
  static bool IsStream(const Asked& asked);
  Reply OpenStream(const Asked& asked);
  std::string Told(const Account& me, const std::string& base, bool all, const Notice& notice) const;

  ItemPtr FindStatus(const std::string& id) const;  // nullptr when it is gone
  Json Shown(const std::string& base, const Item& item) const;
  Json Notification(const std::string& base, const Item& item) const;  // of a mention
  WriteContext Us(const Asked& asked, Answer answer) const;

  struct Sent {
    std::string id;
    absl::Time time;
  };
  Context& context_;
  std::mutex mutex_;                  // one status at a time, so that a key is used once
  std::map<std::string, Sent> sent_;  // by account and idempotency key
};

}  // namespace parvis::sandbox
