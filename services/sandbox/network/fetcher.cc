#include "sandbox/network/fetcher.h"

#include <utility>

namespace parvis::sandbox {
namespace {

constexpr char kRange[] = "bytes=0-1023";

}  // namespace

bool Fetcher::Reaches(const std::string& url) {
  return url.starts_with("http://127.0.0.1:") || url.starts_with("http://localhost:");
}

void Fetcher::Fetch(std::vector<std::string> urls, std::function<void(const Fetched&)> done) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) urls.clear();
    ++under_way_;
  }
  Next(std::move(urls), {}, std::move(done));
}

void Fetcher::Next(std::vector<std::string> urls, Fetched fetched, std::function<void(const Fetched&)> done) {
  if (urls.empty()) {
    done(fetched);
    std::lock_guard lock(mutex_);
    --under_way_;
    idle_.notify_all();
    return;
  }
  net::ClientRequest request;
  request.url = urls.back();
  request.headers["Range"] = kRange;
  urls.pop_back();
  const std::string url = request.url;
  client_.SendAsync(BackgroundCall("sandbox"), std::move(request),
                    [this, url, urls = std::move(urls), fetched = std::move(fetched),
                     done = std::move(done)](net::ClientResult result) mutable {
                      Found& found = fetched[url];
                      if (result.sent == net::Sent::kAnswered) {
                        found.status = result.http_status;
                        found.type = net::HeaderOf(result.headers, "content-type");
                        found.begins = result.body.substr(0, 16);
                      }
                      Next(std::move(urls), std::move(fetched), std::move(done));
                    });
}

void Fetcher::Stop() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  idle_.wait(lock, [this] { return under_way_ == 0; });
}

}  // namespace parvis::sandbox
