// Each kind of value: what is read, how it is written, what is refused.
#include "server/config/value.h"

#include <gtest/gtest.h>

#include "server/config/table.h"

namespace chatd::config {
namespace {

tl::expected<Value, std::string> read(std::string_view name, std::string_view text) {
  return read_value(option_named(name).type, text);
}

std::uint64_t number(std::string_view name, std::string_view text) {
  const auto value = read(name, text);
  EXPECT_TRUE(value) << text << ": " << (value ? "" : value.error());
  return value ? value->number : 0;
}

std::string refusal(std::string_view name, std::string_view text) {
  const auto value = read(name, text);
  EXPECT_FALSE(value) << text;
  return value ? "" : value.error();
}

TEST(ConfigValue, Durations) {
  EXPECT_EQ(number("limits.idle_timeout", "500ms"), 500u);
  EXPECT_EQ(number("limits.idle_timeout", "300s"), 300'000u);
  EXPECT_EQ(number("limits.idle_timeout", "5 min"), 300'000u);
  EXPECT_EQ(number("limits.idle_timeout", "2m"), 120'000u);
  EXPECT_EQ(number("limits.idle_timeout", "1h"), 3'600'000u);
  EXPECT_EQ(number("limits.idle_timeout", "4294967295ms"), 4'294'967'295u);
  EXPECT_EQ(read("limits.idle_timeout", "5min")->text, "300s");
  EXPECT_EQ(read("limits.idle_timeout", "1500ms")->text, "1500ms");
  EXPECT_EQ(number("limits.idle_timeout", "5"), 5000u);
  EXPECT_EQ(number("limits.idle_timeout", "1.5s"), 1500u);
  for (const char* wrong : {"", "s", "ms", "0s", "-5s", "+5s", "5 parsecs", "1.5ms", "5S",
                            "4294967296ms", "99999999999999999999h", "18446744073709551615h"}) {
    EXPECT_EQ(
        refusal("limits.idle_timeout", wrong),
        "'" + std::string(wrong) +
            "' is not a duration: write a number and a unit, as in 500ms, 300s, 5min or 1h (49 "
            "days at most)");
  }
}

TEST(ConfigValue, Sizes) {
  EXPECT_EQ(number("data_plane.send_buffer", "4096"), 4096u);
  EXPECT_EQ(number("data_plane.send_buffer", "5000b"), 5000u);
  EXPECT_EQ(number("data_plane.send_buffer", "64k"), 65'536u);
  EXPECT_EQ(number("data_plane.send_buffer", "64 KB"), 65'536u);
  EXPECT_EQ(number("data_plane.send_buffer", "4MiB"), 4u << 20);
  EXPECT_EQ(number("data_plane.send_buffer", "1g"), 1u << 30);
  EXPECT_EQ(read("data_plane.send_buffer", "4096kib")->text, "4MiB");
  EXPECT_EQ(read("data_plane.send_buffer", "5000")->text, "5000B");
  for (const char* wrong : {"", "MiB", "-4MiB", "4095", "2GiB", "4XiB", "17179869185GiB"}) {
    EXPECT_EQ(refusal("data_plane.send_buffer", wrong),
              "'" + std::string(wrong) +
                  "' is not a size from 4KiB to 1GiB: write a number and a unit, as in 512KiB or "
                  "4MiB");
  }
}

TEST(ConfigValue, NumbersHaveARange) {
  EXPECT_EQ(number("network.tcp_port", "0"), 0u);
  EXPECT_EQ(number("network.tcp_port", "65535"), 65'535u);
  EXPECT_EQ(number("limits.max_rooms", "10000000"), 10'000'000u);
  EXPECT_EQ(refusal("network.tcp_port", "65536"), "'65536' is not a number from 0 to 65535");
  EXPECT_EQ(refusal("limits.max_rooms", "0"), "'0' is not a number from 1 to 10000000");
  EXPECT_EQ(refusal("limits.max_rooms", "-3"), "'-3' is not a number from 1 to 10000000");
  EXPECT_EQ(refusal("limits.max_rooms", "many"), "'many' is not a number from 1 to 10000000");
  EXPECT_EQ(refusal("limits.max_rooms", "7x"), "'7x' is not a number from 1 to 10000000");
}

TEST(ConfigValue, Words) {
  EXPECT_EQ(number("data_plane.gso", "off"), 0u);
  EXPECT_EQ(number("data_plane.gso", "auto"), 1u);
  EXPECT_EQ(number("limits.roaming", "same-ip"), 1u);
  EXPECT_EQ(read("log.level", "warn")->text, "warn");
  EXPECT_EQ(refusal("data_plane.gso", "on"), "'on' is not one of off or auto");
  EXPECT_EQ(refusal("log.level", "loud"),
            "'loud' is not one of trace, debug, info, warn, error, critical or off");
  EXPECT_EQ(refusal("abuse.limit_loopback", "yes"), "'yes' is not one of false or true");
}

TEST(ConfigValue, ShardsAreANumberOrAuto) {
  EXPECT_EQ(number("data_plane.shards", "256"), 256u);
  EXPECT_GE(number("data_plane.shards", "auto"), 1u);
  EXPECT_EQ(read("data_plane.shards", "auto")->text, "auto");
  EXPECT_EQ(refusal("data_plane.shards", "0"), "'0' is neither auto nor a number from 1 to 256");
  EXPECT_EQ(refusal("data_plane.shards", "257"),
            "'257' is neither auto nor a number from 1 to 256");
}

TEST(ConfigValue, ListsAreWrittenAsTheyCount) {
  EXPECT_EQ(read("bans.addresses", "203.0.113.9/24,  2001:DB8::1")->text,
            "203.0.113.0/24, 2001:db8::1");
  EXPECT_EQ(read("bans.addresses", "none")->text, "none");
  EXPECT_EQ(read("bans.names", " Mallory ,the cat")->text, "Mallory, the cat");
  EXPECT_EQ(split_list("Mallory, the cat"), (std::vector<std::string>{"Mallory", "the cat"}));
  EXPECT_TRUE(split_list("none").empty());
  EXPECT_TRUE(refusal("bans.addresses", "1.2.3.4, 10.0.0.0/4")
                  .starts_with("'10.0.0.0/4': the prefix is too short"));
  EXPECT_TRUE(refusal("bans.addresses", "").starts_with("'': this is no address"));
  EXPECT_EQ(refusal("bans.names", "a,,b"), "'': nobody can have this name: leave it out");
}

TEST(ConfigValue, TextIsPrintable) {
  EXPECT_EQ(read("network.host", "not an address")->text, "not an address");
  EXPECT_EQ(refusal("network.host", ""), "'' is empty, or has more than printable ASCII");
  EXPECT_EQ(refusal("network.host", "a\nb"), "'a?b' is empty, or has more than printable ASCII");
}

TEST(ConfigValue, EveryDefaultReadsAsItself) {
  for (const OptionSpec& option : all_options()) {
    SCOPED_TRACE(option.toml_name());
    const auto value = read_value(option.type, option.default_text());
    ASSERT_TRUE(value) << value.error();
    EXPECT_EQ(value->text, option.default_text());
  }
}

}  // namespace
}  // namespace chatd::config
