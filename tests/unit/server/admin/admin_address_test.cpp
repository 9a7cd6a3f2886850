#include "server/config/admin_address.h"

#include <gtest/gtest.h>

namespace chatd::test {
namespace {

TEST(AdminAddress, TakesLoopbackAddressesAndSocketFiles) {
  const auto v4 = parse_admin_address("127.0.0.1:9100");
  ASSERT_TRUE(v4);
  EXPECT_FALSE(v4->is_unix());
  EXPECT_EQ(v4->endpoint.ip, IpAddress::parse("127.0.0.1"));
  EXPECT_EQ(v4->endpoint.port, 9100);
  const auto v6 = parse_admin_address("[::1]:0");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->endpoint.ip, IpAddress::parse("::1"));
  EXPECT_EQ(v6->endpoint.port, 0);
  const auto file = parse_admin_address("unix:/run/chatd/admin.sock");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->socket_path, "/run/chatd/admin.sock");
}

TEST(AdminAddress, RefusesWhatOthersCouldReachAndSaysWhatToDo) {
  for (const char* text : {"0.0.0.0:9100", "192.0.2.1:9100", "[::]:9100", "[2001:db8::1]:9100",
                           "[::ffff:10.0.0.1]:9100"}) {
    const auto address = parse_admin_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_NE(address.error().find("not a loopback address"), std::string::npos) << address.error();
    EXPECT_NE(address.error().find("ssh -L"), std::string::npos) << address.error();
  }
}

TEST(AdminAddress, RefusesWhatIsNoAddress) {
  for (const char* text : {"", "9100", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
                           "::1:9100", "[::1]", "[::1", "[::1]9100", "localhost:9100",
                           "unix:", "unix:admin.sock", "unix:./admin.sock", "unix:@admin"}) {
    EXPECT_FALSE(parse_admin_address(text)) << text;
  }
}

TEST(AdminAddress, KnowsTheNamesOfThisMachine) {
  for (const char* host :
       {"127.0.0.1", "127.0.0.1:9100", "localhost", "localhost:80", "[::1]", "[::1]:9100",
        "127.8.8.8:1", "LOCALHOST", "LocalHost.:9100", "localhost."}) {
    EXPECT_TRUE(is_loopback_host(host)) << host;
  }
  for (const char* host :
       {"", "example.org", "example.org:9100", "127.0.0.1.example.org", "localhost.example.org",
        "localhost..", "localhos", "localhostt", ".", "localhost.example.org.", "10.0.0.1",
        "[2001:db8::1]:9100", "[::1", "localhost:x", "[::1]x"}) {
    EXPECT_FALSE(is_loopback_host(host)) << host;
  }
}

}  // namespace
}  // namespace chatd::test
