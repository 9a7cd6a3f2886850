// The rate of what clients cause in the log, in virtual time.
#include "server/log/rate_limited_log.h"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>

#include "server/log/sink.h"

namespace chatd {
namespace {

class EventLogTest : public testing::Test {
 protected:
  EventLogTest() : before_(spdlog::default_logger()) {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_st>(written_);
    auto logger = std::make_shared<spdlog::logger>("test", sink);
    logger->set_pattern("%l %v");
    spdlog::set_default_logger(logger);
  }
  ~EventLogTest() override { spdlog::set_default_logger(before_); }

  void connect(TimeMs now_ms) {
    log_.say(now_ms, RateLimitedLog::Reason::kConnectionAccepted, spdlog::level::info,
             "connection from {}", IpAddress::parse("10.1.2.3").value());
  }
  std::string take() {
    std::string text = written_.str();
    written_.str("");
    return text;
  }
  static long lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

  std::shared_ptr<spdlog::logger> before_;
  std::ostringstream written_;
  RateLimitedLog log_;
};

TEST_F(EventLogTest, LeavesOutWhatComesTooOftenAndSaysHowMuch) {
  constexpr TimeMs kStartMs = 1'000'000;
  for (int i = 0; i < 100; ++i) connect(kStartMs);
  EXPECT_EQ(lines(take()), 20);
  connect(kStartMs + 500);
  EXPECT_EQ(take(), "");
  connect(kStartMs + 1000);
  EXPECT_EQ(take(), "info connection from 10.1.2.3 (81 more of these were left out)\n");
  connect(kStartMs + 2000);
  EXPECT_EQ(take(), "info connection from 10.1.2.3\n");
}

TEST_F(EventLogTest, EachReasonHasItsOwnRate) {
  for (int i = 0; i < 100; ++i) connect(1000);
  take();
  log_.say(1000, RateLimitedLog::Reason::kConnectionBroken, spdlog::level::info, "broken");
  EXPECT_EQ(take(), "info broken\n");
}

TEST_F(EventLogTest, RoomsThatWereNotTakenDownCount) {
  RoomEvents rooms;
  for (int i = 0; i < 100; ++i) {
    rooms.add(RoomEvent::Kind::kClosed, "a \"room\"", IpAddress::parse("::1").value(), 3);
  }
  log_.say(1000, rooms);
  const std::string text = take();
  EXPECT_EQ(lines(text), 20);
  EXPECT_EQ(text.find("info room \"a \\\"room\\\"\" closed, 3 members with it\n"), 0U) << text;
  EXPECT_TRUE(rooms.events().empty());
  log_.say(30'000, RateLimitedLog::Reason::kRoomClosed, spdlog::level::info, "next");
  EXPECT_EQ(take(), "info next (80 more of these were left out)\n");
}

TEST_F(EventLogTest, TheEndTellsWhatIsMissing) {
  for (int i = 0; i < 25; ++i) connect(1000);
  take();
  log_.close();
  EXPECT_EQ(take(), "info 5 lines about rooms and connections were left out\n");
  log_.close();
  EXPECT_EQ(take(), "");
}

TEST_F(EventLogTest, LongNamesAreCutBetweenCharacters) {
  EXPECT_EQ(chatd::quoted("lobby"), "\"lobby\"");
  EXPECT_EQ(chatd::quoted(std::string(64, 'a')), "\"" + std::string(64, 'a') + "\"");
  EXPECT_EQ(chatd::quoted(std::string(65, 'a')), "\"" + std::string(64, 'a') + "\"...");
  EXPECT_EQ(chatd::quoted(std::string(63, 'a') + "\xc3\xa9"),
            "\"" + std::string(63, 'a') + "\"...");
}

// Also for a program that writes the log to a terminal as it is.
TEST_F(EventLogTest, WhatIsHiddenInNamesIsEscaped) {
  EXPECT_EQ(chatd::quoted("a\u2028b\u202ec\u2066d\u200be\u0085"),
            R"("a\u2028b\u202ec\u2066d\u200be\u0085")");
  EXPECT_EQ(chatd::quoted("\U000e0041 \ufff0"), R"("\udb40\udc41 \ufff0")");
  EXPECT_EQ(chatd::quoted("\u05e9\u05dc\u05d5\u05dd"), "\"\u05e9\u05dc\u05d5\u05dd\"");
}

TEST(LogFormats, TheJournalIsKnownByItsDeviceAndInode) {
  struct stat file {};
  ASSERT_EQ(::fstat(STDERR_FILENO, &file), 0);
  const std::string own = std::to_string(file.st_dev) + ":" + std::to_string(file.st_ino);
  ::unsetenv("JOURNAL_STREAM");
  EXPECT_FALSE(is_journal(STDERR_FILENO));
  ::setenv("JOURNAL_STREAM", own.c_str(), 1);
  EXPECT_TRUE(is_journal(STDERR_FILENO));
  ::setenv("JOURNAL_STREAM", (own + "1").c_str(), 1);
  EXPECT_FALSE(is_journal(STDERR_FILENO));
  ::unsetenv("JOURNAL_STREAM");
}

TEST_F(EventLogTest, TheJournalGetsPriorities) {
  spdlog::default_logger()->set_formatter(journal_format());
  spdlog::info("well");
  spdlog::warn("less well");
  spdlog::error("not well");
  spdlog::critical("over");
  EXPECT_EQ(take(), "<6>well\n<4>less well\n<3>not well\n<2>over\n");
}

}  // namespace
}  // namespace chatd
