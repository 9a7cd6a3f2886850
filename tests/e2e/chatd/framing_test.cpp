// Frames on the control connection: where they may be cut, how large they may claim to be, and what
// an operation or state that nobody knows is told.
#include "tests/e2e/chatd/server_test.h"
#include "tests/support/process_figures.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

constexpr std::size_t kDefaultFrameCap = 16 * 1024;

class Framing : public ServerTest {
 protected:
  // Returns when the server has read everything that was sent to it before this call: it looks at
  // its connections in the order in which they became readable.
  void let_server_read(TcpPeer& other) {
    ASSERT_EQ(other.request(join_request("no such room", "prober")).status(), 404);
  }
};

// A create request whose whole frame has this size, padded by a key that nobody knows.
std::string create_frame_of_size(std::size_t size_bytes, std::string_view room) {
  const std::string head = R"({"username": "alice", "ip": "", "port": 0, "pad": ")";
  const std::string tail = "\"}";
  const std::size_t fixed = kFrameHeaderSize + room.size() + head.size() + tail.size();
  return encode({.operation = kCreateRoom,
                 .state = kRequest,
                 .room = std::string(room),
                 .payload = head + std::string(size_bytes - fixed, 'x') + tail});
}

TEST_F(Framing, AFrameMayBeCutAtEveryByte) {
  ASSERT_NO_FATAL_FAILURE(start());
  TcpPeer prober(server().tcp());
  TcpPeer peer(server().tcp());
  ASSERT_TRUE(peer.read_greeting());
  const std::size_t frame_bytes = encode(create_request("room 000", "alice")).size();
  for (std::size_t cut = 1; cut < frame_bytes; ++cut) {
    SCOPED_TRACE(cut);
    const std::string room = "room " + std::to_string(100 + cut);
    const std::string bytes = encode(create_request(room, "alice"));
    ASSERT_TRUE(peer.send(bytes.substr(0, cut)));
    ASSERT_NO_FATAL_FAILURE(let_server_read(prober));
    ASSERT_TRUE(peer.send(bytes.substr(cut)));
    const Answer answer = peer.read_answer();
    ASSERT_EQ(answer.accepted_status(), 202);
    ASSERT_EQ(answer.status(), 201);
  }
}

TEST_F(Framing, AFrameMayComeByteByByte) {
  ASSERT_NO_FATAL_FAILURE(start());
  TcpPeer prober(server().tcp());
  TcpPeer peer(server().tcp());
  ASSERT_TRUE(peer.read_greeting());
  for (const char byte : encode(create_request("slow", "alice"))) {
    ASSERT_TRUE(peer.send({&byte, 1}));
    ASSERT_NO_FATAL_FAILURE(let_server_read(prober));
  }
  EXPECT_EQ(peer.read_answer().status(), 201);
}

TEST_F(Framing, SeveralFramesInOneSegmentAreAnsweredInOrder) {
  ASSERT_NO_FATAL_FAILURE(start());
  TcpPeer peer(server().tcp());
  ASSERT_TRUE(peer.read_greeting());
  const std::string cut = encode(join_request("one", "carol"));
  ASSERT_TRUE(peer.send(encode(create_request("one", "alice")) +
                        encode(join_request("one", "bob")) + encode(create_request("one", "eve")) +
                        encode(list_request()) + cut.substr(0, 40)));
  EXPECT_EQ(peer.read_answer().status(), 201);
  EXPECT_EQ(peer.read_answer().status(), 201);
  EXPECT_EQ(peer.read_answer().status(), 409);
  const Answer list = peer.read_answer();
  ASSERT_TRUE(list.completed);
  EXPECT_EQ(JsonObject(list.completed->payload).object("rooms").object("one").number("count"), 2);
  ASSERT_TRUE(peer.send(cut.substr(40)));
  EXPECT_EQ(peer.read_answer().status(), 201);
}

TEST_F(Framing, APeerThatHasFinishedSendingStillGetsItsAnswer) {
  ASSERT_NO_FATAL_FAILURE(start());
  TcpPeer peer(server().tcp());
  ASSERT_TRUE(peer.send(encode(create_request("one", "alice"))));
  peer.finish_sending();
  ASSERT_TRUE(peer.read_greeting());
  EXPECT_EQ(peer.read_answer().status(), 201);
  EXPECT_EQ(peer.wait_end(), StreamEnd::kOrderly);
  EXPECT_EQ(peer.unread(), "");
}

TEST_F(Framing, AFrameAsLargeAsTheCapIsServed) {
  ASSERT_NO_FATAL_FAILURE(start());
  TcpPeer peer(server().tcp());
  ASSERT_TRUE(peer.read_greeting());
  ASSERT_TRUE(peer.send(create_frame_of_size(kDefaultFrameCap, "exact")));
  EXPECT_EQ(peer.read_answer().status(), 201);
  ASSERT_TRUE(peer.send(create_frame_of_size(kDefaultFrameCap + 1, "over")));
  const Answer refused = peer.read_answer();
  EXPECT_FALSE(refused.accepted);
  EXPECT_EQ(refused.status(), 413);
  EXPECT_EQ(peer.wait_end(), StreamEnd::kOrderly);
}

TEST_F(Framing, TheCapCanBeSet) {
  ASSERT_NO_FATAL_FAILURE(start({"--max-frame-bytes", "2048"}));
  TcpPeer peer(server().tcp());
  ASSERT_TRUE(peer.read_greeting());
  ASSERT_TRUE(peer.send(create_frame_of_size(2048, "exact")));
  EXPECT_EQ(peer.read_answer().status(), 201);
  ASSERT_TRUE(peer.send(create_frame_of_size(2049, "over")));
  EXPECT_EQ(peer.read_answer().status(), 413);
}

TEST_F(Framing, AnyClaimAboveTheCapIsAnswered413AtOnceAndTheConnectionEnds) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::size_t memory_before = resident_bytes(server().pid());
  struct Claim {
    std::uint64_t size;
    std::uint8_t high;
  };
  const std::vector<Claim> claims{{kDefaultFrameCap, 0},
                                  {1ULL << 29, 0},
                                  {(1ULL << 29) + 1, 0},
                                  {1ULL << 31, 0},
                                  {1ULL << 32, 0},
                                  {1ULL << 63, 0},
                                  {~0ULL, 0},
                                  {0, 1},
                                  {~0ULL, 0xff},
                                  {~0ULL - 31, 0},
                                  {~0ULL - 286, 0},
                                  {5, 0x80}};
  for (const Claim& claim : claims) {
    for (const std::uint8_t operation : {kCreateRoom, kJoinRoom, kListRooms}) {
      SCOPED_TRACE(testing::Message() << claim.size << " below " << int{claim.high}
                                      << ", operation " << int{operation});
      TcpPeer peer(server().tcp());
      ASSERT_TRUE(peer.read_greeting());
      // The header is all that is sent: the answer must not wait for what was claimed.
      ASSERT_TRUE(peer.send(encode_header(255, operation, kRequest, claim.size, claim.high)));
      const Answer answer = peer.read_answer();
      EXPECT_FALSE(answer.accepted);
      ASSERT_EQ(answer.status(), 413);
      EXPECT_EQ(answer.completed->operation, operation);
      EXPECT_EQ(answer.completed->room, "");
      ASSERT_EQ(peer.wait_end(), StreamEnd::kOrderly);
      EXPECT_EQ(peer.unread(), "");
    }
  }
  EXPECT_LT(resident_bytes(server().pid()), memory_before + ((CHATD_SANITIZED ? 300U : 4U) << 20U));
  EXPECT_EQ(totals()["frames_too_large"], 3 * claims.size());
}

// Closing a socket with unread bytes in it resets the connection, and a reset may overtake the
// answer: the peer must be able to read it whatever it still had under way.
TEST_F(Framing, ThePeerOfATooLargeFrameCanReadItsAnswerThoughItSentMore) {
  ASSERT_NO_FATAL_FAILURE(start());
  for (int round = 0; round < 20; ++round) {
    TcpPeer peer(server().tcp());
    ASSERT_TRUE(peer.read_greeting());
    ASSERT_TRUE(peer.send(encode_header(3, kCreateRoom, kRequest, 1U << 20U)));
    TcpPeer prober(server().tcp());  // so that the server reads the header alone
    ASSERT_NO_FATAL_FAILURE(let_server_read(prober));
    ASSERT_TRUE(peer.send(std::string(100'000, 'x')));
    ASSERT_NO_FATAL_FAILURE(let_server_read(prober));
    EXPECT_EQ(peer.read_answer().status(), 413);
    EXPECT_EQ(peer.wait_end(), StreamEnd::kOrderly);
  }
}

TEST_F(Framing, APeerThatStaysAfter413IsNotKept) {
  ASSERT_NO_FATAL_FAILURE(start({"--handshake-timeout", "200ms"}));
  const std::size_t before = open_descriptors(server().pid());
  TcpPeer peer(server().tcp());
  ASSERT_TRUE(peer.read_greeting());
  ASSERT_TRUE(peer.send(encode_header(0, kCreateRoom, kRequest, 1U << 29U)));
  EXPECT_EQ(peer.read_answer().status(), 413);
  EXPECT_TRUE(wait_until([&] { return open_descriptors(server().pid()) <= before; }));
}

TEST_F(Framing, UnknownOperationsAndStatesAreAnswered400AndTheConnectionLives) {
  ASSERT_NO_FATAL_FAILURE(start());
  TcpPeer peer(server().tcp());
  ASSERT_TRUE(peer.read_greeting());
  struct Kind {
    std::uint8_t operation, state;
  };
  const std::vector<Kind> kinds{{0, 0}, {4, 0}, {17, 0}, {255, 0}, {1, 1},  {1, 2},
                                {2, 1}, {2, 3}, {3, 1},  {3, 255}, {9, 77}, {0, 2}};
  for (const auto& [operation, state] : kinds) {
    SCOPED_TRACE(testing::Message() << int{operation} << "/" << int{state});
    ASSERT_TRUE(peer.send(encode({.operation = operation,
                                  .state = state,
                                  .room = "room",
                                  .payload = join_payload(fields_of("alice"))})));
    const Answer answer = peer.read_answer();
    EXPECT_FALSE(answer.accepted);
    ASSERT_EQ(answer.status(), 400);
    EXPECT_EQ(answer.completed->operation, operation);
    EXPECT_NE(JsonObject(answer.completed->payload).text("message"), "");
  }
  EXPECT_EQ(peer.request(create_request("room", "alice")).status(), 201);
}

}  // namespace
}  // namespace chatd::test
