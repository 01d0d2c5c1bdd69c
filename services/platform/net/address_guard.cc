#include "platform/net/address_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

namespace parvis::net {
namespace {

AddressBytes Mapped(const uint8_t* ipv4) {
  AddressBytes out{};
  out[10] = out[11] = 0xff;
  std::memcpy(out.data() + 12, ipv4, 4);
  return out;
}

bool IsMapped(const AddressBytes& a) {
  for (int i = 0; i < 10; ++i) {
    if (a[i] != 0) return false;
  }
  return a[10] == 0xff && a[11] == 0xff;
}

// IANA special-purpose registries (RFC 6890 and its updates): nothing in here is a public host.
const std::vector<Network>& Refused() {
  static const std::vector<Network>* const networks = [] {
    auto* list = new std::vector<Network>;
    for (const char* text :
         {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
          "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
          "224.0.0.0/4", "240.0.0.0/4",
          // Everything outside 2000::/3 (global unicast) is refused below; these lie inside it.
          "2001::/23", "2001:db8::/32", "3fff::/20"}) {
      list->push_back(*ParseNetwork(text));
    }
    return list;
  }();
  return *networks;
}

// The IPv4 address inside an IPv6 one, in mapped form, or none.
bool Embedded(const AddressBytes& a, AddressBytes* inner) {
  static const uint8_t kNat64[12] = {0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};  // RFC 6052 §2.1
  static const uint8_t kZeros[12] = {};
  if (std::memcmp(a.data(), kNat64, 12) == 0 || std::memcmp(a.data(), kZeros, 12) == 0) {
    *inner = Mapped(a.data() + 12);
    return true;
  }
  if (a[0] == 0x20 && a[1] == 0x02) {  // 6to4, RFC 3056
    *inner = Mapped(a.data() + 2);
    return true;
  }
  return false;
}

bool IsPublic(const AddressBytes& a) {
  for (const Network& network : Refused()) {
    if (network.Contains(a)) return false;
  }
  if (IsMapped(a)) return true;
  AddressBytes inner;
  if (Embedded(a, &inner)) return IsPublic(inner);
  return (a[0] & 0xe0) == 0x20;
}

}  // namespace

bool Network::Contains(const AddressBytes& address) const {
  const int whole = prefix_bits / 8;
  if (std::memcmp(base.data(), address.data(), whole) != 0) return false;
  const int rest = prefix_bits % 8;
  if (rest == 0) return true;
  const uint8_t mask = static_cast<uint8_t>(0xff << (8 - rest));
  return (base[whole] & mask) == (address[whole] & mask);
}

StatusOr<Network> ParseNetwork(std::string_view text) {
  const auto bad = [&] {
    return MakeError(Code::kInvalidArgument, "BAD_NETWORK",
                     "\"" + std::string(text) + "\" is not a network like 10.0.0.0/8 or fd00::/8");
  };
  const size_t slash = text.find('/');
  const std::string host(text.substr(0, slash));
  Network network;
  in_addr v4;
  in6_addr v6;
  int width = 128;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    network.base = Mapped(reinterpret_cast<const uint8_t*>(&v4));
    width = 32;
  } else if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) {
    std::memcpy(network.base.data(), &v6, 16);
  } else {
    return bad();
  }
  int bits = width;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    if (digits.empty() || digits.size() > 3) return bad();
    bits = 0;
    for (char c : digits) {
      if (c < '0' || c > '9') return bad();
      bits = bits * 10 + (c - '0');
    }
    if (bits > width) return bad();
  }
  network.prefix_bits = bits + (128 - width);
  return network;
}

StatusOr<AddressBytes> AddressOf(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    return Mapped(reinterpret_cast<const uint8_t*>(&reinterpret_cast<const sockaddr_in*>(address)->sin_addr));
  }
  if (address->sa_family == AF_INET6) {
    AddressBytes out;
    std::memcpy(out.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, 16);
    return out;
  }
  return MakeError(Code::kInvalidArgument, "BAD_ADDRESS", "neither an IPv4 nor an IPv6 address");
}

AddressGuard::AddressGuard(const std::vector<std::string>& allowed_networks) {
  for (const std::string& text : allowed_networks) {
    if (auto network = ParseNetwork(text); network.ok()) {
      allowed_.push_back(*network);
    } else {
      rejected_.push_back(text);
    }
  }
}

bool AddressGuard::Allows(const AddressBytes& address) const {
  if (IsPublic(address)) return true;
  for (const Network& network : allowed_) {
    if (network.Contains(address)) return true;
  }
  return false;
}

}  // namespace parvis::net
