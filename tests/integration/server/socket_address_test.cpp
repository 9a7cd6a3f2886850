// Of a name's addresses chatd listens on one.
#include "server/os/socket_address.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace chatd {
namespace {

std::string chosen(const std::vector<std::string>& addresses) {
  std::vector<SocketAddress> all;
  for (const std::string& address : addresses) all.push_back(resolve(address, 7).value());
  return to_text(to_endpoint(to_listen_on(all)));
}

TEST(AddressesOfAName, TheFirstIsListenedOn) {
  EXPECT_EQ(chosen({"192.0.2.1", "192.0.2.2"}), "192.0.2.1:7");
  EXPECT_EQ(chosen({"2001:db8::1", "192.0.2.2"}), "[2001:db8::1]:7");
  EXPECT_EQ(chosen({"::1", "192.0.2.2"}), "[::1]:7");
}

TEST(AddressesOfAName, LocalhostIsWhereClientsLookFirst) {
  EXPECT_EQ(chosen({"::1", "127.0.0.1"}), "127.0.0.1:7");
  EXPECT_EQ(chosen({"::1"}), "[::1]:7");
}

TEST(AddressesOfAName, EachIsNamedOnce) {
  const auto all = resolve_all("127.0.0.1", 7);
  ASSERT_TRUE(all.has_value());
  EXPECT_EQ(all->size(), 1u);
}

}  // namespace
}  // namespace chatd
