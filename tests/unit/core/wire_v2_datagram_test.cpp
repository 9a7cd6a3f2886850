// Protocol v2's datagram header, and resets.
#include "core/wire/v2/datagram.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace chatd::v2 {
namespace {

std::string datagram_of(SessionId session, std::uint64_t packet_number, std::string_view sealed) {
  std::string bytes(kHeaderBytes, '\0');
  write_header(session, packet_number, bytes.data());
  return bytes.append(sealed);
}

TEST(SessionId, NamesShardAndSlot) {
  const SessionId id(3, 0x12'3456, 0xdead'beef);
  EXPECT_EQ(id.shard(), 3);
  EXPECT_EQ(id.slot(), 0x12'3456u);
  EXPECT_EQ(id.value(), 0x0312'3456'dead'beefu);
}

TEST(DatagramHeader, IsReadAsItWasWritten) {
  const std::string sealed(kTagBytes + 1, 's');
  const std::string bytes =
      datagram_of(SessionId(0x0102'0304'0506'0708u), 0x1122'3344'5566'7788u, sealed);
  EXPECT_EQ(bytes.substr(0, 2), std::string("\0\x02", 2));
  EXPECT_EQ(bytes[2], '\x01') << "the shard, where the steering program reads it";
  const auto parsed = parse_datagram(bytes);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->session.value(), 0x0102'0304'0506'0708u);
  EXPECT_EQ(parsed->packet_number, 0x1122'3344'5566'7788u);
  EXPECT_EQ(parsed->header, std::string_view(bytes).substr(0, kHeaderBytes));
  EXPECT_EQ(parsed->sealed, sealed);
}

TEST(DatagramHeader, OfAnotherFormIsRefused) {
  const std::string good = datagram_of(SessionId(1), 1, std::string(kTagBytes + 1, 's'));
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(parse_datagram(std::string_view(good).substr(0, size)).has_value()) << size;
  }
  std::string other = good;
  other[1] = 3;
  EXPECT_FALSE(parse_datagram(other).has_value()) << "version 3";
  other = good;
  other[0] = 5;
  EXPECT_FALSE(is_v2(other));
  EXPECT_FALSE(parse_datagram(other).has_value()) << "protocol v1";
}

TEST(Reset, IsKnownByItsTokenAndShorterThanWhatItAnswers) {
  const std::string shortest = datagram_of(SessionId(7), 9, std::string(kTagBytes + 1, 's'));
  const ResetToken token{1, 2, 3};
  const auto reset = make_reset(*parse_datagram(shortest), token);
  const std::string_view bytes(reset.data(), reset.size());
  EXPECT_LT(bytes.size(), shortest.size());
  EXPECT_TRUE(is_v2(bytes));
  EXPECT_FALSE(parse_datagram(bytes).has_value()) << "a reset is never answered";
  EXPECT_TRUE(is_reset(bytes, token));
  EXPECT_FALSE(is_reset(bytes, ResetToken{1, 2, 4}));
  EXPECT_FALSE(is_reset(shortest, token));
}

}  // namespace
}  // namespace chatd::v2
