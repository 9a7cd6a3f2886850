// File, environment and flags together: which one counts, what `--rate-limits off` means, what is
// printed, and what a second loading finds changed.
#include <string>
#include <type_traits>
#include <variant>

#include "server/config/configuration.h"
#include "tests/unit/server/config/config_kit.h"

namespace chatd::config {
namespace {

TEST(Configuration, WithoutAnythingItIsTheDefaults) {
  const auto loaded = load_from({});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->command_line.task, Task::kServe);
  ASSERT_EQ(loaded->settings.size(), all_options().size());
  for (const Setting& setting : loaded->settings) {
    EXPECT_EQ(setting.text, setting.option->default_text());
    EXPECT_EQ(to_text(setting.source), "default");
  }
}

TEST(Configuration, FlagsOverEnvironmentOverFile) {
  const TemporaryFile file("[limits]\nmax_rooms = 1\nmax_members = 1\nmax_connections = 1\n");
  const auto loaded = load_from({"--config", file.path(), "--max-rooms", "3"},
                                {"CHATD_MAX_ROOMS=2", "CHATD_MAX_MEMBERS=2", "HOME=/"});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->options.limits.max_rooms, 3u);
  EXPECT_EQ(loaded->options.limits.max_members, 2u);
  EXPECT_EQ(loaded->options.limits.max_connections, 1u);
  EXPECT_EQ(to_text(setting_of(*loaded, "limits.max_rooms").source), "flag --max-rooms");
  EXPECT_EQ(to_text(setting_of(*loaded, "limits.max_members").source),
            "environment CHATD_MAX_MEMBERS");
  EXPECT_EQ(to_text(setting_of(*loaded, "limits.max_connections").source),
            "file " + file.path() + ":4");
}

TEST(Configuration, TheEnvironmentMayNameTheFileAndTheFlagAnother) {
  const TemporaryFile one("[limits]\nmax_rooms = 1");
  const TemporaryFile two("[limits]\nmax_rooms = 2");
  const std::string variable = "CHATD_CONFIG=" + one.path();
  EXPECT_EQ(options_of({}, {variable}).limits.max_rooms, 1u);
  EXPECT_EQ(options_of({"--config", two.path()}, {variable}).limits.max_rooms, 2u);
}

TEST(Configuration, EveryOptionComesFromEverySource) {
  for (const OptionSpec& option : all_options()) {
    SCOPED_TRACE(option.toml_name());
    const bool is_number = option.type.kind == ValueType::Kind::kNumber;
    std::string other = is_number ? std::to_string(option.type.lowest + 2) : "";
    if (option.type.kind == ValueType::Kind::kText) other = "::1";
    if (option.type.kind == ValueType::Kind::kSize) other = "8KiB";
    if (option.type.kind == ValueType::Kind::kDuration) other = "7s";
    if (option.type.kind == ValueType::Kind::kShards) other = "3";
    if (option.type.kind == ValueType::Kind::kTlsPort) other = "off";
    if (option.type.kind == ValueType::Kind::kAddresses) other = "203.0.113.0/24, ::1";
    if (option.type.kind == ValueType::Kind::kNames) other = "mallory, «eve»";
    if (option.type.kind == ValueType::Kind::kAdmin) other = "unix:/run/chatd/admin.sock";
    for (const std::string& word : option.type.words) {
      if (word != option.default_text()) other = word;
    }
    ASSERT_NE(other, option.default_text());
    const TemporaryFile file(std::string("[") + option.section->name + "]\n" + option.key + " = " +
                             toml_text(option, other));
    for (const auto& loaded : {load_from({option.flag() + "=" + other}),
                               load_from({}, {option.environment() + "=" + other}),
                               load_from({"--config", file.path()})}) {
      ASSERT_TRUE(loaded) << testing::PrintToString(loaded.error());
      EXPECT_EQ(setting_of(*loaded, option.toml_name()).text, other);
      EXPECT_EQ(text_of(option, loaded->options), other);
    }
  }
}

TEST(Configuration, AllErrorsOfAllSourcesAtOnce) {
  const TemporaryFile file("[limits]\nmax_rooms = 0");
  EXPECT_EQ(
      errors_of({"--config", file.path(), "--tcp-port", "x"},
                {"CHATD_MAX_ROMS=1", "CHATD_MTU=1", "CHATD_SERVICE=1", "CHATD_TEST_ANYTHING=1"}),
      (Errors{
          "--tcp-port: 'x' is not a number from 0 to 65535",
          "CHATD_MAX_ROMS: no such option (did you mean CHATD_MAX_ROOMS?); unset it, chatd "
          "--help names all options",
          "CHATD_MTU: '1' is not a number from 576 to 65536",
          "CHATD_SERVICE: no such option; unset it, chatd --help names all options",
          file.path() + ":2:13: limits.max_rooms: '0' is not a number from 1 to 10000000",
      }));
}

// As a pod has them in which services of these names can be seen.
TEST(Configuration, VariablesOfKubernetesAreToldApart) {
  const std::string advice =
      ": Kubernetes sets this for a service whose name begins with chatd, and it looks like an "
      "option: write enableServiceLinks: false into the pod's spec, or give the service another "
      "name";
  EXPECT_EQ(
      errors_of({}, {"CHATD_SERVICE_HOST=10.0.0.1", "CHATD_SERVICE_PORT=8000",
                     "CHATD_SERVICE_PORT_CONTROL=8000", "CHATD_PORT=tcp://10.0.0.1:8000",
                     "CHATD_PORT_8000_TCP=tcp://10.0.0.1:8000", "CHATD_PORT_8000_TCP_PROTO=tcp",
                     "CHATD_PORT_8000_TCP_PORT=8000", "CHATD_PORT_8000_TCP_ADDR=10.0.0.1"}),
      Errors{"CHATD_SERVICE_HOST and 7 more" + advice});
  EXPECT_EQ(errors_of({}, {"CHATD_TCP_PORT=tcp://10.0.0.1:8000"}),
            Errors{"CHATD_TCP_PORT" + advice});
  EXPECT_EQ(options_of({}, {"CHATD_TCP_PORT=8001"}).tcp_port, 8001);
}

// A wrong value is an error even where another source goes before it.
TEST(Configuration, WhatIsOverriddenMustStillBeSound) {
  EXPECT_EQ(errors_of({"--mtu", "1500"}, {"CHATD_MTU=1"}),
            Errors{"CHATD_MTU: '1' is not a number from 576 to 65536"});
}

TEST(Configuration, LimitsOffKeepsWhatAnySourceGives) {
  const TemporaryFile file("[abuse]\nmax_member_messages = 1\nmax_member_bytes = 500\n");
  const TemporaryFile off("[abuse]\nrate_limits = \"off\"\nmax_member_messages = 1\n");
  const auto check = [](const Options& options) {
    const AbuseLimits& abuse = options.limits.abuse;
    EXPECT_EQ(abuse.max_member_messages_per_s, 1u);
    EXPECT_EQ(abuse.max_address_rooms, 3u);
    EXPECT_EQ(abuse.max_room_notices_per_s, 50u) << "given, though it is the default";
    EXPECT_EQ(abuse.max_address_connections, 0u);
    EXPECT_EQ(abuse.max_address_requests_per_s, 0u);
    EXPECT_EQ(abuse.max_password_attempts_per_min, 0u);
    EXPECT_TRUE(abuse.limit_loopback);
    EXPECT_EQ(options.limits.max_source_answers_per_s, 1u) << "is none of the section";
  };
  const Words flags{"--max-address-rooms", "3", "--limit-loopback"};
  const std::string notices = "CHATD_MAX_ROOM_NOTICES=50";
  const auto with = [&](Words more) {
    more.insert(more.end(), flags.begin(), flags.end());
    return more;
  };
  check(options_of(with({"--config", file.path(), "--rate-limits", "off"}), {notices}));
  check(options_of(with({"--config", file.path()}), {notices, "CHATD_RATE_LIMITS=off"}));
  check(options_of(with({"--config", off.path()}), {notices}));
  EXPECT_EQ(
      options_of({"--config", off.path(), "--rate-limits", "on"}).limits.abuse.max_address_rooms,
      100u);
}

// Every option's text: the printed configuration is the same as the loaded one.
void expect_same_after_printing(const Configuration& configuration) {
  const TemporaryFile file(print(configuration));
  const auto again = load_from({"--config", file.path()});
  ASSERT_TRUE(again) << again.error().at(0);
  for (const Difference& each : differences(configuration, *again)) {
    ADD_FAILURE() << each.option->toml_name() << ": " << each.old_text << ", then "
                  << each.new_text;
  }
  for (const OptionSpec& option : all_options()) {
    EXPECT_EQ(text_of(option, configuration.options), text_of(option, again->options));
  }
}

TEST(Configuration, WhatIsPrintedLoadsToTheSame) {
  const TemporaryFile file("[data_plane]\nreceive_buffer = \"5000\"\n[limits]\nmax_rooms = 6\n");
  for (const auto& loaded :
       {load_from({}), load_from({"--rate-limits", "off", "--max-member-bytes", "5"}),
        load_from({"--shards", "auto", "--host", R"(a "quoted" \ host)", "--limit-loopback",
                   "--idle-timeout", "1500ms", "--gso", "off", "--banned-names", R"(a "b" \ c, d)",
                   "--config", file.path()},
                  {"CHATD_LOG_LEVEL=off", "CHATD_ROAMING=same-ip"})}) {
    ASSERT_TRUE(loaded);
    expect_same_after_printing(*loaded);
  }
}

TEST(Configuration, PrintsWhereEachValueComesFrom) {
  const TemporaryFile file("[limits]\nmax_rooms = 6\n");
  const auto loaded =
      load_from({"--config", file.path(), "--idle-timeout", "5min"}, {"CHATD_HOST=::"});
  ASSERT_TRUE(loaded);
  const std::string text = print(*loaded);
  for (const std::string& line :
       {std::string("[limits]"), std::string("tcp_port = 8000  # default"),
        "max_rooms = 6  # file " + file.path() + ":2",
        std::string("idle_timeout = \"300s\"  # flag --idle-timeout"),
        std::string("host = \"::\"  # environment CHATD_HOST")}) {
    EXPECT_NE(text.find("\n" + line + "\n"), std::string::npos) << line << "\n" << text;
  }
}

TEST(Configuration, DifferencesSayWhatNeedsARestart) {
  const auto before = load_from({"--max-rooms", "5"});
  const auto after =
      load_from({"--max-rooms", "6", "--idle-timeout", "5s", "--rate-limits", "off"});
  ASSERT_TRUE(before && after);
  EXPECT_TRUE(differences(*before, *before).empty());
  std::vector<std::string> found;
  for (const Difference& each : differences(*before, *after)) {
    found.push_back(each.option->toml_name() + " " + each.old_text + " " + each.new_text +
                    (each.needs_restart() ? " restart" : ""));
  }
  EXPECT_EQ(found, (std::vector<std::string>{
                       "limits.idle_timeout 300s 5s", "limits.max_rooms 5 6 restart",
                       "abuse.rate_limits on off", "abuse.max_member_messages 500 0",
                       "abuse.max_member_bytes 16777216 0", "abuse.max_room_notices 50 0",
                       "abuse.max_address_rooms 100 0", "abuse.max_address_connections 100 0",
                       "abuse.max_address_requests 50 0", "abuse.max_password_attempts 10 0"}));
}

// The relay keeps its sizes (Limits::with_sizes_of), and the table takes them for what needs a
// restart.
TEST(Configuration, SizesNeedARestartAndOtherLimitsDoNot) {
  for (const char* name : {"limits.max_rooms", "limits.max_members", "limits.max_room_members",
                           "limits.max_connections", "limits.max_frame_bytes"}) {
    EXPECT_TRUE(option_named(name).needs_restart) << name;
  }
  for (const char* name : {"limits.idle_timeout", "limits.roaming", "abuse.rate_limits"}) {
    EXPECT_FALSE(option_named(name).needs_restart) << name;
  }
}

// [abuse] limits was taken for the table [limits], and --limits for all that it has.
TEST(Configuration, AnOldNameGoesOnWithAWarning) {
  const TemporaryFile file("[abuse]\nlimits = \"off\"\n");
  const auto check = [](const Words& flags, const Words& environment, const std::string& advice) {
    const auto loaded = load_from(flags, environment);
    ASSERT_TRUE(loaded) << loaded.error().at(0);
    EXPECT_FALSE(loaded->options.has_abuse_limits) << advice;
    EXPECT_EQ(loaded->deprecations, Words{advice});
    EXPECT_EQ(warnings(*loaded), Words{advice});
  };
  check({"--limits", "off"}, {}, "--limits is deprecated: write --rate-limits");
  check({}, {"CHATD_LIMITS=off"}, "CHATD_LIMITS is deprecated: write CHATD_RATE_LIMITS");
  check({"--config", file.path()}, {},
        file.path() + ":2: abuse.limits is deprecated: write abuse.rate_limits");
  EXPECT_EQ(errors_of({"--limits", "of"}), Errors{"--limits: 'of' is not one of off or on"});
}

TEST(Configuration, TheNewNameCountsMoreThanTheOldOne) {
  const TemporaryFile file("[abuse]\nrate_limits = \"off\"\nlimits = \"on\"\n");
  for (const auto& loaded : {load_from({"--rate-limits", "off", "--limits", "on"}),
                             load_from({}, {"CHATD_RATE_LIMITS=off", "CHATD_LIMITS=on"}),
                             load_from({"--config", file.path()})}) {
    ASSERT_TRUE(loaded);
    EXPECT_FALSE(loaded->options.has_abuse_limits);
    EXPECT_EQ(loaded->deprecations.size(), 1u);
    EXPECT_TRUE(setting_of(*loaded, "abuse.rate_limits").source.deprecation.empty());
  }
}

}  // namespace
}  // namespace chatd::config
