// The one Graph API behind Facebook Pages and Instagram, as the fact sheet describes it (sections 0.4, 1.3, 1.4, 1.6,
// 2): versions, tokens, usage headers, cursors, uploads, and messages to people. What differs is a Product and a Route.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/transport/graph_json.h"
#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// Thread-safe: all state is the Context's.
class Graph : public Face {
 public:
  Reply Handle(const net::HttpRequest& http) override { return HandleFetched(http, {}); }
  Reply HandleFetched(const net::HttpRequest& http, const Fetched& fetched) override;

 protected:
  struct Product {
    Network network;
    std::string_view prefix;    // "/facebook"
    std::string_view endpoint;  // whose budget all calls of an account share
    std::string_view usage;     // "pages"
    std::string_view platform;  // of conversations: "messenger"
    std::string_view uploads;   // first segment of an upload's address: "video-upload"
    int limit_code = 0;         // 80001
  };
  struct Asked {
    const Request& request;
    AccountPtr account;  // whom the token belongs to
    std::string version;
    std::string object;  // first segment behind the version; "me" already replaced
    std::string edge;    // second segment or ""
    std::string method;  // GET, POST or DELETE
    const Fetched& fetched;
    bool own() const { return object == account->id; }
    std::string Param(const char* name, std::string_view fallback = "") const { return request.Param(name, fallback); }
  };
  using Perform = std::function<net::HttpResponse(Answer)>;
  using Render = std::function<Json(const Item&)>;

  Graph(Context& context, const Product& product) : context_(context), product_(product) {}
  virtual Reply Route(const Asked& asked) = 0;
  // What there is no way to.
  static Reply Unsupported(const Asked& asked);
  Reply Guarded(const Asked& asked, std::string_view operation, const Perform& perform);
  // The item that `asked.object`, or `id`, names, if the token's account may see it.
  ItemPtr Target(const Asked& asked) const { return Find(asked, asked.object); }
  ItemPtr Find(const Asked& asked, const std::string& id) const;
  WriteContext Us(const Asked& asked, Answer answer) const;
  // A new item of our own in the account's channel.
  NewItem Ours(const Asked& asked, Item::Kind kind) const;

  // `limit` and `after`; nullopt when they are wrong.
  std::optional<ListOptions> Listing(const Asked& asked, Answer answer) const;
  Json PageOf(const Asked& asked, const Page& page, const std::string& object, const std::string& edge,
              const Render& render) const;
  net::HttpResponse Paged(const Asked& asked, const Page& page, const Render& render) const;

  // A private reply to a comment, and the conversations that show it (graph_people.cc).
  net::HttpResponse Message(const Asked& asked, Answer answer);
  net::HttpResponse Conversations(const Asked& asked);

  // Uploads (graph_media.cc). The address of one, and what has arrived of it.
  std::string UploadUrl(const Asked& asked, const std::string& id) const;
  static int64_t Number(const Item& item, const char* name);
  static bool Arrived(const Item& item);
  static Json UploadingPhase(const Item& item);
  // Known metrics only, by their period; `totals`: as total_value, else as values. What a metric counts is in the
  // item's extra.
  net::HttpResponse Insights(const Asked& asked, const std::vector<std::string_view>& known, const ItemPtr& item,
                             bool totals) const;

  Context& context_;
  const Product product_;

 private:
  net::HttpResponse TakeBytes(const Asked& asked);
  net::HttpResponse RateLimited(const Asked& asked, const LimitState& state, int code);
  void AddUsage(const Asked& asked, const LimitState& state, net::HttpResponse& response);

  std::atomic<uint64_t> forced_limits_{0};
};

}  // namespace parvis::sandbox
