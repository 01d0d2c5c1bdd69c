// parvis-post-bench: HTTP POSTs as fast as libcurl's multi interface sends them and nothing else, beside which the
// deliverer is measured. A line on standard input is the name of a file, whose lines are "URL TAB form"; a line on standard
// output is the seconds until all were answered 200.
//
//   parvis-post-bench --at_once=32
#include <curl/curl.h>

#include <deque>
#include <fstream>

#include "platform/testing/bench.h"

namespace parvis {
namespace {

struct Request {
  std::string url, form;
};

size_t Discard(char*, size_t size, size_t count, void*) { return size * count; }

std::deque<Request> ReadRequests(const std::string& path) {
  std::deque<Request> requests;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t tab = line.find('\t');
    if (tab != std::string::npos) requests.push_back({line.substr(0, tab), line.substr(tab + 1)});
  }
  return requests;
}

class Sender {
 public:
  explicit Sender(int64_t at_once) : multi_(curl_multi_init()) {
    for (int64_t i = 0; i < at_once; ++i) handles_.push_back(curl_easy_init());
  }
  ~Sender() {
    for (CURL* handle : handles_) curl_easy_cleanup(handle);
    curl_multi_cleanup(multi_);
  }

  double SecondsFor(std::deque<Request> requests) {
    under_way_.resize(handles_.size());
    int busy = 0;
    const Instant began = clock_.Now();
    for (size_t i = 0; i < handles_.size() && !requests.empty(); ++i, ++busy) Start(i, requests);
    while (busy > 0) {
      int running = 0, left = 0;
      curl_multi_perform(multi_, &running);
      while (const CURLMsg* done = curl_multi_info_read(multi_, &left)) {
        Check(*done);
        size_t number = 0;
        curl_easy_getinfo(done->easy_handle, CURLINFO_PRIVATE, &number);
        curl_multi_remove_handle(multi_, handles_[number]);
        --busy;
        if (!requests.empty()) Start(number, requests), ++busy;
      }
      curl_multi_poll(multi_, nullptr, 0, 100, nullptr);
    }
    return absl::ToDoubleSeconds(clock_.Now() - began);
  }

 private:
  void Start(size_t number, std::deque<Request>& requests) {
    under_way_[number] = std::move(requests.front());
    requests.pop_front();
    CURL* const handle = handles_[number];
    curl_easy_setopt(handle, CURLOPT_URL, under_way_[number].url.c_str());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, under_way_[number].form.c_str());
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &Discard);
    curl_easy_setopt(handle, CURLOPT_PRIVATE, number);
    curl_multi_add_handle(multi_, handle);
  }
  static void Check(const CURLMsg& done) {
    long status = 0;
    curl_easy_getinfo(done.easy_handle, CURLINFO_RESPONSE_CODE, &status);
    if (done.data.result == CURLE_OK && status == 200) return;
    testing::BenchCheck(MakeError(Code::kUnavailable, "NOT_ACCEPTED", std::string(curl_easy_strerror(done.data.result)) +
                                  ", status " + std::to_string(status)));
  }

  RealClock clock_;
  CURLM* const multi_;
  std::vector<CURL*> handles_;
  std::vector<Request> under_way_;
};

}  // namespace
}  // namespace parvis

int main(int argc, char** argv) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  parvis::Sender sender(parvis::testing::BenchOption(argc, argv, "at_once", 32));
  for (std::string path; std::getline(std::cin, path);) {
    std::printf("%.6f\n", sender.SecondsFor(parvis::ReadRequests(path)));
    std::fflush(stdout);
  }
  return 0;
}
