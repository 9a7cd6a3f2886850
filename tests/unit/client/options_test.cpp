// What the flags of `chat` mean for where it goes.
#include "client/chat/options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace chatd::client {
namespace {

std::optional<Options> parse_flags(std::vector<const char*> flags) {
  flags.insert(flags.begin(), {"chat", "join", "kitchen"});
  int exit_code = 0;
  auto options = parse_options(static_cast<int>(flags.size()), flags.data(), exit_code);
  EXPECT_EQ(exit_code, options ? 0 : 2);
  return options;
}

struct Case {
  std::vector<const char*> flags;
  int protocol;
  std::string host;
  std::uint16_t tcp_port;
  std::uint16_t udp_port;
};

TEST(ChatOptions, SayWhereTheServerIs) {
  for (const Case& one : std::vector<Case>{
           {{}, 2, "localhost", 8001, 0},
           {{"--server", "chat.example"}, 2, "chat.example", 8001, 0},
           {{"--server", "chat.example:1"}, 2, "chat.example", 1, 0},
           {{"--host", "chat.example"}, 2, "chat.example", 8001, 0},
           {{"--tcp-port", "2", "--udp-port", "3"}, 2, "localhost", 2, 3},
           {{"--v1"}, 1, "localhost", 8000, 9000},
           {{"--v1", "--host", "::1", "--tcp-port", "2", "--udp-port", "3"}, 1, "::1", 2, 3},
           {{"--v1", "--server", "[::1]:7"}, 1, "::1", 7, 9000},
       }) {
    const auto options = parse_flags(one.flags);
    ASSERT_TRUE(options.has_value());
    EXPECT_EQ(options->server.protocol, one.protocol);
    EXPECT_EQ(options->server.host, one.host);
    EXPECT_EQ(options->server.tcp_port, one.tcp_port);
    EXPECT_EQ(options->server.udp_port, one.udp_port);
  }
}

TEST(ChatOptions, ThatContradictEachOtherAreRefused) {
  EXPECT_FALSE(parse_flags({"--server", "a", "--host", "b"}));
  EXPECT_FALSE(parse_flags({"--server", "a", "--tcp-port", "1"}));
  EXPECT_FALSE(parse_flags({"--v1", "--trust-new"}));
  EXPECT_FALSE(parse_flags({"--v1", "--room-key", "x"}));
  EXPECT_FALSE(parse_flags({"--server", "a:0"}));
  EXPECT_FALSE(parse_flags({"--server", ""}));
}

TEST(ChatOptions, AServerHasAHostAndPerhapsAPort) {
  const auto expect_read = [](const std::string& text, const std::string& host,
                              std::optional<std::uint16_t> port) {
    const auto read = read_server(text);
    ASSERT_TRUE(read.has_value()) << text;
    EXPECT_EQ(read->host, host) << text;
    EXPECT_EQ(read->port, port) << text;
  };
  expect_read("chat.example", "chat.example", std::nullopt);
  expect_read("chat.example:8443", "chat.example", 8443);
  expect_read("192.0.2.7:65535", "192.0.2.7", 65535);
  expect_read("2001:db8::7", "2001:db8::7", std::nullopt);
  expect_read("[2001:db8::7]", "2001:db8::7", std::nullopt);
  expect_read("[2001:db8::7]:8443", "2001:db8::7", 8443);
  for (const std::string& text :
       {std::string(), std::string(":8001"), std::string("a:"), std::string("a:0"),
        std::string("a:65536"), std::string("a:b"), std::string("[::1"), std::string("[]"),
        std::string("[::1]a"), std::string("[::1]a:1"), std::string("a: 1")}) {
    EXPECT_FALSE(read_server(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace chatd::client
