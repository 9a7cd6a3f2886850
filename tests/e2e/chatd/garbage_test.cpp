// Garbage on both planes, while a session runs that must not notice it.
#include <random>

#include "tests/e2e/chatd/server_test.h"
#include "tests/support/process_figures.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

constexpr std::uint64_t kSeed = 20'241'122;
// A sanitizer keeps freed memory aside for a while.
constexpr std::size_t kMemoryAllowance = (CHATD_SANITIZED ? 300U : 4U) << 20U;
constexpr int kDatagrams = CHATD_SANITIZED ? 20'000 : 100'000;
constexpr int kFrames = CHATD_SANITIZED ? 2'000 : 10'000;

using Random = std::mt19937_64;

std::string random_bytes(Random& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

// A few bytes changed, cut out, doubled or added.
std::string mutated(Random& random, std::string bytes) {
  for (std::size_t changes = 1 + random() % 4; changes > 0 && !bytes.empty(); --changes) {
    const std::size_t at = random() % bytes.size();
    switch (random() % 4) {
      case 0:
        bytes[at] = static_cast<char>(random());
        break;
      case 1:
        bytes.erase(at, 1 + random() % 8);
        break;
      case 2:
        bytes.insert(at, bytes.substr(at, random() % 16));
        break;
      default:
        bytes.resize(at);
        break;
    }
  }
  return bytes;
}

class Garbage : public ServerTest {
 protected:
  void start_conversation() {
    ASSERT_NO_FATAL_FAILURE(start({"--rate-limits", "off"}));
    talk_ = make_room(server(), "talk", {"alice", "bob"});
    ASSERT_EQ(talk_.size(), 2U);
  }

  // One message each way. It also keeps the garbage from outrunning the server: a full socket
  // buffer would lose messages to the kernel, which is not what these tests are about.
  void converse() {
    ASSERT_TRUE(talk_[1].hears(talk_[0].say("over")));
    ASSERT_TRUE(talk_[0].hears(talk_[1].say("and out")));
  }

  std::vector<Member>& talk() { return talk_; }

 private:
  std::vector<Member> talk_;
};

// From alice's own address and with her own token, but never a message.
std::string bad_payload(Random& random) {
  const std::string good = message_payload("alice", "good enough to be relayed");
  switch (random() % 6) {
    case 0:
      return "\xff" + random_bytes(random, random() % 300);
    case 1:
      return good.substr(0, random() % (good.size() - 1) + 1);
    case 2:
      return good + random_bytes(random, 1 + random() % 50) + "\x01";
    case 3:
      return std::string(1 + random() % 3900, '[');
    case 4:
      return R"({"sender": )" + std::to_string(random()) + "}";
    default:
      return R"({"sender":"alice","x":)" + std::string(random() % 3900, '{');
  }
}

TEST_F(Garbage, RandomDatagramsDisturbNobody) {
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  ASSERT_NO_FATAL_FAILURE(start_conversation());
  Random random(kSeed);
  UdpPeer stranger("127.0.0.9");
  const std::string& token = talk()[0].token();
  const std::string good = encode_datagram("talk", token, message_payload("alice", "stolen"));
  std::size_t memory_before = 0;
  for (int i = 0; i < kDatagrams; ++i) {
    switch (random() % 8) {
      case 0:
        stranger.send(server().udp(), mutated(random, good));
        break;
      case 1:
        stranger.send(server().udp(), random_bytes(random, random() % 6000));
        break;
      case 2:  // a right header, and a token that nobody has
        stranger.send(server().udp(), encode_datagram("talk", random_bytes(random, 16),
                                                      random_bytes(random, random() % 200)));
        break;
      case 3:
        stranger.send(server().udp(),
                      encode_datagram(random_bytes(random, random() % 256), token, "{}"));
        break;
      case 4:
        talk()[0].send_payload(bad_payload(random));
        break;
      default:
        stranger.send(server().udp(), random_bytes(random, random() % 100));
        break;
    }
    if (i % 64 == 0) {
      ASSERT_NO_FATAL_FAILURE(converse()) << "after " << i;
    }
    if (i == 2000) memory_before = resident_bytes(server().pid());
  }
  EXPECT_TRUE(all_is_heard(talk()));
  EXPECT_LT(resident_bytes(server().pid()), memory_before + kMemoryAllowance);
  const Counters counted = totals();
  EXPECT_GE(counted["datagrams_received"], static_cast<std::uint64_t>(kDatagrams));
  EXPECT_GT(counted["dropped_malformed"], 0U);
  EXPECT_GT(counted["dropped_too_large"], 0U);
  EXPECT_GT(counted["dropped_unknown_token"], 0U);
  EXPECT_GT(counted["dropped_wrong_room"], 0U);
  EXPECT_GT(counted["dropped_wrong_address"], 0U);
  EXPECT_GT(counted["dropped_bad_payload"], 0U);
}

TEST_F(Garbage, RandomFramesWithinTheirBoundsAreEachAnswered) {
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  ASSERT_NO_FATAL_FAILURE(start_conversation());
  Random random(kSeed);
  TcpPeer peer(server().tcp());
  std::size_t memory_before = 0;
  for (int i = 0; i < kFrames; ++i) {
    SCOPED_TRACE(i);
    const bool known = random() % 3 != 0;
    Frame frame{.operation = static_cast<std::uint8_t>(known ? 1 + random() % 3 : random()),
                .state = static_cast<std::uint8_t>(known ? 0 : random()),
                .room = random_bytes(random, random() % 256),
                .payload = ""};
    const bool request = frame.state == kRequest;
    const bool entering =
        request && (frame.operation == kCreateRoom || frame.operation == kJoinRoom);
    if (random() % 2 == 0) {
      frame.payload = random_bytes(random, random() % 2000);
    } else {
      frame.room = "nowhere";
      frame.payload = mutated(random, join_payload({.username = "mallory", .ip = "", .port = 0}));
      if (frame.operation == kCreateRoom) frame.operation = kJoinRoom;
    }
    const Answer answer = peer.request(frame);
    ASSERT_TRUE(answer.completed) << "no answer";
    EXPECT_EQ(answer.completed->operation, frame.operation);
    EXPECT_EQ(answer.accepted.has_value(), entering);
    if (request && frame.operation == kListRooms) {
      EXPECT_EQ(JsonObject(answer.completed->payload).number("total"), 1);
    } else if (entering) {
      EXPECT_TRUE(answer.status() == 400 || answer.status() == 404) << answer.completed->payload;
    } else {
      EXPECT_EQ(answer.status(), 400);
    }
    if (HasFailure()) break;
    if (i % 64 == 0) {
      ASSERT_NO_FATAL_FAILURE(converse());
    }
    if (i == 1000) memory_before = resident_bytes(server().pid());
  }
  EXPECT_TRUE(all_is_heard(talk()));
  EXPECT_LT(resident_bytes(server().pid()), memory_before + kMemoryAllowance);
}

TEST_F(Garbage, RandomAndTruncatedStreamsAreEndedAndForgotten) {
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  ASSERT_NO_FATAL_FAILURE(start_conversation());
  Random random(kSeed);
  const std::size_t descriptors_before = open_descriptors(server().pid());
  std::size_t memory_before = 0;
  const std::string good = encode(join_request("nowhere", "mallory"));
  for (int i = 0; i < kFrames; ++i) {
    SCOPED_TRACE(i);
    TcpPeer peer(server().tcp());
    ASSERT_TRUE(peer.connected());
    const bool truncated = random() % 2 == 0;
    const std::string bytes = truncated ? good.substr(0, random() % good.size())
                                        : random_bytes(random, 1 + random() % 400);
    ASSERT_TRUE(peer.send(bytes));
    // Random bytes claim astronomic sizes, or are the start of a frame: 413, or nothing at all.
    peer.finish_sending();
    ASSERT_NE(peer.wait_end(), StreamEnd::kOpen);
    ASSERT_TRUE(peer.read_greeting());
    const Answer answer = peer.read_answer();
    if (truncated || bytes.size() < kFrameHeaderSize) {
      ASSERT_FALSE(answer.completed);
    } else if (answer.completed) {
      ASSERT_EQ(answer.status(), 413);
    }
    if (i % 64 == 0) {
      ASSERT_NO_FATAL_FAILURE(converse());
    }
    if (i == 1000) memory_before = resident_bytes(server().pid());
  }
  EXPECT_TRUE(all_is_heard(talk()));
  EXPECT_TRUE(wait_until([&] { return open_descriptors(server().pid()) <= descriptors_before; }));
  EXPECT_LT(resident_bytes(server().pid()), memory_before + kMemoryAllowance);
}

}  // namespace
}  // namespace chatd::test
