// What the networks fetch themselves: a picture or video at an address that a request names. Only plain http on loopback is
// fetched, which is where this machine's own services are; what else a test names exists only in its words.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "platform/net/http_client.h"

namespace parvis::sandbox {

struct Found {
  int status = 0;      // 0: nobody answered
  std::string type;    // as the server names it
  std::string begins;  // the content's first bytes
};
using Fetched = std::map<std::string, Found>;  // by address

class Fetcher {
 public:
  explicit Fetcher(net::HttpClient& client) : client_(client) {}   // outlives it
  ~Fetcher() { Stop(); }
  static bool Reaches(const std::string& url);
  // Gets the beginning of each, as Meta's fetcher does, and then calls back, from the client's thread or from this one.
  void Fetch(std::vector<std::string> urls, std::function<void(const Fetched&)> done);
  void Stop();   // fetches no more; waits for what is under way, which the client bounds

 private:
  void Next(std::vector<std::string> urls, Fetched fetched, std::function<void(const Fetched&)> done);
  net::HttpClient& client_;
  std::mutex mutex_;
  std::condition_variable idle_;
  int under_way_ = 0;
  bool stopping_ = false;
};

}  // namespace parvis::sandbox
