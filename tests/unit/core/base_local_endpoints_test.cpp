// chatd's own sockets, to which no member may be bound.
#include "core/base/endpoint.h"

#include <gtest/gtest.h>

#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using test::at;
using test::ip;

TEST(LocalEndpoints, ContainItsAddressesAtItsPortAlone) {
  const LocalEndpoints own{.addresses = {ip("192.0.2.1"), ip("2001:db8::1")},
                           .has_address = {},
                           .on_all_loopback = false,
                           .udp_port = 9000};
  EXPECT_TRUE(own.contains(at("192.0.2.1", 9000)));
  EXPECT_TRUE(own.contains(at("::ffff:192.0.2.1", 9000)));
  EXPECT_TRUE(own.contains(at("2001:db8::1", 9000)));
  EXPECT_FALSE(own.contains(at("192.0.2.1", 9001)));
  EXPECT_FALSE(own.contains(at("192.0.2.2", 9000)));
  EXPECT_FALSE(own.contains(at("127.0.0.1", 9000)));
}

TEST(LocalEndpoints, OfAWildcardAreOnAllOfLoopback) {
  const LocalEndpoints own{
      .addresses = {}, .has_address = {}, .on_all_loopback = true, .udp_port = 9000};
  EXPECT_TRUE(own.contains(at("127.0.0.1", 9000)));
  EXPECT_TRUE(own.contains(at("127.9.8.7", 9000)));
  EXPECT_TRUE(own.contains(at("::1", 9000)));
  EXPECT_FALSE(own.contains(at("127.0.0.1", 9001)));
  EXPECT_FALSE(own.contains(at("192.0.2.1", 9000)));
}

TEST(LocalEndpoints, ContainAnAddressThatTheMachineHasGotSince) {
  int asked = 0;
  const LocalEndpoints own{.addresses = {ip("192.0.2.1")},
                           .has_address =
                               [&asked](const IpAddress& address) {
                                 ++asked;
                                 return address == ip("192.0.2.7");
                               },
                           .on_all_loopback = true,
                           .udp_port = 9000};
  EXPECT_FALSE(own.contains(at("192.0.2.7", 9001)));
  EXPECT_EQ(asked, 0) << "of another port";
  EXPECT_TRUE(own.contains(at("192.0.2.7", 9000)));
  EXPECT_FALSE(own.contains(at("192.0.2.8", 9000)));
}

TEST(LocalEndpoints, AreNoneUnlessTold) {
  const LocalEndpoints none;
  EXPECT_FALSE(none.contains(Endpoint{}));
  EXPECT_FALSE(none.contains(at("127.0.0.1", 0)));
}

}  // namespace
}  // namespace chatd
