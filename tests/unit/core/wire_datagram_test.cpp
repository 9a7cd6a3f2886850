// The data plane's datagrams: both token forms, every way to be cut short, and round trips.
#include "core/wire/v1/datagram.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "core/base/limits.h"
#include "tests/support/wire.h"

namespace chatd {
namespace {

constexpr std::string_view kHexToken = "00000007a1b2c3d4e5f60718293a4b5c";
constexpr std::string_view kPayload = R"({"sender":"alice","message":"hi"})";

Token some_token() {
  return *Token::parse(kHexToken);
}

TEST(ClientDatagram, TakesTheHexForm) {
  const std::string bytes = test::encode_datagram("lobby", kHexToken, kPayload);
  const auto parsed = parse_client_datagram(bytes);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->room, "lobby");
  EXPECT_EQ(parsed->token, some_token());
  EXPECT_EQ(parsed->payload, kPayload);
}

TEST(ClientDatagram, TakesTheRawForm) {
  const std::string bytes = test::encode_datagram("lobby", some_token().raw(), kPayload);
  ASSERT_EQ(bytes[1], 16);
  const auto parsed = parse_client_datagram(bytes);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->room, "lobby");
  EXPECT_EQ(parsed->token, some_token());
  EXPECT_EQ(parsed->payload, kPayload);
}

TEST(ClientDatagram, IsWrittenAsSpecified) {
  std::string bytes;
  append_client_datagram(bytes, "lobby", some_token(), kPayload);
  EXPECT_EQ(bytes, test::encode_datagram("lobby", kHexToken, kPayload));
  EXPECT_EQ(bytes.substr(0, 2), std::string("\x05\x20"));
}

TEST(ClientDatagram, RoundTripsTheLongestRoomName) {
  const std::string room(kMaxNameBytes, 'r');
  std::string bytes;
  append_client_datagram(bytes, room, some_token(), kPayload);
  const auto parsed = parse_client_datagram(bytes);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->room, room);
  EXPECT_EQ(parsed->payload, kPayload);
}

TEST(ClientDatagram, WithoutPayloadIsAHeartbeat) {
  const Token token = some_token();
  for (const std::string_view form : {kHexToken, token.raw()}) {
    const std::string bytes = test::encode_datagram("lobby", form, "");
    const auto parsed = parse_client_datagram(bytes);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_TRUE(parsed->payload.empty());
    EXPECT_EQ(parsed->token, token);
  }
}

TEST(ClientDatagram, PayloadMayHoldAnyBytes) {
  std::string payload;
  for (int value = 0; value < 256; ++value) payload.push_back(static_cast<char>(value));
  const std::string bytes = test::encode_datagram("r", kHexToken, payload);
  const auto parsed = parse_client_datagram(bytes);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->payload, payload);
  EXPECT_EQ(parsed->payload.data(), bytes.data() + 2 + 1 + 32);  // a view, no copy
}

TEST(ClientDatagram, IsRefusedWhenCutInsideItsHeaders) {
  const Token token = some_token();
  for (const std::string_view form : {kHexToken, token.raw()}) {
    const std::string bytes = test::encode_datagram("lobby", form, "");
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      EXPECT_FALSE(parse_client_datagram(std::string_view(bytes).substr(0, length)).has_value())
          << "at " << length << " of " << bytes.size();
    }
    EXPECT_TRUE(parse_client_datagram(bytes).has_value());
  }
}

TEST(ClientDatagram, IsRefusedWithoutARoomName) {
  EXPECT_FALSE(parse_client_datagram(test::encode_datagram("", kHexToken, kPayload)).has_value());
}

TEST(ClientDatagram, IsRefusedWithAnyOtherTokenSize) {
  for (unsigned size = 0; size < 256; ++size) {
    std::string bytes = test::encode_datagram("lobby", std::string(size, 'a'), "");
    bytes.append(300, 'a');  // so that it is the size that decides, not the datagram's end
    const bool known = size == 16 || size == 32;
    EXPECT_EQ(parse_client_datagram(bytes).has_value(), known) << "TokenSize " << size;
  }
}

TEST(ClientDatagram, IsRefusedWhenTheHexFormIsNotHex) {
  std::string token(kHexToken);
  token[31] = 'g';
  EXPECT_FALSE(parse_client_datagram(test::encode_datagram("lobby", token, kPayload)).has_value());
  // The same bytes are fine as a raw token: 16 of them, whatever they are.
  EXPECT_TRUE(
      parse_client_datagram(test::encode_datagram("lobby", token.substr(16), "")).has_value());
}

TEST(ServerDatagram, IsTwoZeroBytesAndThePayload) {
  const std::string bytes = std::string(kServerPrefix).append(kPayload);
  EXPECT_EQ(bytes.substr(0, 2), std::string(2, '\0'));
  const auto payload = parse_server_datagram(bytes);
  ASSERT_TRUE(payload.has_value());
  EXPECT_EQ(*payload, kPayload);
}

TEST(ServerDatagram, MayBeEmptyAfterItsPrefix) {
  const auto payload = parse_server_datagram(kServerPrefix);
  ASSERT_TRUE(payload.has_value());
  EXPECT_TRUE(payload->empty());
}

TEST(ServerDatagram, IsRefusedWithoutItsPrefix) {
  EXPECT_FALSE(parse_server_datagram("").has_value());
  EXPECT_FALSE(parse_server_datagram(std::string_view("\0", 1)).has_value());
  EXPECT_FALSE(parse_server_datagram(std::string_view("\0\1{}", 4)).has_value());
  EXPECT_FALSE(parse_server_datagram(std::string_view("\1\0{}", 4)).has_value());
  EXPECT_FALSE(parse_server_datagram(kPayload).has_value());
}

}  // namespace
}  // namespace chatd
