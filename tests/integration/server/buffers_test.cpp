// The size of a socket's buffers, when chatd may not set it as it likes.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>

#include "server/os/open_sockets.h"
#include "server/os/socket_address.h"

namespace chatd {
namespace {

constexpr uid_t kNobody = 65534;

TEST(Buffers, WhatAPrivilegedOpenerHasGivenStays) {
  std::size_t allowed_bytes = 0;
  std::ifstream("/proc/sys/net/core/rmem_max") >> allowed_bytes;
  ASSERT_GT(allowed_bytes, 0U);
  const std::size_t wanted_bytes = allowed_bytes * 2;
  auto fd = open_udp_socket(resolve("127.0.0.1", 0).value()).value();
  if (set_buffer_bytes(fd.get(), SO_RCVBUF, wanted_bytes) != wanted_bytes || ::geteuid() != 0) {
    GTEST_SKIP() << "needs root: a service manager passes such sockets";
  }
  ASSERT_EQ(::seteuid(kNobody), 0);
  const std::size_t kept_bytes = set_buffer_bytes(fd.get(), SO_RCVBUF, wanted_bytes);
  const std::size_t other_bytes = set_buffer_bytes(fd.get(), SO_RCVBUF, wanted_bytes + 4096);
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_EQ(kept_bytes, wanted_bytes);
  EXPECT_EQ(other_bytes, allowed_bytes);  // so that privilege is what it took
}

}  // namespace
}  // namespace chatd
