// All bans in one place, and the file of those that an operator has made.
#include "server/bans/ban_book.h"

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "server/bans/ban_file.h"
#include "server/bans/ban_text.h"
#include "server/os/wait.h"
#include "tests/support/temporary_folder.h"

namespace chatd {
namespace {

using Outcome = BanBook::Outcome;

BanTarget range(std::string_view text) {
  return AddressRange::parse(text).value();
}
BanTarget name(std::string text) {
  return text;
}
std::unique_ptr<BanBook> book_in(const std::string& directory, std::string_view left = "") {
  auto book = BanBook::open(directory, left);
  EXPECT_TRUE(book) << (book ? "" : book.error());
  return std::move(*book);
}
bool hits(const BanBook& book, std::string_view address, std::string_view username) {
  return book.list()->find(monotonic_now_ms(), IpAddress::parse(address).value(), username) !=
         nullptr;
}
std::string content_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(BanBooks, HaveWhatAnOperatorBansUntilItIsTakenBack) {
  const auto book = book_in("");
  EXPECT_EQ(book->ban({.target = name("mallory")}), Outcome::kDone);
  EXPECT_EQ(book->ban({.target = range("203.0.113.0/24")}), Outcome::kDone);
  EXPECT_TRUE(hits(*book, "198.51.100.1", "Mallory"));
  EXPECT_TRUE(hits(*book, "203.0.113.7", "alice"));
  EXPECT_EQ(book->size(monotonic_now_ms()), 2u);
  EXPECT_EQ(book->unban(name("MALLORY")), Outcome::kDone);
  EXPECT_EQ(book->unban(name("mallory")), Outcome::kNotBanned);
  EXPECT_EQ(book->unban(range("203.0.113.7")), Outcome::kNotBanned) << "it is in one, and is none";
  EXPECT_EQ(book->unban(range("203.0.113.7/24")), Outcome::kDone);
  EXPECT_TRUE(book->list()->is_empty());
}

TEST(BanBooks, ReplaceABanOfTheSameTarget) {
  const auto book = book_in("");
  book->ban({.target = name("mallory"), .reason = "first"});
  book->ban({.target = name("MALLORY"), .reason = "second"});
  const auto entries = book->entries(monotonic_now_ms());
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].ban.reason, "second");
}

TEST(BanBooks, TheConfigurationCountsMore) {
  const auto book = book_in("");
  book->ban(
      {.target = name("mallory"), .reason = "spam", .ends_at_ms = monotonic_now_ms() + 60'000});
  book->configure("203.0.113.0/24, 2001:db8::/32", "Mallory, eve");
  EXPECT_EQ(book->ban({.target = name("mallory")}), Outcome::kConfigured);
  EXPECT_EQ(book->unban(name("mallory")), Outcome::kConfigured);
  EXPECT_TRUE(hits(*book, "2001:db8::7", "alice"));
  const auto entries = book->entries(monotonic_now_ms());
  ASSERT_EQ(entries.size(), 4u);
  for (const auto& entry : entries) {
    EXPECT_TRUE(entry.is_configured);
    EXPECT_FALSE(entry.ban.ends_at_ms);
  }
  EXPECT_EQ(book->size(monotonic_now_ms()), 4u);
  // What an operator has banned is there again when the configuration leaves it.
  book->configure("none", "none");
  EXPECT_EQ(book->size(monotonic_now_ms()), 1u);
  EXPECT_TRUE(hits(*book, "198.51.100.1", "mallory"));
}

TEST(BanBooks, AreFullAtSomeTimeUntilBansAreOver) {
  std::vector<Ban> bans;
  for (std::size_t i = 0; i + 1 < kMaxBans; ++i)
    bans.push_back({.target = name(std::to_string(i))});
  const auto book = book_in("", bans_to_json(bans, BanClock::now()));
  EXPECT_EQ(book->ban({.target = name("over"), .ends_at_ms = 1}), Outcome::kDone);
  EXPECT_EQ(book->ban({.target = name("last")}), Outcome::kDone) << "the other one is over";
  EXPECT_EQ(book->ban({.target = name("one more")}), Outcome::kFull);
  EXPECT_EQ(book->ban({.target = name("last"), .reason = "replaced"}), Outcome::kDone);
  EXPECT_EQ(book->size(monotonic_now_ms()), kMaxBans);
}

TEST(BanBooks, AreKeptInTheDirectory) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() + "/bans.json";
  {
    const auto book = book_in(folder.path());
    EXPECT_EQ(book->why_not_kept(), "");
    book->configure("none", "eve");
    book->ban({.target = name("mallory"), .reason = "\"spam\""});
    book->ban({.target = range("203.0.113.7"), .ends_at_ms = monotonic_now_ms() + 3'600'000});
    EXPECT_NE(content_of(path).find("mallory"), std::string::npos);
    EXPECT_EQ(content_of(path).find("eve"), std::string::npos) << "that is the configuration's";
  }
  const auto next = book_in(folder.path());
  EXPECT_TRUE(hits(*next, "198.51.100.1", "mallory"));
  EXPECT_TRUE(hits(*next, "203.0.113.7", "alice"));
  next->unban(name("mallory"));
  EXPECT_FALSE(hits(*book_in(folder.path()), "198.51.100.1", "mallory"));
}

TEST(BanBooks, SayWhyTheyAreNotKept) {
  EXPECT_EQ(book_in("")->why_not_kept(), "chatd has no state directory ($STATE_DIRECTORY)");
  const test::TemporaryFolder folder;
  const auto book = book_in(folder.path() + "/missing");
  EXPECT_EQ(book->ban({.target = name("mallory")}), Outcome::kDone);
  EXPECT_TRUE(book->why_not_kept().starts_with("cannot write ")) << book->why_not_kept();
  EXPECT_TRUE(hits(*book, "198.51.100.1", "mallory"));
}

// What the process before has passed on is newer than the file.
TEST(BanBooks, GoOnFromAnotherProcess) {
  const test::TemporaryFolder folder;
  std::ofstream(folder.path() + "/bans.json") << R"({"bans":[{"name":"old","reason":""}]})";
  const auto book = book_in(folder.path(), R"({"bans":[{"name":"new","reason":""}]})");
  EXPECT_TRUE(hits(*book, "198.51.100.1", "new"));
  EXPECT_FALSE(hits(*book, "198.51.100.1", "old"));
}

TEST(BanBooks, DoNotOpenAFileThatIsDamaged) {
  const test::TemporaryFolder folder;
  for (const char* text :
       {"", "{", "[]", "{}", R"({"bans":{}})", R"({"bans":[7]})", R"({"bans":[{"name":"a"}]})",
        R"({"bans":[{"reason":""}]})", R"({"bans":[{"address":"0.0.0.0/0","reason":""}]})",
        R"({"bans":[{"name":"\n","reason":""}]})", R"({"bans":[{"name":"a","reason":"\u001b"}]})",
        R"({"bans":[{"name":"a","reason":"","ends_at_ms":"soon"}]})"}) {
    std::ofstream(folder.path() + "/bans.json") << text;
    const auto book = BanBook::open(folder.path(), "");
    ASSERT_FALSE(book) << text;
    EXPECT_TRUE(book.error().starts_with(folder.path() + "/bans.json: ")) << book.error();
    EXPECT_TRUE(book.error().ends_with("mend it, or remove it to begin without bans"));
  }
}

// The machine has been started anew: its clock counts from zero, and an hour has passed.
TEST(BanFiles, KeepEndsOverARestartOfTheMachine) {
  const BanClock before{.now_ms = 900'000'000, .unix_ms = 1'800'000'000'000};
  const BanClock after{.now_ms = 5'000, .unix_ms = before.unix_ms + 3'600'000};
  const std::string text =
      bans_to_json({{.target = name("long"), .ends_at_ms = before.now_ms + 3'601'000},
                    {.target = name("short"), .ends_at_ms = before.now_ms + 3'600'000},
                    {.target = name("over"), .ends_at_ms = before.now_ms},
                    {.target = name("good")}},
                   before);
  EXPECT_EQ(text.find("over"), std::string::npos);
  const auto bans = bans_from_json(text, after);
  ASSERT_TRUE(bans);
  ASSERT_EQ(bans->size(), 2u);
  EXPECT_EQ(to_text(bans->at(0).target), "long");
  EXPECT_EQ(bans->at(0).ends_at_ms, after.now_ms + 1'000);
  EXPECT_EQ(to_text(bans->at(1).target), "good");
  EXPECT_FALSE(bans->at(1).ends_at_ms);
}

TEST(BanTexts, AreListsWithCommas) {
  EXPECT_TRUE(parse_address_ranges("none")->empty());
  const auto ranges = parse_address_ranges("203.0.113.9/24 ,2001:db8::1,  ::ffff:1.2.3.4");
  ASSERT_TRUE(ranges);
  ASSERT_EQ(ranges->size(), 3u);
  EXPECT_EQ(to_text(ranges->at(0)), "203.0.113.0/24");
  EXPECT_EQ(to_text(ranges->at(1)), "2001:db8::1");
  EXPECT_EQ(to_text(ranges->at(2)), "1.2.3.4");
  EXPECT_EQ(parse_address_ranges("1.2.3.4,").error().substr(0, 4), "'': ");
  EXPECT_EQ(*parse_banned_names("mallory, the  cat"),
            (std::vector<std::string>{"mallory", "the  cat"}));
  EXPECT_FALSE(parse_banned_names(""));
  EXPECT_FALSE(parse_banned_names("a,,b"));
}

}  // namespace
}  // namespace chatd
