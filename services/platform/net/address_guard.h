// Which addresses an outgoing connection may reach (the SSRF guard's decision; http_client.cc asks it for every socket
// before it connects, so what was checked is what is connected to).
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/error.h"

namespace parvis::net {

// An IPv4 address is kept in its IPv4-mapped form (::ffff:a.b.c.d, RFC 4291 §2.5.5.2), so that both forms are one.
using AddressBytes = std::array<uint8_t, 16>;

struct Network {
  AddressBytes base{};
  int prefix_bits = 128;
  bool Contains(const AddressBytes& address) const;
};

// "127.0.0.0/8", "fd00::/8", "10.1.2.3" (one host). INVALID_ARGUMENT BAD_NETWORK.
StatusOr<Network> ParseNetwork(std::string_view text);
// The address of an AF_INET or AF_INET6 socket address; INVALID_ARGUMENT BAD_ADDRESS for anything else.
StatusOr<AddressBytes> AddressOf(const sockaddr* address);

// Immutable, thread-safe.
class AddressGuard {
 public:
  // What is not a network is left out and named in `rejected()`: a typing error never opens anything.
  explicit AddressGuard(const std::vector<std::string>& allowed_networks);
  // True for public unicast addresses and for those in the allowed networks. Addresses that embed an IPv4 address (mapped,
  // compatible, NAT64, 6to4) are judged by it.
  bool Allows(const AddressBytes& address) const;
  const std::vector<std::string>& rejected() const { return rejected_; }

 private:
  std::vector<Network> allowed_;
  std::vector<std::string> rejected_;
};

}  // namespace parvis::net
