// What a simulated member says is a message that chatd accepts, and is known again byte for byte.
#include "bench/chatbench/workload/payload.h"

#include <gtest/gtest.h>

#include <string>

#include "core/wire/v1/payload.h"

namespace chatd::bench {
namespace {

TEST(Payload, IsReadable) {
  PayloadCodec codec(80);
  EXPECT_EQ(codec.encode(name_word(12), 0x3e8, 58),
            R"({"sender":"m0000012","message":"000003e8 and then filler"})");
  EXPECT_EQ(codec.encode(name_word(9'999'999), 0xffffffff, kMinPayloadBytes),
            R"({"sender":"m9999999","message":"ffffffff"})");
}

TEST(Payload, ComesBack) {
  PayloadCodec codec(kMaxPayloadBytes);
  for (const std::uint32_t number : {0u, 1u, 9u, 10u, 0xabcdefu, 0x12345678u, 0x9a0b1c2du,
                                     0xffffffffu, 0x0a0a0a0au, 0x90909090u}) {
    for (const std::size_t bytes : {kMinPayloadBytes, std::size_t{128}, kMaxPayloadBytes,
                                    kMinPayloadBytes + 1, std::size_t{1400}}) {
      const auto decoded =
          codec.decode(codec.encode(name_word(number % kMaxMembers), number, bytes));
      ASSERT_TRUE(decoded) << number << " in " << bytes;
      EXPECT_EQ(decoded->number, number);
      EXPECT_EQ(decoded->sender, name_word(number % kMaxMembers));
    }
  }
}

TEST(Payload, IsInTheMembersOwnNameForChatd) {
  PayloadCodec codec(kMaxPayloadBytes);
  PayloadReader reader;
  for (std::size_t bytes = kMinPayloadBytes; bytes <= kMaxPayloadBytes; bytes += 61) {
    std::string payload(codec.encode(name_word(77), 5, bytes));
    payload.append(kPayloadPaddingBytes, '\0');
    const std::string_view message(payload.data(), bytes);
    EXPECT_EQ(reader.read(message, member_name(77)), PayloadKind::kMessage) << bytes;
    EXPECT_EQ(reader.read(message, member_name(78)), PayloadKind::kWrongSender) << bytes;
  }
}

// Every single byte matters, wherever it stands; those of the name and the number make another
// name and number, or none.
TEST(Payload, AChangedByteIsSeen) {
  PayloadCodec codec(200);
  const std::string payload(codec.encode(name_word(4), 0x1a2b3c4d, 150));
  const auto original = codec.decode(payload);
  ASSERT_TRUE(original);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    for (const char flip : {'\x01', '\x20', '\x40', '\x80'}) {
      std::string changed = payload;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      const auto decoded = codec.decode(changed);
      EXPECT_TRUE(!decoded || decoded->sender != original->sender ||
                  decoded->number != original->number)
          << "byte " << i;
    }
  }
}

TEST(Payload, ACutOrLongerOneIsSeen) {
  PayloadCodec codec(200);
  const std::string payload(codec.encode(name_word(4), 7, 150));
  for (std::size_t bytes = 0; bytes < payload.size(); ++bytes) {
    EXPECT_FALSE(codec.decode(std::string_view(payload).substr(0, bytes))) << bytes;
  }
  EXPECT_FALSE(codec.decode(payload + " "));
  EXPECT_FALSE(codec.decode(std::string(300, ' ')));
}

TEST(Payload, UppercaseDigitsAreNotOurs) {
  PayloadCodec codec(64);
  std::string payload(codec.encode(name_word(4), 0xab, 64));
  payload[kNumberAt + 6] = 'A';
  EXPECT_FALSE(codec.decode(payload));
}

}  // namespace
}  // namespace chatd::bench
