// Which of the addresses that a predecessor hands over can be sent from.
#include "server/os/local_addresses.h"

#include <gtest/gtest.h>

namespace chatd::test {
namespace {

TEST(HandedOverAddresses, ABroadcastAddressStaysUnfit) {
  const std::vector<LocalAddress> handed_over{{.ip = *IpAddress::parse("127.0.0.1")},
                                              {.ip = *IpAddress::parse("255.255.255.255")},
                                              {.ip = *IpAddress::parse("127.255.255.255")}};
  LocalAddresses addresses;
  addresses.keep();
  addresses.go_on_from(handed_over);
  EXPECT_EQ(addresses.all(), handed_over) << "their numbers stay";
  EXPECT_TRUE(addresses.find(1));
  EXPECT_FALSE(addresses.find(2));
  EXPECT_FALSE(addresses.find(3));
}

}  // namespace
}  // namespace chatd::test
