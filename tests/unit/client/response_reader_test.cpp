#include "client/lib/response.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "core/wire/v1/frame.h"

namespace chatd::client {
namespace {

std::string frame(Operation operation, FrameState state, std::string_view payload) {
  std::string bytes;
  append_frame(bytes, operation, state, "", payload);
  return bytes;
}

// What a server sends to one who joins: the greeting, "accepted", the outcome.
std::string whole_exchange(std::string_view outcome) {
  return frame(Operation::kList, FrameState::kRequest, R"({"rooms":{},"total":0})") +
         frame(Operation::kJoin, FrameState::kAccepted, R"({"status":202,"message":"ok"})") +
         frame(Operation::kJoin, FrameState::kCompleted, outcome);
}

TEST(ResponseReader, SkipsGreetingAndAccepted) {
  ResponseReader reader(kMaxListBytes);
  const auto answer = reader.push(whole_exchange("{}"));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(*answer, "{}");
}

TEST(ResponseReader, SurvivesEverySplit) {
  const std::string bytes = whole_exchange(R"({"status":201})");
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    ResponseReader reader(kMaxListBytes);
    const auto first = reader.push(std::string_view(bytes).substr(0, cut));
    ASSERT_TRUE(first.has_value());
    EXPECT_FALSE(first->has_value()) << "cut at " << cut;
    const auto second = reader.push(std::string_view(bytes).substr(cut));
    ASSERT_TRUE(second.has_value());
    EXPECT_EQ(*second, R"({"status":201})") << "cut at " << cut;
  }
}

TEST(ResponseReader, TakesOneByteAtATime) {
  const std::string bytes = whole_exchange(R"({"status":201})");
  ResponseReader reader(kMaxListBytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto answer = reader.push(std::string_view(bytes).substr(i, 1));
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->has_value(), i + 1 == bytes.size()) << "byte " << i;
  }
}

TEST(ResponseReader, TakesALargeList) {
  const std::string payload(5'000'000, 'x');
  const std::string bytes = frame(Operation::kList, FrameState::kCompleted, payload);
  ResponseReader reader(kMaxListBytes);
  const auto first = reader.push(std::string_view(bytes).substr(0, 1'000'000));
  ASSERT_TRUE(first.has_value());
  const auto answer = reader.push(std::string_view(bytes).substr(1'000'000));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(**answer, payload);
}

TEST(ResponseReader, RefusesAClaimAboveTheCap) {
  std::string header(kFrameHeaderBytes, '\0');
  header[2] = 2;
  for (std::size_t i = 3; i < header.size(); ++i) header[i] = '\x7f';
  ResponseReader reader(kMaxListBytes);
  const auto answer = reader.push(header);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, ErrorKind::kUnreachable);
}

// Who joins a room needs no megabytes; what claims them is refused by its header alone.
TEST(ResponseReader, AnEntryAnswerIsSmall) {
  ResponseReader fits(kMaxEntryAnswerBytes);
  const std::string largest(kMaxEntryAnswerBytes - kFrameHeaderBytes, 'x');
  const auto answer = fits.push(frame(Operation::kJoin, FrameState::kCompleted, largest));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(*answer, largest);
  ResponseReader does_not(kMaxEntryAnswerBytes);
  const std::string one_more =
      frame(Operation::kJoin, FrameState::kCompleted, largest + "x").substr(0, kFrameHeaderBytes);
  EXPECT_FALSE(does_not.push(one_more).has_value());
}

TEST(ResponseReader, RefusesAnotherProtocol) {
  ResponseReader reader(kMaxListBytes);
  EXPECT_FALSE(reader.push("HTTP/1.1 400 Bad Request\r\nServer: something\r\n\r\n").has_value());
}

TEST(ResponseReader, GivesUpOnAServerThatNeverAnswers) {
  const std::string greeting = frame(Operation::kList, FrameState::kRequest, "{}");
  ResponseReader reader(kMaxListBytes);
  for (int i = 0; i < kMaxFramesBeforeAnswer; ++i) ASSERT_TRUE(reader.push(greeting).has_value());
  EXPECT_FALSE(reader.push(greeting).has_value());
}

TEST(ResponseReader, TellsHowFarItCameWhenTheServerCloses) {
  ResponseReader reader(kMaxListBytes);
  const std::string before = reader.closed().reason;
  ASSERT_TRUE(reader.push(frame(Operation::kJoin, FrameState::kAccepted, "{}")).has_value());
  EXPECT_NE(reader.closed().reason, before);
}

TEST(ResponseReader, SurvivesRandomBytes) {
  std::mt19937 random(1);
  for (int round = 0; round < 2'000; ++round) {
    std::string bytes(random() % 200, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    // Half of them claim little, so that frames are completed too.
    if (bytes.size() > kFrameHeaderBytes && round % 2 == 0) {
      bytes.replace(0, kFrameHeaderBytes, kFrameHeaderBytes, '\0');
      bytes[2] = static_cast<char>(random() % 4);
      bytes[31] = static_cast<char>(random() % 64);
    }
    ResponseReader reader(kMaxListBytes);
    const auto answer = reader.push(bytes);
    if (!answer || !*answer) continue;
    EXPECT_LT((*answer)->size(), bytes.size());
  }
}

}  // namespace
}  // namespace chatd::client
