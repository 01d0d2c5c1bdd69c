// Where statuses hang: who wrote what lies above them, and the first of them. The API tells only the parent of each.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "networks/wire/answer.h"

namespace parvis::networks {

class MastodonRoots {
 public:
  void Add(const Json& status);
  // It is not there, or not for us: the highest that is known of.
  void AddGone(const std::string& id) { known_[id].gone = true; }
  // The highest known above `id`, itself included.
  std::string RootOf(const std::string& id) const;
  // "" when not known.
  std::string AuthorOf(const std::string& id) const;
  // Parents that were not looked at yet, above `statuses`; each once.
  std::vector<std::string> Missing(const std::vector<Json>& statuses) const;

 private:
  struct Known {
    std::string parent, author;
    bool gone = false;
  };
  std::map<std::string, Known> known_;
};

}  // namespace parvis::networks
