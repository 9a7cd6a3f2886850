// The bare relays' registration: two datagrams, and what is neither.
#include <gtest/gtest.h>

#include "bench/baselines/bare_relay.h"

namespace chatd::bench {
namespace {

using std::string_view_literals::operator""sv;

TEST(BareRegistration, NamesARoom) {
  EXPECT_EQ(registration_of("kitchen"), "J kitchen");
  EXPECT_EQ(parse_registration(registration_of("kitchen")), "kitchen");
  EXPECT_EQ(parse_registration("J "), "");
}

TEST(BareRegistration, IsAnsweredWithAPrefix) {
  EXPECT_EQ(parse_acknowledgement(acknowledgement_of("")), "");
  EXPECT_EQ(parse_acknowledgement(acknowledgement_of("M\0\1"sv)), "M\0\1"sv);
}

TEST(BareRegistration, AMessageIsNeither) {
  for (const std::string_view datagram : {""sv, "J"sv, "K"sv, "\0\0J room"sv, "M\0\0\0 J room"sv}) {
    EXPECT_EQ(parse_registration(datagram), std::nullopt) << datagram;
    EXPECT_EQ(parse_acknowledgement(datagram), std::nullopt) << datagram;
  }
}

}  // namespace
}  // namespace chatd::bench
