#include "bench/chatbench/net/this_machine.h"

#include <gtest/gtest.h>

namespace chatd::bench {
namespace {

TEST(ThisMachine, IsWhatCanBeBoundTo) {
  EXPECT_TRUE(is_this_machine("127.0.0.1"));
  EXPECT_TRUE(is_this_machine("127.9.8.7"));
  EXPECT_TRUE(is_this_machine("localhost"));
  EXPECT_FALSE(is_this_machine("192.0.2.1"));  // TEST-NET-1 (RFC 5737): nobody's
  EXPECT_FALSE(is_this_machine("no host of this name"));
}

}  // namespace
}  // namespace chatd::bench
