// The Graph API of Facebook Pages, as the fact sheet (section 1) describes it: /facebook/v23.0/...
#pragma once

#include <atomic>
#include <string>

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// Thread-safe: all state is the Context's.
class Facebook : public Face {
 public:
  explicit Facebook(Context& context) : context_(context) {}
  Reply Handle(const net::HttpRequest& http) override;

 private:
  struct Asked {
    const Request& request;
    AccountPtr account;  // whom the token belongs to
    std::string version;
    std::string object;  // first segment behind the version; "me" already replaced
    std::string edge;    // second segment or ""
  };
  Reply Route(const Asked& asked);
  net::HttpResponse Identity(const Asked& asked);
  net::HttpResponse MyAccounts(const Asked& asked);
  net::HttpResponse Publish(const Asked& asked, Answer answer);
  net::HttpResponse Photo(const Asked& asked, Answer answer);
  net::HttpResponse Feed(const Asked& asked, Answer answer);
  net::HttpResponse Comments(const Asked& asked, Answer answer);
  net::HttpResponse Message(const Asked& asked, Answer answer);
  net::HttpResponse Block(const Asked& asked, bool block, Answer answer);
  net::HttpResponse Comment(const Asked& asked, Answer answer);
  net::HttpResponse Update(const Asked& asked, Answer answer);
  net::HttpResponse Remove(const Asked& asked, Answer answer);
  net::HttpResponse ReadObject(const Asked& asked);
  Reply Guarded(const Asked& asked, std::string_view operation,
                const std::function<net::HttpResponse(Answer)>& perform);
  net::HttpResponse RateLimited(const Asked& asked, const LimitState& state, int code);
  void AddUsage(const Asked& asked, const LimitState& state, net::HttpResponse& response);
  // The item that `asked.object` names, if the token's page may see it.
  ItemPtr Target(const Asked& asked) const;
  WriteContext Us(const Asked& asked, Answer answer) const;
  net::HttpResponse Paged(const Asked& asked, const Page& page);

  Context& context_;
  std::atomic<uint64_t> forced_limits_{0};
};

}  // namespace parvis::sandbox
