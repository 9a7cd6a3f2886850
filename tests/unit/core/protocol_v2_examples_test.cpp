// The test vectors of docs/reference/protocol-v2.md are read from that file and compared with what
// the core writes, reads, seals and opens, so that the document stays true.
#include <gtest/gtest.h>
#include <sodium/core.h>

#include <array>
#include <map>
#include <numeric>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/limits.h"
#include "core/control/session_answer.h"
#include "core/crypto/packet_key.h"
#include "core/crypto/replay_window.h"
#include "core/room/session.h"
#include "core/wire/v1/frame.h"
#include "core/wire/v1/join_request.h"
#include "core/wire/v2/datagram.h"
#include "core/wire/v2/frames.h"
#include "tests/unit/core/document_examples.h"

namespace chatd {
namespace {

const v2::SessionId kSession{0, 42, 0x9f86d081};
constexpr std::uint64_t kPathData = 0x0123456789abcdef;

// Bytes that count upwards.
template <std::size_t kBytes>
std::array<std::uint8_t, kBytes> bytes_from(std::uint8_t first) {
  std::array<std::uint8_t, kBytes> bytes;
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}

SessionSecret vector_secret() {
  return bytes_from<32>(0);
}

std::string text_of(const PacketKey& key) {
  return {key.bytes().begin(), key.bytes().end()};
}

template <class Frame>
std::string written(const Frame& frame) {
  std::array<char, v2::kMaxBundleBytes> bytes;
  v2::ByteWriter writer(bytes.data());
  v2::write_frame(writer, frame);
  return {bytes.data(), writer.end()};
}

std::string written_log(std::uint64_t first, const std::vector<v2::Entry>& entries) {
  std::array<char, v2::kMaxBundleBytes> bytes;
  v2::ByteWriter writer(bytes.data());
  v2::write_log_head(writer, 1, first, entries.size());
  char* end = writer.end();
  for (const v2::Entry& entry : entries) {
    end = v2::write_entry_head(entry, end);
    end = std::copy(entry.bytes.begin(), entry.bytes.end(), end);
  }
  return {bytes.data(), end};
}

class ProtocolV2Examples : public testing::Test {
 protected:
  void SetUp() override { ASSERT_GE(sodium_init(), 0); }

  const std::string& example(const std::string& name) {
    const auto found = examples_.find(name);
    if (found == examples_.end()) {
      ADD_FAILURE() << "no example " << name;
      return empty_;
    }
    return found->second;
  }

  // One frame and nothing else but padding, as a side reads it.
  template <class Frame>
  Frame read(const std::string& name) {
    v2::ByteReader reader(example(name));
    Frame frame;
    EXPECT_EQ(v2::read_frame(reader, frame), v2::ReadResult::kFrame) << name;
    Frame other;
    EXPECT_EQ(v2::read_frame(reader, other), v2::ReadResult::kEnd) << name;
    return frame;
  }

  // Sealed and opened it must be these frames.
  void expect_sealed(const std::string& name, Cipher cipher, const PacketKey& key,
                     std::uint64_t packet_number, const std::string& frames) {
    if (cipher == Cipher::kAes256Gcm && fastest_cipher() != cipher) {
      GTEST_SKIP() << "this processor has no AES instructions";
    }
    const std::string& datagram = example(name);
    std::string sealed(frames.size() + v2::kOverheadBytes, '\0');
    Sealer sealer;
    sealer.use(cipher, key);
    sealer.seal(kSession, packet_number, frames, sealed.data());
    EXPECT_EQ(datagram, sealed) << name;
    const auto parsed = v2::parse_datagram(datagram);
    ASSERT_TRUE(parsed.has_value()) << name;
    EXPECT_EQ(parsed->session, kSession) << name;
    EXPECT_EQ(parsed->packet_number, packet_number) << name;
    EXPECT_EQ(PacketKey::epoch_of(packet_number), key.epoch()) << name;
    std::string plain(frames.size(), '\0');
    EXPECT_TRUE(open_datagram(cipher, key, *parsed, plain.data())) << name;
    EXPECT_EQ(plain, frames) << name;
  }

  const std::map<std::string, std::string> examples_ =
      test::read_examples("docs/reference/protocol-v2.md");
  const std::string empty_;
  const PacketKey to_server_{vector_secret(), Direction::kToServer};
  const PacketKey to_client_{vector_secret(), Direction::kToClient};
};

TEST_F(ProtocolV2Examples, AreAllKnownHere) {
  const std::size_t of_room_keys = 2;  // tests/unit/client/room_cipher_test.cpp
  EXPECT_EQ(examples_.size(), 26u + of_room_keys);
}

TEST_F(ProtocolV2Examples, AJoinAndItsAnswer) {
  const std::string& bytes = example("join-request");
  const DecodedFrame decoded = decode_frame(bytes, Limits{}.max_frame_bytes);
  ASSERT_EQ(decoded.status, FrameStatus::kComplete);
  EXPECT_EQ(decoded.size_bytes, bytes.size());
  EXPECT_TRUE(decoded.frame.is(Operation::kJoin));
  EXPECT_EQ(decoded.frame.room, "lobby");
  const auto join = JoinRequestReader().read(decoded.frame.payload);
  ASSERT_TRUE(join.has_value()) << join.error();
  EXPECT_EQ(join->username, "bob");
  EXPECT_EQ(join->protocol, 2);
  EXPECT_FALSE(join->only_cipher.has_value());

  const SessionGrant grant{.id = kSession,
                           .secret = vector_secret(),
                           .cipher = Cipher::kChaCha20Poly1305,
                           .reset_token = bytes_from<16>(0xf0),
                           .next_entry = 8,
                           .oldest_entry = 3,
                           .member = 3,
                           .roster = {{.id = 1, .name = "alice", .is_host = true},
                                      {.id = 3, .name = "bob", .is_host = false}}};
  std::string answer;
  append_admitted_v2(answer, 2, "room joined", "0000002a9f86d081884c7d659a2feaa0",
                     Limits{}.idle_timeout_ms, grant, 9000);
  EXPECT_EQ(example("join-completed"), answer);
}

TEST_F(ProtocolV2Examples, Keys) {
  EXPECT_EQ(example("key-to-server"), text_of(to_server_));
  EXPECT_EQ(example("key-to-client"), text_of(to_client_));
  EXPECT_EQ(example("next-key-to-server"), text_of(to_server_.next()));
  EXPECT_EQ(example("next-key-to-client"), text_of(to_client_.next()));
}

TEST_F(ProtocolV2Examples, FramesOfClients) {
  const v2::Have have{.log_epoch = 1, .complete = 7, .wanted = 9, .range_count = 0, .ranges = {}};
  const v2::Have with_ranges{.log_epoch = 1,
                             .complete = 4,
                             .wanted = 10,
                             .range_count = 2,
                             .ranges = {{{.first = 6, .last = 7}, {.first = 10, .last = 10}}}};
  EXPECT_EQ(example("frame-say"), written(v2::Say{.client_number = 1, .bytes = "hi"}));
  EXPECT_EQ(example("frame-have"), written(have));
  EXPECT_EQ(example("frame-have-ranges"), written(with_ranges));
  EXPECT_EQ(example("frame-leave"), written(v2::Leave{}));
  EXPECT_EQ(example("frame-path-response"), written(v2::PathResponse{kPathData}));

  EXPECT_EQ(std::get<v2::Say>(read<v2::ClientFrame>("frame-say")).bytes, "hi");
  EXPECT_EQ(std::get<v2::Have>(read<v2::ClientFrame>("frame-have")).wanted, 9u);
  const auto read_ranges = std::get<v2::Have>(read<v2::ClientFrame>("frame-have-ranges"));
  ASSERT_EQ(read_ranges.range_count, 2);
  EXPECT_EQ(read_ranges.ranges[0], (v2::Range{.first = 6, .last = 7}));
  EXPECT_EQ(read_ranges.ranges[1], (v2::Range{.first = 10, .last = 10}));
  read<v2::ClientFrame>("frame-leave");
  EXPECT_EQ(std::get<v2::PathResponse>(read<v2::ClientFrame>("frame-path-response")).data,
            kPathData);
}

TEST_F(ProtocolV2Examples, Entries) {
  const std::string log =
      written_log(8, {{.member = 1, .client_number = 300, .bytes = "hello, bob"},
                      {.member = 3, .client_number = 1, .bytes = "hi"}});
  EXPECT_EQ(example("frame-log"), log);
  EXPECT_EQ(std::get<v2::Log>(read<v2::ServerFrame>("frame-log")).count, 2u);

  const std::string kinds =
      written_log(10, {{.kind = v2::EntryKind::kJoined, .member = 4, .bytes = "carol"},
                       {.member = 4,
                        .content_type = v2::ContentType::kV1Payload,
                        .bytes = R"({"sender":"carol","message":"tea"})"},
                       {.member = 1,
                        .client_number = 301,
                        .content_type = v2::ContentType::kSealed,
                        .bytes = std::string_view("\x00\xff", 2)},
                       {.kind = v2::EntryKind::kLeft, .member = 4, .bytes = "carol"}});
  EXPECT_EQ(example("frame-log-kinds"), kinds + std::string(3, '\0'));
  const auto read_kinds = std::get<v2::Log>(read<v2::ServerFrame>("frame-log-kinds"));
  EXPECT_EQ(read_kinds.first, 10u);
  EXPECT_EQ(read_kinds.count, 4u);
}

TEST_F(ProtocolV2Examples, OtherFramesOfServers) {
  EXPECT_EQ(example("frame-head"),
            written(v2::Head{.log_epoch = 1, .last = 9, .oldest = 3, .have_interval_ms = 1000}));
  EXPECT_EQ(example("frame-gap"),
            written(v2::Gap{.log_epoch = 1, .numbers = {.first = 1, .last = 2}}));
  EXPECT_EQ(example("frame-taken"), written(v2::Taken{.client_number = 300}));
  EXPECT_EQ(example("frame-refused"), written(v2::Refused{.client_number = 2,
                                                          .reason = v2::RefusalReason::kOverLimit,
                                                          .retry_after_ms = 500}));
  EXPECT_EQ(example("frame-path-challenge"), written(v2::PathChallenge{kPathData}));
  EXPECT_EQ(example("frame-closed"), written(v2::Closed{.reason = v2::CloseReason::kLeft,
                                                        .text = "you have left the room"}));
  EXPECT_EQ(text_of(v2::CloseReason::kLeft), "you have left the room");

  EXPECT_EQ(std::get<v2::Head>(read<v2::ServerFrame>("frame-head")).last, 9u);
  EXPECT_EQ(std::get<v2::Gap>(read<v2::ServerFrame>("frame-gap")).numbers,
            (v2::Range{.first = 1, .last = 2}));
  EXPECT_EQ(std::get<v2::Refused>(read<v2::ServerFrame>("frame-refused")).client_number, 2u);
  EXPECT_EQ(std::get<v2::PathChallenge>(read<v2::ServerFrame>("frame-path-challenge")).data,
            kPathData);
  EXPECT_EQ(std::get<v2::Closed>(read<v2::ServerFrame>("frame-closed")).text,
            "you have left the room");
}

TEST_F(ProtocolV2Examples, DatagramsWithChaCha20) {
  const v2::Have first{.log_epoch = 1, .complete = 7, .wanted = 8, .range_count = 0, .ranges = {}};
  expect_sealed("chacha-to-server", Cipher::kChaCha20Poly1305, to_server_, 0, written(first));
  expect_sealed("chacha-to-client", Cipher::kChaCha20Poly1305, to_client_, 5, example("frame-log"));
  expect_sealed("chacha-next-key", Cipher::kChaCha20Poly1305, to_server_.next(), kPacketsPerKey,
                example("frame-say"));
}

TEST_F(ProtocolV2Examples, DatagramsWithAes) {
  expect_sealed("aes-to-server", Cipher::kAes256Gcm, to_server_, 1, example("frame-say"));
  expect_sealed("aes-to-client", Cipher::kAes256Gcm, to_client_, 5, example("frame-log"));
  expect_sealed("aes-next-key", Cipher::kAes256Gcm, to_client_.next(), kPacketsPerKey,
                example("frame-head"));
}

TEST_F(ProtocolV2Examples, Reset) {
  const auto token = bytes_from<16>(0xf0);
  v2::Datagram answered;
  answered.session = kSession;
  answered.packet_number = 1;
  const auto reset = v2::make_reset(answered, token);
  EXPECT_EQ(example("reset"), std::string(reset.begin(), reset.end()));
  EXPECT_TRUE(v2::is_reset(example("reset"), token));
}

// Sizes that the text names.
TEST_F(ProtocolV2Examples, SizesInTheText) {
  EXPECT_EQ(v2::kMinDatagramBytes, 35u);
  EXPECT_EQ(v2::kOverheadBytes, 34u);
  EXPECT_EQ(v2::kMaxBundleBytes, 1200u);
  EXPECT_EQ(v2::kMaxSayBytes, 1100u);
  EXPECT_EQ(v2::kMaxRanges, 16u);
  EXPECT_EQ(kMaxDatagramBytes, 4096u);
  EXPECT_EQ(kPacketsPerKey, std::uint64_t{1} << 22);
  EXPECT_EQ(ReplayWindow::kSize, 448u);
  EXPECT_EQ(SayWindow::kSize, 64u);
  // The longest payload of protocol v1, as an entry in a LOG by itself.
  constexpr std::size_t kLongest = kMaxDatagramBytes - 2 - 1 - 16 + v2::kMaxEntryHeadBytes +
                                   v2::kMaxLogHeadBytes + v2::kOverheadBytes;
  EXPECT_LE(kLongest, 4200u);
  const Limits defaults;
  EXPECT_EQ(defaults.history_entries, 1024u);
  EXPECT_EQ(defaults.history_bytes, 1u << 20);
}

}  // namespace
}  // namespace chatd
