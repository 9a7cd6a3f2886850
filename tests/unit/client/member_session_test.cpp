#include "client/lib/member_session.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/limits.h"
#include "core/wire/v1/datagram.h"
#include "core/wire/v1/notice.h"

namespace chatd::client {
namespace {

constexpr std::int64_t kStartMs = 1'000'000;
constexpr std::int64_t kHeartbeatMs = 20'000;

MemberSession make_conversation() {
  MemberSessionConfig config{.room = "kitchen",
                             .username = "al\"ice",
                             .token = Token(1, 2, {3, 4, 5}),
                             .heartbeat_ms = kHeartbeatMs};
  return MemberSession(config, kStartMs);
}

std::string payload_of(const std::string& datagram) {
  const auto parsed = parse_client_datagram(datagram);
  EXPECT_TRUE(parsed.has_value());
  if (!parsed) return "(none)";
  EXPECT_EQ(parsed->room, "kitchen");
  EXPECT_TRUE(parsed->token == Token(1, 2, {3, 4, 5}));
  return std::string(parsed->payload);
}

TEST(MemberSession, MessageIsJsonWithItsSender) {
  const auto datagram = make_conversation().message("he said \"hi\" \\ 🎉\ttab\n");
  ASSERT_TRUE(datagram.has_value());
  EXPECT_EQ(payload_of(*datagram),
            R"({"sender":"al\"ice","message":"he said \"hi\" \\ 🎉\ttab\n"})");
}

TEST(MemberSession, HeartbeatIsEmptyAndLeaveNamesTheMember) {
  const MemberSession session = make_conversation();
  EXPECT_EQ(payload_of(session.heartbeat()), "");
  EXPECT_EQ(payload_of(session.leave()),
            R"({"sender":"system","operation":2,"username":"al\"ice"})");
}

TEST(MemberSession, RefusesWhatIsLargerThanADatagramMayBe) {
  const MemberSession session = make_conversation();
  const std::size_t around = session.message("")->size();
  const std::string largest(kMaxDatagramBytes - around, 'x');
  const auto fits = session.message(largest);
  ASSERT_TRUE(fits.has_value());
  EXPECT_EQ(fits->size(), kMaxDatagramBytes);
  const auto too_large = session.message(largest + "x");
  ASSERT_FALSE(too_large.has_value());
  EXPECT_EQ(too_large.error().kind, ErrorKind::kNotSendable);
  EXPECT_NE(too_large.error().reason.find("1 byte "), std::string::npos);
  // Quotes take two bytes each on the wire.
  EXPECT_FALSE(session.message(std::string(kMaxDatagramBytes / 2, '"')).has_value());
}

TEST(MemberSession, RefusesInvalidUtf8) {
  const auto datagram = make_conversation().message("caf\xe9");
  ASSERT_FALSE(datagram.has_value());
  EXPECT_EQ(datagram.error().kind, ErrorKind::kNotSendable);
  EXPECT_NE(datagram.error().reason.find("UTF-8"), std::string::npos);
}

TEST(MemberSession, HeartbeatsAskWhereTheServerAnswers) {
  MemberSessionConfig config{.room = "k",
                             .username = "a",
                             .token = Token(1, 2, {3, 4, 5}),
                             .heartbeat_ms = kHeartbeatMs,
                             .idle_timeout_ms = 300'000,
                             .secret = 0x7c1b05c3a0d2f6e7};
  MemberSession session(config, kStartMs);
  const std::string first = session.heartbeat();
  EXPECT_EQ(parse_client_datagram(first)->payload, R"({"heartbeat":"7c1b05c3a0d2f6e8"})");
  EXPECT_GE(first.size(), kNotAuthenticatedDatagram.size());
  session.liveness().on_heartbeat_sent(kStartMs, true);
  EXPECT_EQ(parse_client_datagram(session.heartbeat())->payload,
            R"({"heartbeat":"7c1b05c3a0d2f6e9"})");

  // Anything but that number is no answer.
  for (const char* const forged : {"", "7", "7c1b05c3a0d2f6e7", "7c1b05c3a0d2f6e9", "zz",
                                   "7c1b05c3a0d2f6e8 ", "-1", "7c1b05c3a0d2f6e87c1b05c3a0d2f6e8"}) {
    session.on_answer(forged);
    EXPECT_FALSE(session.liveness().is_answered(1)) << forged;
  }
  session.on_answer("7c1b05c3a0d2f6e8");
  EXPECT_TRUE(session.liveness().is_answered(1));
}

}  // namespace
}  // namespace chatd::client
