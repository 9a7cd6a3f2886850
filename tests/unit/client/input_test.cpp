#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "client/chat/ending.h"
#include "client/chat/input.h"

namespace chatd::client {
namespace {

using Lines = std::vector<std::string>;

Lines take_all(LineReader& reader) {
  Lines lines;
  while (auto line = reader.take()) lines.push_back(*line);
  return lines;
}

TEST(LineReader, CutsAtEveryByte) {
  const std::string text = "one\r\n\ntwo\nlast";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    LineReader reader;
    reader.push(text.substr(0, cut));
    reader.push(text.substr(cut));
    EXPECT_EQ(take_all(reader), (Lines{"one", "", "two"})) << "cut at " << cut;
    reader.finish();
    EXPECT_EQ(take_all(reader), Lines{"last"});
  }
}

TEST(LineReader, DoesNotKeepALineWithoutEnd) {
  LineReader reader;
  const std::string chunk(1'000'000, 'x');
  for (int i = 0; i < 50; ++i) reader.push(chunk);
  reader.push("\nshort\n");
  const auto line = reader.take();
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->size(), kMaxLineBytes);
  EXPECT_EQ(reader.last_line_bytes(), 50'000'000u);
  EXPECT_EQ(reader.take(), "short");
  EXPECT_EQ(reader.last_line_bytes(), 5u);
}

TEST(KeyReader, PutsCharactersTogether) {
  const std::string keys = "a日🎉\xff\xe9z";
  for (std::size_t cut = 0; cut <= keys.size(); ++cut) {
    KeyReader reader;
    std::wstring characters;
    for (const auto& piece : {keys.substr(0, cut), keys.substr(cut)}) {
      reader.push(piece);
      while (const auto key = reader.take()) characters.push_back(*key);
    }
    EXPECT_EQ(characters, L"a日🎉z") << "cut at " << cut;
  }
}

TEST(Command, KnowsItsWords) {
  using Is = Command::Kind;
  EXPECT_EQ(parse_command("").kind, Is::kNothing);
  EXPECT_EQ(parse_command(" \t ").kind, Is::kNothing);
  EXPECT_EQ(parse_command("/who").kind, Is::kWho);
  EXPECT_EQ(parse_command("/who ").kind, Is::kWho);
  EXPECT_EQ(parse_command("/leave").kind, Is::kLeave);
  EXPECT_EQ(parse_command("/quit now").kind, Is::kQuit);
  EXPECT_EQ(parse_command("/help").kind, Is::kHelp);
  const Command unknown = parse_command("/whoami x");
  EXPECT_EQ(unknown.kind, Is::kUnknown);
  EXPECT_EQ(unknown.text, "/whoami");
  EXPECT_EQ(parse_command("/").kind, Is::kUnknown);
}

TEST(Command, SaysTheRest) {
  EXPECT_EQ(parse_command("hi /who").text, "hi /who");
  EXPECT_EQ(parse_command("//who").kind, Command::Kind::kSay);
  EXPECT_EQ(parse_command("//who").text, "/who");
  EXPECT_EQ(parse_command(" /who").text, " /who");
}

TEST(Pacer, LetsABurstGoAndThenARate) {
  constexpr int kBurst = 32;
  Pacer pace;
  int sent = 0;
  while (pace.take(1'000)) ++sent;
  EXPECT_EQ(sent, kBurst);
  EXPECT_EQ(pace.next_ms(), 1'001);
  for (std::int64_t now_ms = 1'001; now_ms <= 1'100; ++now_ms) {
    while (pace.take(now_ms)) ++sent;
  }
  EXPECT_EQ(sent, kBurst + 40);
  int after_a_pause = 0;
  while (pace.take(1'000'000)) ++after_a_pause;
  EXPECT_EQ(after_a_pause, kBurst);
}

TEST(StopCondition, CountAndTimeout) {
  StopCondition nothing(std::nullopt, std::nullopt, 0);
  EXPECT_FALSE(nothing.listens_on());
  EXPECT_EQ(nothing.reached(1'000'000'000'000), std::nullopt);

  StopCondition count(2, std::nullopt, 0);
  EXPECT_TRUE(count.listens_on());
  count.on_message();
  EXPECT_EQ(count.reached(1'000'000'000'000), std::nullopt);
  count.on_message();
  EXPECT_EQ(count.reached(0), ExitCode::kOk);

  StopCondition timeout(std::nullopt, 500, 1'000);
  EXPECT_EQ(timeout.reached(1'499), std::nullopt);
  EXPECT_EQ(timeout.reached(1'500), ExitCode::kOk);

  StopCondition both(1, 500, 1'000);
  EXPECT_EQ(both.reached(1'500), ExitCode::kTimedOut);
  both.on_message();
  EXPECT_EQ(both.reached(1'500), ExitCode::kOk);
}

}  // namespace
}  // namespace chatd::client
