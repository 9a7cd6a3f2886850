// The test kit's own lines and routers: what they count is what they do.
#include "tests/integration/networks/path.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/integration/networks/ip_packet.h"
#include "tests/integration/networks/nat.h"

namespace chatd::test {
namespace {

// 1,000 packets, one each 100 us, through a path with these faults: what comes out.
std::vector<std::string> through(Path& path, const Faults& faults) {
  path.set(faults);
  std::vector<std::string> out;
  for (int i = 0; i < 1000; ++i) {
    path.enter(100 * i, std::to_string(i));
    for (std::string& packet : path.leave(100 * i)) out.push_back(std::move(packet));
  }
  EXPECT_EQ(path.traffic().entered + path.traffic().duplicated,
            path.traffic().lost + path.traffic().left + path.traffic().waiting);
  while (const auto due_us = path.next_due_us()) {
    for (std::string& packet : path.leave(*due_us)) out.push_back(std::move(packet));
  }
  EXPECT_EQ(path.traffic().left, out.size());
  EXPECT_EQ(path.traffic().entered + path.traffic().duplicated,
            path.traffic().lost + path.traffic().left);
  return out;
}

TEST(Path, WithoutFaultsChangesNothing) {
  Path path(1);
  const std::vector<std::string> out = through(path, {});
  ASSERT_EQ(out.size(), 1000U);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(out[static_cast<std::size_t>(i)], std::to_string(i));
  EXPECT_EQ(path.traffic().overtaken, 0U);
}

TEST(Path, FaultsFollowFromTheSeed) {
  const Faults faults{.loss = 0.1, .duplication = 0.1, .reordering = 0.1, .delay_ms = 2};
  Path path(1), same(1), other(2);
  const std::vector<std::string> out = through(path, faults);
  EXPECT_EQ(out, through(same, faults));
  EXPECT_NE(out, through(other, faults));
  EXPECT_GT(path.traffic().lost, 50U);
  EXPECT_LT(path.traffic().lost, 150U);
  EXPECT_GT(path.traffic().duplicated, 50U);
  EXPECT_LT(path.traffic().duplicated, 150U);
  EXPECT_GT(path.traffic().overtaken, 20U);
}

TEST(Path, NothingPassesWhereItIsCut) {
  Path path(1);
  EXPECT_TRUE(through(path, {.is_cut = true}).empty());
  EXPECT_EQ(path.traffic().lost, 1000U);
}

TEST(Path, WhatIsTooLargeIsSwallowed) {
  Path path(1);
  const std::vector<std::string> out = through(path, {.max_packet_bytes = 2});
  ASSERT_EQ(out.size(), 100U);  // "0" to "99"
  EXPECT_EQ(out.back(), "99");
  EXPECT_EQ(path.traffic().lost, 900U);
}

// 192.168.7.2:4660 to 10.9.0.1:9000, UDP, "hello".
std::string udp_packet() {
  std::string packet(
      "\x45\0\0\x21\0\0\0\0\x40\x11\0\0\xc0\xa8\x07\x02\x0a\x09\0\x01"
      "\x12\x34\x23\x28\0\x0d\0\0hello",
      33);
  set_source(packet, raw_address("192.168.7.2"), 4660);  // fills in the checksums
  return packet;
}

// Over a header that holds its own checksum, or a datagram with its pseudo header, the sum is 0.
std::uint16_t header_checksum(const std::string& packet) {
  return finish_checksum(add_to_checksum(0, packet.substr(0, 20)));
}
std::uint16_t udp_checksum(const std::string& packet) {
  std::uint32_t sum = add_to_checksum(0, packet.substr(12, 8));
  sum += kUdpProtocol + static_cast<std::uint32_t>(packet.size() - 20);
  return finish_checksum(add_to_checksum(sum, packet.substr(20)));
}

TEST(Nat, GivesPortsAndTakesThemBack) {
  Nat nat(raw_address("192.168.7.2"), raw_address("10.9.0.77"));
  std::string out = udp_packet();
  ASSERT_TRUE(nat.translate_outgoing(out));
  const auto addresses = addresses_of(out);
  ASSERT_TRUE(addresses);
  EXPECT_EQ(addresses->source, raw_address("10.9.0.77"));
  EXPECT_EQ(addresses->destination, raw_address("10.9.0.1"));
  EXPECT_NE(addresses->source_port, 4660);
  EXPECT_EQ(addresses->destination_port, 9000);
  EXPECT_EQ(header_checksum(out), 0);
  EXPECT_EQ(udp_checksum(out), 0);

  // The same port again gets the same; the answer comes back to it.
  std::string again = udp_packet();
  ASSERT_TRUE(nat.translate_outgoing(again));
  EXPECT_EQ(again, out);
  std::string answer = udp_packet();
  set_destination(answer, raw_address("10.9.0.77"), addresses->source_port);
  std::string late = answer;
  ASSERT_TRUE(nat.translate_incoming(answer));
  EXPECT_EQ(addresses_of(answer)->destination, raw_address("192.168.7.2"));
  EXPECT_EQ(addresses_of(answer)->destination_port, 4660);
  EXPECT_EQ(udp_checksum(answer), 0);

  nat.rebind();
  EXPECT_FALSE(nat.translate_incoming(late));
  std::string rebound = udp_packet();
  ASSERT_TRUE(nat.translate_outgoing(rebound));
  EXPECT_NE(addresses_of(rebound)->source_port, addresses->source_port);
}

}  // namespace
}  // namespace chatd::test
