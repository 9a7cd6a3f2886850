#include "client/conversation.h"

#include <gtest/gtest.h>

#include <string>

#include "core/limits.h"
#include "core/wire/datagram.h"

namespace chatd::client {
namespace {

constexpr std::int64_t kStartMs = 1'000'000;
constexpr std::int64_t kHeartbeatMs = 60'000;

Conversation make_conversation() {
  ConversationConfig config{.room = "kitchen",
                            .username = "al\"ice",
                            .token = Token(1, 2, {3, 4, 5}),
                            .heartbeat_ms = kHeartbeatMs};
  return Conversation(config, kStartMs);
}

std::string payload_of(const std::string& datagram) {
  const auto parsed = parse_client_datagram(datagram);
  EXPECT_TRUE(parsed.has_value());
  if (!parsed) return "(none)";
  EXPECT_EQ(parsed->room, "kitchen");
  EXPECT_TRUE(parsed->token == Token(1, 2, {3, 4, 5}));
  return std::string(parsed->payload);
}

TEST(Conversation, MessageIsJsonWithItsSender) {
  const auto datagram = make_conversation().message("he said \"hi\" \\ 🎉\ttab\n");
  ASSERT_TRUE(datagram.has_value());
  EXPECT_EQ(payload_of(*datagram),
            R"({"sender":"al\"ice","message":"he said \"hi\" \\ 🎉\ttab\n"})");
}

TEST(Conversation, HeartbeatIsEmptyAndLeaveNamesTheMember) {
  const Conversation conversation = make_conversation();
  EXPECT_EQ(payload_of(conversation.heartbeat()), "");
  EXPECT_EQ(payload_of(conversation.leave()),
            R"({"sender":"system","operation":2,"username":"al\"ice"})");
}

TEST(Conversation, RefusesWhatIsLargerThanADatagramMayBe) {
  const Conversation conversation = make_conversation();
  const std::size_t around = conversation.message("")->size();
  const std::string largest(kMaxDatagramBytes - around, 'x');
  const auto fits = conversation.message(largest);
  ASSERT_TRUE(fits.has_value());
  EXPECT_EQ(fits->size(), kMaxDatagramBytes);
  const auto too_large = conversation.message(largest + "x");
  ASSERT_FALSE(too_large.has_value());
  EXPECT_EQ(too_large.error().kind, ErrorKind::kNotSendable);
  EXPECT_NE(too_large.error().reason.find("1 byte "), std::string::npos);
  // Quotes take two bytes each on the wire.
  EXPECT_FALSE(conversation.message(std::string(kMaxDatagramBytes / 2, '"')).has_value());
}

TEST(Conversation, RefusesInvalidUtf8) {
  const auto datagram = make_conversation().message("caf\xe9");
  ASSERT_FALSE(datagram.has_value());
  EXPECT_EQ(datagram.error().kind, ErrorKind::kNotSendable);
  EXPECT_NE(datagram.error().reason.find("UTF-8"), std::string::npos);
}

// The first one tells the server of a member behind NAT where to send to, and UDP may lose it.
TEST(Conversation, HeartbeatsAreDueAtOnceTwiceSoonAndThenOnlyAfterSilence) {
  Conversation conversation = make_conversation();
  EXPECT_EQ(conversation.next_heartbeat_ms(), kStartMs);
  for (int early = 0; early < kEarlyHeartbeats; ++early) {
    const std::int64_t now_ms = conversation.next_heartbeat_ms();
    conversation.on_sent(now_ms);
    EXPECT_EQ(conversation.next_heartbeat_ms(), now_ms + kProbeIntervalMs);
  }
  conversation.on_sent(kStartMs);
  EXPECT_EQ(conversation.next_heartbeat_ms(), kStartMs + kHeartbeatMs);
  conversation.on_sent(kStartMs + 20'000);  // a message
  EXPECT_EQ(conversation.next_heartbeat_ms(), kStartMs + 20'000 + kHeartbeatMs);
}

TEST(Conversation, RefusalsInARowMeanThatTheServerIsGone) {
  Conversation conversation = make_conversation();
  std::int64_t now_ms = kStartMs;
  conversation.on_sent(now_ms);
  EXPECT_FALSE(conversation.on_refused(now_ms + 1));
  for (int refusals = 2; refusals < kRefusalsUntilGone; ++refusals) {
    // It asks again soon, not after the whole interval.
    ASSERT_LE(conversation.next_heartbeat_ms(), now_ms + 1 + kProbeIntervalMs);
    now_ms = conversation.next_heartbeat_ms();
    conversation.on_sent(now_ms);
    EXPECT_FALSE(conversation.on_refused(now_ms + 1));
  }
  now_ms = conversation.next_heartbeat_ms();
  conversation.on_sent(now_ms);
  EXPECT_TRUE(conversation.on_refused(now_ms + 1));
}

TEST(Conversation, ADatagramFromTheServerForgivesRefusals) {
  Conversation conversation = make_conversation();
  for (int i = 0; i < 10 * kRefusalsUntilGone; ++i) {
    conversation.on_sent(kStartMs + i);
    EXPECT_FALSE(conversation.on_refused(kStartMs + i));
    conversation.on_received();
  }
}

TEST(Conversation, ASendThatDrawsNoRefusalForgivesRefusals) {
  Conversation conversation = make_conversation();
  std::int64_t now_ms = kStartMs;
  for (int i = 0; i < 10; ++i) {
    conversation.on_sent(now_ms);
    EXPECT_FALSE(conversation.on_refused(now_ms + 1));
    now_ms = conversation.next_heartbeat_ms();
    conversation.on_sent(now_ms);  // not refused
    now_ms = conversation.next_heartbeat_ms();
  }
  conversation.on_sent(now_ms);
  EXPECT_EQ(conversation.next_heartbeat_ms(), now_ms + kHeartbeatMs);
}

}  // namespace
}  // namespace chatd::client
