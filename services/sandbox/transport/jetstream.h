// Jetstream beside the sandbox's Bluesky: /jetstream/subscribe, a WebSocket (facts 6.3). Everybody's posts, from a cursor on.
#pragma once

#include <string>
#include <vector>

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// Thread-safe. Tells what the World has of Bluesky.
class Jetstream : public Face {
 public:
  explicit Jetstream(Context& context) : context_(context) {}
  Reply Handle(const net::HttpRequest& http) override;

 private:
  struct Wanted {
    std::vector<std::string> collections, dids;   // empty: all
    absl::Time since = absl::InfiniteFuture();    // InfiniteFuture: nothing is replayed
  };
  // "" or what is wrong with the query.
  std::string Read(const Request& request, Wanted* wanted) const;
  // The message, or "" where it is not wanted.
  std::string Commit(const Wanted& wanted, const Item& item, bool removed, absl::Time time) const;
  // Frames, at most `max` bytes; `all` is false when there are more.
  std::string Replay(const Wanted& wanted, size_t max, bool* all) const;

  Context& context_;
};

}  // namespace parvis::sandbox
