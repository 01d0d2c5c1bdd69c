#include "platform/net/address_guard.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

namespace parvis::net {
namespace {

AddressBytes Bytes(const std::string& text) {
  auto network = ParseNetwork(text);
  EXPECT_TRUE(network.ok()) << text;
  return network.ok() ? network->base : AddressBytes{};
}

TEST(AddressGuard, RefusesWhatIsNotPublic) {
  const AddressGuard guard({});
  for (const char* address :
       {"127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "192.0.2.1", "198.51.100.7", "203.0.113.9", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "192.0.0.1", "192.88.99.1", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b::10.0.0.1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1", "fe80::1", "fec0::1", "fc00::1", "fd12:3456::1",
        "ff02::1", "2001:db8::1", "2001::1", "3fff::1", "100::1", "5f00::1"}) {
    EXPECT_FALSE(guard.Allows(Bytes(address))) << address;
  }
}

TEST(AddressGuard, AllowsPublicAddresses) {
  const AddressGuard guard({});
  for (const char* address : {"1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1",
                              "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"}) {
    EXPECT_TRUE(guard.Allows(Bytes(address))) << address;
  }
}

TEST(AddressGuard, ListedNetworksAreAllowedAndNothingBeside) {
  const AddressGuard guard({"127.0.0.0/8", "10.1.0.0/16", "fd00:1::/32", "not a network", "10.0.0.0/33", "10.0.0.0/x"});
  EXPECT_TRUE(guard.Allows(Bytes("127.9.9.9")));
  EXPECT_TRUE(guard.Allows(Bytes("::ffff:127.0.0.1")));
  EXPECT_TRUE(guard.Allows(Bytes("10.1.255.1")));
  EXPECT_FALSE(guard.Allows(Bytes("10.2.0.1")));
  EXPECT_TRUE(guard.Allows(Bytes("fd00:1::5")));
  EXPECT_FALSE(guard.Allows(Bytes("fd00:2::5")));
  EXPECT_FALSE(guard.Allows(Bytes("::1")));
  EXPECT_EQ(guard.rejected().size(), 3u);
}

TEST(AddressGuard, PrefixesThatAreNoWholeBytes) {
  auto network = ParseNetwork("172.16.0.0/12");
  ASSERT_TRUE(network.ok());
  EXPECT_TRUE(network->Contains(Bytes("172.31.0.1")));
  EXPECT_FALSE(network->Contains(Bytes("172.32.0.1")));
  EXPECT_TRUE(ParseNetwork("0.0.0.0/0")->Contains(Bytes("8.8.8.8")));
  EXPECT_FALSE(ParseNetwork("0.0.0.0/0")->Contains(Bytes("2606::1")));
  EXPECT_TRUE(ParseNetwork("::/0")->Contains(Bytes("2606::1")));
}

}  // namespace
}  // namespace parvis::net
