#include "sandbox/domain/model.h"

namespace parvis::sandbox {

std::string_view NameOf(Network network) {
  switch (network) {
    case Network::kFacebook:
      return "facebook";
    case Network::kX:
      return "x";
    case Network::kBlog:
      return "wordpress";
  }
  return "unknown";
}

std::optional<Network> NetworkOf(std::string_view name) {
  for (Network network : kNetworks) {
    if (name == NameOf(network)) return network;
  }
  if (name == "blog") return Network::kBlog;
  return std::nullopt;
}

}  // namespace parvis::sandbox
