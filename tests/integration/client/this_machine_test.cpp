#include "bench/chatbench/net/setup.h"

#include <gtest/gtest.h>

#include "client/net/wait.h"

namespace chatd::bench {
namespace {

bool is_here(const std::string& ip) {
  return is_this_machine(client::resolve(ip, 9000, client::now_ms(), -1).value().front());
}

TEST(ThisMachine, IsWhatCanBeBoundTo) {
  EXPECT_TRUE(is_here("127.0.0.1"));
  EXPECT_TRUE(is_here("127.9.8.7"));
  EXPECT_FALSE(is_here("192.0.2.1"));  // TEST-NET-1 (RFC 5737): nobody's
}

}  // namespace
}  // namespace chatd::bench
