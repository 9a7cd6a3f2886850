// Flags: what is refused, and what the help text says.
#include "server/config/sources.h"

#include "tests/unit/server/config/config_kit.h"

namespace chatd::config {
namespace {

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool is_refused_by_name(const Words& flags) {
  const Errors errors = errors_of(flags);
  return errors.size() == 1 && says(errors.front(), flags.front());
}

TEST(CommandLine, AllErrorsAtOnce) {
  EXPECT_EQ(
      errors_of({"--tcp-port", "70000", "--max-roms", "5", "misrouted", "--idle-timeout=soon"}),
      (Errors{
          "--max-roms: no such flag (did you mean --max-rooms?); chatd --help names all "
          "flags",
          "'misrouted' belongs to no flag: chatd takes only flags",
          "--tcp-port: '70000' is not a number from 0 to 65535",
          "--idle-timeout: 'soon' is not a duration: write a number and a unit, as in 500ms, "
          "300s, 5min or 1h (49 days at most)",
      }));
}

TEST(CommandLine, AFlagWithoutItsValueIsRefused) {
  EXPECT_TRUE(is_refused_by_name({"--tcp-port"}));
}

TEST(CommandLine, AFlagGivenTwiceIsRefused) {
  EXPECT_TRUE(is_refused_by_name({"--tcp-port", "1", "--tcp-port", "2"}));
}

TEST(CommandLine, TheHelpTextNamesEveryOptionAndItsDefault) {
  const std::string help = help_text();
  for (const OptionSpec& option : all_options()) {
    EXPECT_TRUE(says(help, option.flag())) << option.flag();
    EXPECT_TRUE(says(help, option.section->title)) << option.flag();
    if (option.type.kind == ValueType::Kind::kBool) continue;
    const std::string shown =
        option.flag() + " " + option.type.placeholder + "=" + option.default_text();
    EXPECT_TRUE(says(help, shown)) << shown;
  }
}

TEST(CommandLine, HelpAndVersionReadNothingElse) {
  const auto help = load_from({"--help", "--config", "/no/such/file"}, {"CHATD_NONSENSE=1"});
  ASSERT_TRUE(help);
  EXPECT_EQ(help->command_line.task, Task::kTell);
  EXPECT_EQ(help->command_line.text, help_text());
  const auto version = load_from({"--version"});
  ASSERT_TRUE(version);
  EXPECT_TRUE(version->command_line.text.starts_with("chatd ")) << version->command_line.text;
}

}  // namespace
}  // namespace chatd::config
