#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/control/ban_list.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using test::ip;

constexpr TimeMs kNowMs = 1'000;

Ban of_addresses(std::string_view range, std::string reason = "") {
  return {.target = AddressRange::parse(range).value(), .reason = std::move(reason)};
}

Ban of_name(std::string name, std::string reason = "") {
  return {.target = std::move(name), .reason = std::move(reason)};
}

// The reason of the ban that hits, or "-".
std::string hit(const BanList& bans, std::string_view address, std::string_view name,
                TimeMs now_ms = kNowMs) {
  const Ban* const ban = bans.find(now_ms, ip(address), name);
  return ban != nullptr ? ban->reason : "-";
}

TEST(BanLists, AreEmptyAtFirst) {
  const BanList nobody;
  EXPECT_TRUE(nobody.is_empty());
  EXPECT_EQ(hit(nobody, "203.0.113.7", "mallory"), "-");
}

TEST(BanLists, HitAnAddressOrAName) {
  const BanList bans({of_addresses("203.0.113.0/24", "net"), of_addresses("2001:db8::/32", "six"),
                      of_name("mallory", "name")});
  EXPECT_FALSE(bans.is_empty());
  EXPECT_EQ(hit(bans, "203.0.113.7", "alice"), "net");
  EXPECT_EQ(hit(bans, "203.0.112.7", "alice"), "-");
  EXPECT_EQ(hit(bans, "2001:db8:1::", "alice"), "six");
  EXPECT_EQ(hit(bans, "198.51.100.1", "mallory"), "name");
  EXPECT_EQ(hit(bans, "198.51.100.1", "mallor"), "-");
}

TEST(BanLists, NamesThatLookAlikeAreOne) {
  const BanList bans({of_name("Mallory", "spam")});
  for (const char* name : {"mallory", "MALLORY", " mallory ", "mal\u200blory", "ｍａｌｌｏｒｙ"}) {
    EXPECT_EQ(hit(bans, "198.51.100.1", name), "spam") << name;
  }
}

TEST(BanLists, TheNarrowestRangeTellsItsReason) {
  const BanList bans({of_addresses("203.0.113.7", "one"), of_addresses("203.0.0.0/16", "many"),
                      of_addresses("203.0.113.0/24", "some")});
  EXPECT_EQ(hit(bans, "203.0.113.7", "alice"), "one");
  EXPECT_EQ(hit(bans, "203.0.113.8", "alice"), "some");
  EXPECT_EQ(hit(bans, "203.0.114.8", "alice"), "many");
}

TEST(BanLists, TheLastOfATargetCounts) {
  const BanList bans({of_name("mallory", "first"), of_addresses("203.0.113.1/24", "old"),
                      of_name("MALLORY", "second"), of_addresses("203.0.113.2/24", "new")});
  EXPECT_EQ(hit(bans, "198.51.100.1", "mallory"), "second");
  EXPECT_EQ(hit(bans, "203.0.113.7", "alice"), "new");
}

TEST(BanLists, EndsAreKept) {
  Ban narrow = of_addresses("203.0.113.7", "one");
  narrow.ends_at_ms = 5'000;
  Ban name = of_name("mallory", "name");
  name.ends_at_ms = 6'000;
  const BanList bans({narrow, of_addresses("203.0.113.0/24", "net"), name});
  EXPECT_EQ(hit(bans, "203.0.113.7", "alice", 4'999), "one");
  EXPECT_EQ(hit(bans, "203.0.113.7", "alice", 5'000), "net") << "the other one goes on";
  EXPECT_EQ(hit(bans, "198.51.100.1", "mallory", 5'999), "name");
  EXPECT_EQ(hit(bans, "198.51.100.1", "mallory", 6'000), "-");
}

TEST(BanLists, HitLoopbackOnlyByItsName) {
  EXPECT_EQ(hit(BanList({of_addresses("::/16", "wide")}), "::1", "alice"), "-");
  EXPECT_EQ(hit(BanList({of_addresses("::/16", "wide")}), "127.0.0.1", "alice"), "-");
  EXPECT_EQ(hit(BanList({of_addresses("127.0.0.0/8", "here")}), "127.0.0.1", "alice"), "here");
}

// As many as there may be, of each length of prefix.
TEST(BanLists, FindEachOfMany) {
  std::vector<Ban> bans;
  for (std::size_t i = 0; i < kMaxBans / 2; ++i) {
    const std::string number = std::to_string(i);
    const std::string address =
        "10." + std::to_string(i >> 8) + "." + std::to_string(i & 0xff) + ".128";
    bans.push_back(of_addresses(address + "/" + std::to_string(25 + i % 8), number));
    bans.push_back(of_name("name" + number, number));
  }
  const BanList list(std::move(bans));
  for (std::size_t i = 0; i < kMaxBans / 2; ++i) {
    const std::string number = std::to_string(i);
    const std::string network = "10." + std::to_string(i >> 8) + "." + std::to_string(i & 0xff);
    EXPECT_EQ(hit(list, network + ".128", "alice"), number);
    EXPECT_EQ(hit(list, network + ".127", "alice"), "-");
    EXPECT_EQ(hit(list, "198.51.100.1", "Name" + number), number);
  }
}

TEST(BanReasons, AreShortAndSafe) {
  EXPECT_TRUE(is_valid_ban_reason(""));
  EXPECT_TRUE(is_valid_ban_reason("Werbung für «Pillen»"));
  EXPECT_TRUE(is_valid_ban_reason(std::string(kMaxBanReasonBytes, 'x')));
  EXPECT_FALSE(is_valid_ban_reason(std::string(kMaxBanReasonBytes + 1, 'x')));
  EXPECT_FALSE(is_valid_ban_reason("\x1b[2J"));
  EXPECT_FALSE(is_valid_ban_reason("two\nlines"));
  EXPECT_FALSE(is_valid_ban_reason("\xff"));
  EXPECT_EQ(ban_text(of_name("mallory", "spam")), "you are banned from this server: spam");
  EXPECT_EQ(ban_text(of_name("mallory")), "you are banned from this server");
}

}  // namespace
}  // namespace chatd
