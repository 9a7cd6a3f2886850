#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "client/chat/output_lines.h"

namespace chatd::client {
namespace {

using Kind = Event::Kind;
const Style kPlain(false);

TEST(JsonLines, EveryEventHasItsAgreedForm) {
  EXPECT_EQ(json_ready("kitchen", "alice", 2),
            R"({"type":"ready","room":"kitchen","username":"alice","protocol":2})");
  EXPECT_EQ(json_event({Kind::kMessage, "bob", "hi"}),
            R"({"type":"message","sender":"bob","message":"hi"})");
  EXPECT_EQ(json_event({Kind::kJoined, "bob", "x"}), R"({"type":"joined","username":"bob"})");
  EXPECT_EQ(json_event({Kind::kLeft, "bob", "x"}), R"({"type":"left","username":"bob"})");
  EXPECT_EQ(json_event({Kind::kNotice, "", "x"}), R"({"type":"notice","message":"x"})");
  EXPECT_EQ(json_event({Kind::kMalformed, "", "x"}), R"({"type":"malformed","message":"x"})");
  EXPECT_EQ(json_event({Kind::kUnanswered, "", "x"}), R"({"type":"unanswered","message":"x"})");
  EXPECT_EQ(json_event({Kind::kAnswered, "", "x"}), R"({"type":"answered","message":"x"})");
  for (const Kind kind : {Kind::kDisconnected, Kind::kNotAuthenticated, Kind::kServerGone}) {
    EXPECT_EQ(json_event({kind, "alice", "x"}), R"({"type":"disconnected","message":"x"})");
  }
  EXPECT_EQ(json_refused({ErrorKind::kRefused, "no", 404}),
            R"({"type":"refused","status":404,"message":"no"})");
  EXPECT_EQ(
      json_room({"den", {"a", "b"}, 30, true}),
      R"({"type":"room","name":"den","members":["a","b"],"count":30,"password_required":true})");
}

TEST(JsonLines, NothingInThemUpsetsATerminal) {
  const std::string line = json_event(
      {Kind::kMessage, "b\"\x1b", std::string("\x00\n\x7f", 3) + "\u009b\u202e\u2028 é🎉"});
  EXPECT_EQ(line,
            "{\"type\":\"message\",\"sender\":\"b\\\"\\u001B\","
            "\"message\":\"\\u0000\\n\\u007f\\u009b\\u202e\\u2028 é🎉\"}");
}

TEST(TextLines, EventsAreOneDisarmedLine) {
  EXPECT_EQ(event_line({Kind::kMessage, "bob\n", "a\nb\x1b[0m"}, kPlain), "bob^J: a^Jb^[[0m");
  EXPECT_EQ(event_line({Kind::kJoined, "b\x1b", ""}, kPlain), "* b^[ joined");
  EXPECT_EQ(event_line({Kind::kLeft, "bob", ""}, kPlain), "* bob left");
  for (const Kind kind :
       {Kind::kNotice, Kind::kMalformed, Kind::kDisconnected, Kind::kNotAuthenticated,
        Kind::kServerGone, Kind::kUnanswered, Kind::kAnswered}) {
    const std::string line = event_line({kind, "\x1b", "\x1b\n"}, kPlain);
    EXPECT_FALSE(line.empty());
    EXPECT_EQ(line.find_first_of("\x1b\n"), std::string::npos);
  }
}

// Whatever a name is, one sees where it ends and who speaks.
TEST(TextLines, ANameCannotPassForMoreThanAName) {
  EXPECT_EQ(event_line({Kind::kMessage, "alice: the code is 1234", "x"}, kPlain),
            "\"alice: the code is 1234\": x");
  EXPECT_EQ(event_line({Kind::kMessage, "* bob joined", "x"}, kPlain), "\"* bob joined\": x");
  EXPECT_EQ(event_line({Kind::kJoined, "bob left. alice", ""}, kPlain),
            "* \"bob left. alice\" joined");
  EXPECT_EQ(members_line(RoomInfo{"den", {"a, b", "c"}, 2, false}, kPlain),
            "2 people here: \"a, b\", c");
  EXPECT_EQ(rooms_table({{{"den  9 people: a\nx", {}, 0, false}}, 1}),
            "\"den  9 people: a^Jx\"  0 people");
}

TEST(TextLines, MembersTellWhatIsCutOrHidden) {
  EXPECT_EQ(members_line(RoomInfo{"open", {"a", "b\x1b"}, 2, false}, kPlain),
            "2 people here: a, b^[");
  EXPECT_EQ(members_line(RoomInfo{"full", {"a", "b"}, 30, false}, kPlain),
            "30 people here: a, b and 28 more");
  EXPECT_EQ(members_line(RoomInfo{"shut", {}, 4, true}, kPlain),
            "4 people here; the server does not name the members of a room with a password");
  EXPECT_EQ(members_line(RoomInfo{"one", {"a"}, 1, false}, kPlain), "1 person here: a");
  EXPECT_NE(members_line(std::nullopt, kPlain), "");
}

TEST(TextLines, RoomsTable) {
  EXPECT_EQ(rooms_table({{{"den\x1b", {"a"}, 1, false}, {"shut", {}, 4, true}}, 3}),
            "den^[  1 person: a\nshut  4 people, password: (names hidden: password)\n"
            "... and 1 more rooms");
  EXPECT_NE(rooms_table({}).find("no rooms"), std::string::npos);
}

TEST(TextLines, RefusalsTellStatusAndDisarmedReason) {
  EXPECT_EQ(error_line({ErrorKind::kRefused, "no\x1b", 404}), "the server refused (404): no^[");
  EXPECT_EQ(error_line({ErrorKind::kUnreachable, "gone", 0}), "gone");
}

TEST(Style, ColoursAreStableAndSpread) {
  const Style coloured(true);
  EXPECT_EQ(coloured.name("alice", "alice"), coloured.name("alice", "alice"));
  EXPECT_EQ(coloured.name("alice", "alice"), "\x1b[96malice\x1b[0m");
  std::set<std::string> colours;
  for (int i = 0; i < 200; ++i) colours.insert(coloured.name("user" + std::to_string(i), ""));
  EXPECT_GE(colours.size(), 8U);
}

TEST(Style, WithoutColourThereIsNoEscapeSequence) {
  EXPECT_EQ(kPlain.name("alice", "alice"), "alice");
  EXPECT_EQ(kPlain.quiet("x"), "x");
}

}  // namespace
}  // namespace chatd::client
