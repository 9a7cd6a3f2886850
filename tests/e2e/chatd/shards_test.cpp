// --shards, as an operator gives it.
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/e2e/chatd/server_test.h"

namespace chatd::test {
namespace {

class ShardsFlag : public ServerTest {
 protected:
  void SetUp() override {
    if (ChatdServer::has_several_shards()) GTEST_SKIP() << "says how many by itself";
  }
};

TEST_F(ShardsFlag, TakesANumberOrAuto) {
  for (const char* const value : {"1", "2", "auto"}) {
    SCOPED_TRACE(value);
    ASSERT_NO_FATAL_FAILURE(start({"--shards", value}));
    auto room = make_room(server(), "room", {"alice", "bob"});
    ASSERT_EQ(room.size(), 2U);
    EXPECT_TRUE(room[1].hears(room[0].say("hello")));
    totals();
  }
}

TEST_F(ShardsFlag, AutoIsExplained) {
  ASSERT_NO_FATAL_FAILURE(start({"--shards", "auto"}));
  const auto line = server().process().wait_for_line(Stream::kStderr, "shards: auto is ");
  ASSERT_TRUE(line);
  std::smatch match;
  static const std::regex kExplanation(
      R"(auto is (\d+): (\d+) processors, and (no CPU quota|a quota of (\d+\.\d\d)))");
  ASSERT_TRUE(std::regex_search(*line, match, kExplanation)) << *line;
  EXPECT_LE(std::stoi(match[1]), std::stoi(match[2]));
  if (match[4].matched) {
    EXPECT_LT(std::stoi(match[1]), std::stod(match[4]) + 1);
  }
  const auto serving = server().process().wait_for_line(Stream::kStderr, "serving: ");
  ASSERT_TRUE(serving);
  EXPECT_TRUE(serving->ends_with("shards: " + match[1].str())) << *serving;
}

TEST_F(ShardsFlag, RefusesEverythingElse) {
  for (const char* const value : {"0", "257", "-1", "two", "", "1.5"}) {
    SCOPED_TRACE(value);
    Process chatd({ChatdServer::program(), "--shards", value});
    const auto status = chatd.wait_exit();
    ASSERT_TRUE(status);
    EXPECT_EQ(status->code, 2);
    EXPECT_NE(chatd.captured(Stream::kStderr).find("neither auto nor a number from 1 to 256"),
              std::string::npos)
        << chatd.captured(Stream::kStderr);
  }
}

// Rooms spread over all of them.
TEST_F(ShardsFlag, ManyMoreThanProcessorsServeAsWell) {
  ASSERT_NO_FATAL_FAILURE(start({"--shards", "40"}));
  TcpPeer control(server().tcp());
  std::vector<std::string> shards;
  for (int i = 0; i < 100; ++i) {
    const Answer answer = control.create("room " + std::to_string(i), fields_of("host"));
    ASSERT_EQ(answer.status(), 201);
    shards.push_back(answer.token().substr(0, 2));
  }
  EXPECT_GT(std::set<std::string>(shards.begin(), shards.end()).size(), 20U);
  EXPECT_EQ(totals()["rooms_created"], 100U);
}

}  // namespace
}  // namespace chatd::test
