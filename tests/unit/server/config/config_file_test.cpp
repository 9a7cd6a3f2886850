// The configuration file: what it takes, and each error with its place.
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/server/config/config_kit.h"

namespace chatd::config {
namespace {

TEST(ConfigFile, SetsEveryKind) {
  const TemporaryFile file(R"(
[network]
host = "::1"
tcp_port = 1
[data_plane]
gso = "off"
receive_buffer = "64KiB"
shards = 2
[limits]
idle_timeout = "5s"
max_rooms = 7
roaming = "same-ip"
[abuse]
limit_loopback = true
max_member_bytes = 9
[bans]
addresses = ["203.0.113.9/24", "::1"]
names = []
[log]
level = "debug"
)");
  const Options options = options_of({"--config", file.path()});
  EXPECT_EQ(options.host, "::1");
  EXPECT_EQ(options.tcp_port, 1);
  EXPECT_FALSE(options.gso);
  EXPECT_EQ(options.receive_buffer_bytes, 65'536u);
  EXPECT_EQ(options.shards, 2u);
  EXPECT_EQ(options.limits.idle_timeout_ms, 5000u);
  EXPECT_EQ(options.limits.max_rooms, 7u);
  EXPECT_TRUE(options.limits.roaming_same_ip);
  EXPECT_TRUE(options.limits.abuse.limit_loopback);
  EXPECT_EQ(options.limits.abuse.max_member_bytes_per_s, 9u);
  EXPECT_EQ(options.banned_addresses, "203.0.113.0/24, ::1");
  EXPECT_EQ(options.banned_names, "none");
  EXPECT_EQ(options.log_level, "debug");
}

TEST(ConfigFile, AListMayBeAStringWithCommas) {
  const TemporaryFile file("[bans]\nnames = \"mallory,eve\"\n");
  EXPECT_EQ(options_of({"--config", file.path()}).banned_names, "mallory, eve");
}

TEST(ConfigFile, ShardsMayBeAuto) {
  EXPECT_EQ(errors_in("[data_plane]\nshards = \"auto\""), Errors{});
}

TEST(ConfigFile, AllErrorsAtOnceInTheOrderOfTheFile) {
  EXPECT_EQ(errors_in(R"(max_rooms = 3
[limits]
max_rooms = -3
max_room = 4
  idle_timeout = 300
mtu = 1280
[lmits]
a = 1
[abuse]
rate_limits = "of"
limit_loopback = "true"
max_member_messages = 5.5
)"),
            (Errors{
                "chatd.toml:1:1: max_rooms: stands outside of its table: write it below [limits]",
                "chatd.toml:3:13: limits.max_rooms: '-3' is not a number from 1 to 10000000",
                "chatd.toml:4:1: no such key in [limits]: max_room (did you mean max_rooms?)",
                "chatd.toml:5:18: limits.idle_timeout: is an integer, but must be a string with a "
                "unit, as in \"300s\"",
                "chatd.toml:6:1: no such key in [limits]: mtu (it belongs in [data_plane])",
                "chatd.toml:7:2: no such table: lmits (did you mean limits?)",
                "chatd.toml:10:15: abuse.rate_limits: 'of' is not one of off or on",
                "chatd.toml:11:18: abuse.limit_loopback: is a string, but must be true or false, "
                "without quotes",
                "chatd.toml:12:23: abuse.max_member_messages: is a number with a fraction, but "
                "must be an integer, as in 100",
            }));
}

// [limits] is a table, and nothing else has its name.
TEST(ConfigFile, AnOptionOutsideOfItsTableIsToldWhereItBelongs) {
  EXPECT_EQ(errors_in("rate_limits = \"off\"").at(0),
            "chatd.toml:1:1: rate_limits: stands outside of its table: write it below [abuse]");
  EXPECT_EQ(errors_in("limits = \"off\"").at(0),
            "chatd.toml:1:1: limits: is a string, but must be a table: write [limits]");
}

TEST(ConfigFile, AnOldNameWorksAndIsNamedInErrors) {
  EXPECT_EQ(errors_in("[abuse]\nlimits = \"off\""), Errors{});
  EXPECT_EQ(errors_in("[abuse]\nlimits = \"of\""),
            Errors{"chatd.toml:2:10: abuse.limits: 'of' is not one of off or on"});
}

TEST(ConfigFile, WrongTypesAreNamed) {
  const auto error = [](const char* content) { return errors_in(content).at(0); };
  EXPECT_EQ(error("network = 5"),
            "chatd.toml:1:1: network: is an integer, but must be a table: "
            "write [network]");
  EXPECT_EQ(error("[network]\nhost = [\"a\"]"),
            "chatd.toml:2:8: network.host: is an array, but must be a string in quotes");
  EXPECT_EQ(error("[network]\ntcp_port = \"80\""),
            "chatd.toml:2:12: network.tcp_port: is a string, but must be an integer, as in 100");
  EXPECT_EQ(error("[network.tcp_port]"),
            "chatd.toml:1:1: network.tcp_port: is a table, but must be an integer, as in 100");
  EXPECT_EQ(error("[data_plane]\nsend_buffer = 4096"),
            "chatd.toml:2:15: data_plane.send_buffer: is an integer, but must be a string with a "
            "unit, as in \"4MiB\"");
  EXPECT_EQ(error("[data_plane]\nshards = true"),
            "chatd.toml:2:10: data_plane.shards: is a boolean, but must be an integer, or "
            "\"auto\"");
  for (const char* list : {"[1]", "[\"a,b\"]", "[\"none\"]"}) {
    EXPECT_EQ(error((std::string("[bans]\nnames = ") + list).c_str()),
              "chatd.toml:2:9: bans.names: is an array, but must be an array of strings without "
              "commas, as in [\"a\", \"b\"]");
  }
  EXPECT_EQ(error("[bans]\naddresses = [\"1.2.3\"]").substr(0, 42),
            "chatd.toml:2:13: bans.addresses: '1.2.3': ");
  EXPECT_EQ(error("[log]\nlevel = 2026-01-01"),
            "chatd.toml:2:9: log.level: is a date or time, but must be a string in quotes");
}

TEST(ConfigFile, SyntaxErrorsHaveAPlace) {
  const Errors errors = errors_in("[limits]\nmax_rooms = \n");
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_TRUE(errors[0].starts_with("chatd.toml:2:13: this is not TOML: ")) << errors[0];
  EXPECT_TRUE(
      errors_in("[limits]\nmax_rooms = 1\nmax_rooms = 2").at(0).starts_with("chatd.toml:3:"));
}

// toml++ asserts here that it cannot be, and only then looks.
TEST(ConfigFile, ABadTableNameIsASyntaxError) {
  EXPECT_EQ(errors_in("[!a]"),
            Errors{"chatd.toml:1:2: this is not TOML: Error while parsing key: expected bare key "
                   "starting character or string delimiter, saw '!'"});
}

TEST(ConfigFile, UnreadableFilesAreExplained) {
  EXPECT_EQ(errors_of({"--config", "/no/such/file"}),
            Errors{"/no/such/file: the configuration file cannot be opened: No such file or "
                   "directory"});
  EXPECT_EQ(errors_of({"--config", "/"}),
            Errors{"/: the configuration file cannot be read: Is a directory"});
  EXPECT_EQ(errors_of({"--config", "/dev/zero"}),
            Errors{"/dev/zero: longer than 1 MiB: this is not a configuration file"});
  EXPECT_EQ(options_of({"--config", "/dev/null"}).tcp_port, Options{}.tcp_port);
}

// Nobody writes into it, and a chatd that serves would wait for ever.
TEST(ConfigFile, APipeIsRefusedAtOnce) {
  const TemporaryFile file("");
  const std::string pipe = file.path();
  ASSERT_EQ(::unlink(pipe.c_str()), 0);
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(
      errors_of({"--config", pipe}),
      Errors{pipe + ": this is a pipe or a socket, and chatd reads its configuration more than "
                    "once: write it into a file"});
}

}  // namespace
}  // namespace chatd::config
