// Each datagram comes to the shard that its token names: the program by itself, and in the kernel.
#include "server/group/steering.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <random>
#include <string>

#include "core/wire/received_datagram.h"
#include "server/os/open_sockets.h"
#include "tests/integration/server/bpf_interpreter.h"
#include "tests/support/wire.h"

namespace chatd {
namespace {

using test::encode_datagram;
using test::run_bpf;

std::string hex_token(unsigned shard, bool upper) {
  std::string hex = Token(static_cast<std::uint8_t>(shard), 0x123456, {0xfe, 0xdc}).hex();
  if (upper) {
    std::transform(hex.begin(), hex.end(), hex.begin(),
                   [](unsigned char digit) { return static_cast<char>(std::toupper(digit)); });
  }
  return hex;
}

std::vector<std::string> tokens_of(unsigned shard) {
  return {hex_token(shard, false), hex_token(shard, true),
          test::raw_token(hex_token(shard, false))};
}

class Program : public testing::TestWithParam<std::uint32_t> {
 protected:
  std::optional<std::uint32_t> run(std::string_view datagram) const {
    return run_bpf(program_, datagram);
  }
  const SteeringProgram program_ = steering_program(GetParam());
};

TEST_P(Program, FindsTheShardInEitherFormBehindARoomNameOfAnySize) {
  for (unsigned shard = 0; shard < 256; ++shard) {
    const std::uint32_t expected = shard < GetParam() ? shard : kNoSocket;
    for (const std::string& token : tokens_of(shard)) {
      for (const std::size_t size : {1u, 2u, 100u, 254u, 255u}) {
        const std::string room(size, '\xff');
        EXPECT_EQ(run(encode_datagram(room, token, "")), expected);
        EXPECT_EQ(run(encode_datagram(room, token, "{}")), expected);
      }
    }
  }
}

TEST_P(Program, FindsTheShardOfASession) {
  for (unsigned shard = 0; shard < 256; ++shard) {
    const std::uint32_t expected = shard < GetParam() ? shard : kNoSocket;
    std::string datagram(v2::kMinDatagramBytes, 's');
    v2::write_header(v2::SessionId(static_cast<std::uint8_t>(shard), 0x123456, 7), 1,
                     datagram.data());
    EXPECT_EQ(run(datagram), expected);
    EXPECT_EQ(run(std::string_view(datagram).substr(0, v2::kHeaderBytes - 1)), kNoSocket);
  }
}

TEST_P(Program, SpreadsWhatIsCutShort) {
  for (const std::string& token : tokens_of(0)) {
    for (const std::size_t size : {1u, 5u, 255u}) {
      const std::string whole = encode_datagram(std::string(size, 'r'), token, "");
      for (std::size_t length = 0; length < whole.size(); ++length) {
        ASSERT_EQ(run(std::string_view(whole).substr(0, length)), kNoSocket) << length;
      }
      ASSERT_EQ(run(whole), 0u);
    }
  }
}

TEST_P(Program, SpreadsTokensOfAnotherSize) {
  for (unsigned size = 0; size < 256; ++size) {
    if (size == 16 || size == 32) continue;
    EXPECT_EQ(run(encode_datagram("room", std::string(size, '0'), "{}")), kNoSocket) << size;
  }
}

TEST_P(Program, AgreesWithTheServerOnWhateverComes) {
  std::mt19937 random(GetParam());
  int named = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string datagram(random() % 80, '\0');
    for (char& byte : datagram) byte = "0123456789abcdefABCDEF"[random() % 22];
    if (datagram.size() > 2) {
      datagram[0] = static_cast<char>(random() % 40);
      datagram[1] = random() % 2 == 0 ? 16 : 32;
    }
    const auto shard = shard_of_received(datagram);
    const std::uint32_t expected = shard && *shard < GetParam() ? *shard : kNoSocket;
    ASSERT_EQ(run(datagram), expected);
    if (shard) ++named;
  }
  EXPECT_GT(named, 1'000);
}

// A load past the end is a fault of the interpreter's.
TEST_P(Program, NeverLooksPastTheEnd) {
  std::mt19937 random(GetParam());
  for (int i = 0; i < 50'000; ++i) {
    std::string bytes(random() % 64, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    if (bytes.size() > 1 && random() % 2 == 0) bytes[1] = random() % 2 == 0 ? 16 : 32;
    const auto result = run(bytes);
    ASSERT_TRUE(result);
    ASSERT_TRUE(*result < GetParam() || *result == kNoSocket) << *result;
  }
}
INSTANTIATE_TEST_SUITE_P(ForShards, Program, testing::Values(1u, 2u, 3u, 16u, 17u, 255u, 256u));

class Steering : public testing::TestWithParam<const char*> {
 protected:
  std::vector<UniqueFd> open(std::size_t count) {
    return open_udp_sockets(resolve(GetParam(), 0).value(), count).value();
  }
};

TEST_P(Steering, WorksInThisKernel) {
  for (const std::uint32_t count : {2u, 3u, 16u}) {
    const auto steered = steer_datagrams(open(count), steering_program(count));
    EXPECT_TRUE(steered) << steered.error();
  }
}

TEST_P(Steering, AWrongProgramIsFoundOut) {
  const SteeringProgram always_the_first = {{BPF_RET | BPF_K, 0, 0, 0}};
  const auto steered = steer_datagrams(open(3), always_the_first);
  ASSERT_FALSE(steered);
  EXPECT_EQ(steered.error(), "a probe for shard 1 came to shard 0");
}

// Right for whole datagrams, but a load past the end sends short ones to the first socket.
TEST_P(Steering, AProgramWithoutALengthGuardIsFoundOut) {
  SteeringProgram unguarded = steering_program(2);
  ASSERT_EQ(unguarded[1].code, BPF_JMP | BPF_JGE | BPF_K);
  unguarded[1].jf = 0;
  const auto steered = steer_datagrams(open(2), unguarded);
  ASSERT_FALSE(steered);
  EXPECT_EQ(steered.error(), "short probes all came to one shard");
}

TEST_P(Steering, NoProgramIsAnError) {
  const auto steered = steer_datagrams(open(2), {});
  ASSERT_FALSE(steered);
  EXPECT_TRUE(steered.error().starts_with("SO_ATTACH_REUSEPORT_CBPF")) << steered.error();
}

// A second server must not join the first one's group unseen.
TEST_P(Steering, TheAddressIsTakenForAnotherServer) {
  const auto sockets = open(2);
  const auto again =
      open_udp_sockets(resolve(GetParam(), local_endpoint(sockets[0].get()).port).value(), 2);
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().find("another chatd"), std::string::npos) << again.error();
}
INSTANTIATE_TEST_SUITE_P(Addresses, Steering, testing::Values("127.0.0.1", "0.0.0.0", "::1", "::"));

}  // namespace
}  // namespace chatd
