// The API of X, version 2, as the fact sheet (section 3) describes it: /x/2/...
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// Thread-safe: all state is the Context's but the uploads under way.
class X : public Face {
 public:
  explicit X(Context& context) : context_(context) {}
  Reply Handle(const net::HttpRequest& http) override;

 private:
  struct Asked {
    const Request& request;
    AccountPtr account;
    const std::vector<std::string>& path;  // behind /x/2
  };
  Reply Route(const Asked& asked);
  net::HttpResponse Me(const Asked& asked);
  net::HttpResponse Post(const Asked& asked, Answer answer);
  net::HttpResponse Hide(const Asked& asked, Answer answer);
  net::HttpResponse Delete(const Asked& asked, Answer answer);
  net::HttpResponse Mute(const Asked& asked, Answer answer);
  net::HttpResponse Unmute(const Asked& asked, Answer answer);
  net::HttpResponse User(const Asked& asked);
  net::HttpResponse Users(const Request& request);
  net::HttpResponse Lookup(const Asked& asked);
  net::HttpResponse Show(const Asked& asked);
  net::HttpResponse Timeline(const Asked& asked, bool mentions, Answer answer);
  net::HttpResponse Search(const Asked& asked, Answer answer);
  // One page of tweets, newest first, with the parameters that all lists share.
  net::HttpResponse ListOf(const Asked& asked, World::List list, const std::string& id, int64_t results_min,
                           std::function<bool(const Item&)> filter, const char* token_name, Answer answer);
  // x_media.cc
  struct MediaUpload {
    int64_t total = 0;
    std::map<int64_t, int64_t> segments;   // sizes by number
    bool broken = false;                   // begins with "broken"
  };
  net::HttpResponse MediaCall(const Asked& asked, Answer answer);
  net::HttpResponse UploadAtOnce(const Asked& asked, Answer answer);
  net::HttpResponse InitializeMedia(const Asked& asked, Answer answer);
  net::HttpResponse AppendMedia(const Asked& asked);
  net::HttpResponse FinalizeMedia(const Asked& asked);
  net::HttpResponse MediaStatus(const Asked& asked);
  net::HttpResponse DescribeMedia(const Asked& asked);
  ItemPtr OwnMedia(const Asked& asked, const std::string& id) const;
  StatusOr<ItemPtr> NewMedia(const Asked& asked, Answer answer, const std::string& type, const std::string& category,
                             const std::string& state);
  std::optional<net::HttpResponse> WrongMedia(const Asked& asked, const Json& media, std::string* ids) const;
  Reply Guarded(const Asked& asked, std::string_view operation, const std::string& endpoint,
                const std::function<net::HttpResponse(Answer)>& perform);
  net::HttpResponse TooMany(const LimitState& state);
  WriteContext Us(const Asked& asked, Answer answer) const;
  // Json of the tweets with includes.users where `expansions` asks for it.
  Json Tweets(const std::string& fields, const std::string& expansions, const std::vector<ItemPtr>& items) const;
  Json Tweets(const Asked& asked, const std::vector<ItemPtr>& items) const;
  // x_stream.cc
  struct StreamRule {
    std::string value, tag;
  };
  std::optional<Reply> AppCall(const Request& request, std::string_view token);
  Reply OpenStream(const Request& request);
  net::HttpResponse Rules(const Request& request);
  net::HttpResponse AddRules(const Json& add);
  bool Matches(const StreamRule& rule, const Item& item) const;
  // What the stream tells of a post; "" when no rule matches.
  std::string Line(const std::string& fields, const std::string& expansions, const ItemPtr& item);

  Context& context_;
  std::atomic<uint64_t> refusals_{0};
  std::mutex mutex_;
  std::map<std::string, MediaUpload> uploads_;   // by the medium's id; bounded
  std::map<std::string, StreamRule> rules_;      // by id
  int64_t last_rule_ = 0;
  std::weak_ptr<const StreamOpening> stream_;    // the one that may be open
};

}  // namespace parvis::sandbox
