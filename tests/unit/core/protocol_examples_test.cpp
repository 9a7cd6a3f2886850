// The worked examples of docs/reference/protocol.md are read from that file and taken apart with
// the real codecs, so that the document stays true.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>

#include "core/base/limits.h"
#include "core/wire/v1/datagram.h"
#include "core/wire/v1/frame.h"
#include "core/wire/v1/join_request.h"
#include "core/wire/v1/notice.h"
#include "core/wire/v1/payload.h"
#include "core/wire/v1/status.h"
#include "tests/unit/core/document_examples.h"

namespace chatd {
namespace {

constexpr std::string_view kToken = "0000002a9f86d081884c7d659a2feaa0";
constexpr std::string_view kMessage = R"({"sender":"bob","message":"hi"})";

class ProtocolExamples : public testing::Test {
 protected:
  // The frame in this example, which must be whole and alone.
  FrameView frame(const std::string& name) {
    const std::string& bytes = examples_[name];
    const DecodedFrame decoded = decode_frame(bytes, Limits{}.max_frame_bytes);
    EXPECT_EQ(decoded.status, FrameStatus::kComplete) << name;
    EXPECT_EQ(decoded.size_bytes, bytes.size()) << name;
    return decoded.frame;
  }

  std::map<std::string, std::string> examples_ = test::read_examples("docs/reference/protocol.md");
};

TEST_F(ProtocolExamples, AreAllKnownHere) {
  EXPECT_EQ(examples_.size(), 11u);
}

TEST_F(ProtocolExamples, Greeting) {
  const FrameView greeting = frame("greeting");
  EXPECT_TRUE(greeting.is(Operation::kList));
  EXPECT_TRUE(greeting.is(FrameState::kRequest));
  EXPECT_EQ(greeting.room, "");
  EXPECT_EQ(
      greeting.payload,
      R"({"rooms":{"lobby":{"members":["alice"],"count":1,"password_required":false}},"total":1})");
}

TEST_F(ProtocolExamples, JoinRequestAndItsAnswers) {
  const FrameView request = frame("join-request");
  EXPECT_TRUE(request.is(Operation::kJoin));
  EXPECT_TRUE(request.is(FrameState::kRequest));
  EXPECT_EQ(request.room, "lobby");
  EXPECT_EQ(request.payload, R"({"username":"bob","ip":"127.0.0.1","port":40123,"password":""})");

  std::string accepted;
  append_accepted(accepted, 2);
  EXPECT_EQ(examples_["join-accepted"], accepted);

  std::string completed;
  append_admitted(completed, 2, "room joined", kToken, Limits{}.idle_timeout_ms);
  EXPECT_EQ(examples_["join-completed"], completed);
}

TEST_F(ProtocolExamples, MessageInBothFormsHeartbeatAndWhatTheOthersHear) {
  const Token token = *Token::parse(kToken);
  for (const char* name : {"message", "message-raw-token", "heartbeat"}) {
    const auto datagram = parse_client_datagram(examples_[name]);
    ASSERT_TRUE(datagram.has_value()) << name;
    EXPECT_EQ(datagram->room, "lobby") << name;
    EXPECT_EQ(datagram->token, token) << name;
    EXPECT_EQ(datagram->payload, std::string_view(name) == "heartbeat" ? "" : kMessage) << name;
  }
  const auto relayed = parse_server_datagram(examples_["relayed"]);
  ASSERT_TRUE(relayed.has_value());
  EXPECT_EQ(*relayed, kMessage);
}

TEST_F(ProtocolExamples, AHeartbeatThatAsksAndItsAnswer) {
  const auto asking = parse_client_datagram(examples_["asking-heartbeat"]);
  ASSERT_TRUE(asking.has_value());
  EXPECT_EQ(asking->payload, R"({"heartbeat":"7c1b05c3a0d2f6e8"})");
  const std::string padded = std::string(asking->payload) + std::string(kPayloadPaddingBytes, ' ');
  EXPECT_EQ(PayloadReader().read(std::string_view(padded).substr(0, asking->payload.size()), "bob"),
            PayloadKind::kHeartbeat);
  EXPECT_EQ(parse_server_datagram(examples_["heartbeat-answer"]), asking->payload);
  EXPECT_GE(examples_["asking-heartbeat"].size(), kNotAuthenticatedDatagram.size());
}

TEST_F(ProtocolExamples, TheSeatAgain) {
  const FrameView request = frame("seat-request");
  EXPECT_TRUE(request.is(Operation::kJoin));
  EXPECT_EQ(request.room, "lobby");
  const auto join = JoinRequestReader().read(request.payload);
  ASSERT_TRUE(join.has_value());
  EXPECT_EQ(join->username, "bob");
  EXPECT_EQ(join->port, 40124);
  EXPECT_TRUE(join->token == Token::parse(kToken));
}

// Sizes that the text names.
TEST_F(ProtocolExamples, SizesInTheText) {
  EXPECT_EQ(kNotAuthenticatedDatagram.size(), 59u);
  EXPECT_EQ(kFrameHeaderBytes, 32u);
  EXPECT_EQ(kMaxDatagramBytes, 4096u);
  EXPECT_EQ(kMaxGreetingBytes, 1400u);
  EXPECT_EQ(kMaxListedMembers, 20u);
  EXPECT_EQ(kMaxUnreachable, 3u);
  const Limits defaults;
  EXPECT_EQ(defaults.max_frame_bytes, 16u * 1024);
  EXPECT_EQ(defaults.max_notified_members, 128u);
  EXPECT_EQ(defaults.idle_timeout_ms, 300'000u);
  EXPECT_EQ(defaults.abuse.max_address_rooms, 100u);
  EXPECT_EQ(defaults.abuse.max_address_requests_per_s, 50u);
  EXPECT_EQ(defaults.abuse.max_address_connections, 100u);
  EXPECT_EQ(defaults.abuse.max_member_messages_per_s, 500u);
  EXPECT_EQ(defaults.abuse.max_member_bytes_per_s, 16u << 20);
  EXPECT_EQ(defaults.abuse.max_room_notices_per_s, 50u);
  EXPECT_EQ(defaults.abuse.max_password_attempts_per_min, 10u);
  EXPECT_EQ(defaults.max_source_answers_per_s, 1u);
}

}  // namespace
}  // namespace chatd
