// The documents say what the table says.
#include "server/config/reference.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/unit/server/config/config_kit.h"

namespace chatd::config {
namespace {

std::string document(const char* name) {
  std::ostringstream text;
  text << std::ifstream(std::string(CHATD_SOURCE_DIR "/docs/") + name).rdbuf();
  return text.str();
}

constexpr const char* kRemedy = " is not what server/config/table.cpp says: run ./dev docs";

TEST(ConfigReference, TheExampleFileIsWhatTheTableSays) {
  EXPECT_TRUE(document("examples/chatd.toml") == example_file())
      << "docs/examples/chatd.toml" << kRemedy;
}

TEST(ConfigReference, TheManualPageIsWhatTheTableSays) {
  const std::string page = document("reference/man/chatd.8");
  const auto fresh = between_markers(page, "options", manual_options());
  ASSERT_TRUE(fresh) << "docs/reference/man/chatd.8: " << fresh.error();
  EXPECT_TRUE(page == *fresh) << "docs/reference/man/chatd.8" << kRemedy;
}

TEST(ConfigReference, TheOptionsPageIsWhatTheTableSays) {
  const std::string page = document("reference/options.md");
  const auto fresh = between_markers(page, "options", options_table());
  ASSERT_TRUE(fresh) << "docs/reference/options.md: " << fresh.error();
  EXPECT_TRUE(page == *fresh) << "docs/reference/options.md" << kRemedy;
}

TEST(ConfigReference, CompletionsUnitsAndTheFuzzersDictionaryAreWhatTheTableSays) {
  const auto check = [](const char* file, const char* name, const std::string& text) {
    const std::string whole = document(file);
    const auto fresh = between_markers(whole, name, text);
    ASSERT_TRUE(fresh) << file << ": " << fresh.error();
    EXPECT_TRUE(whole == *fresh) << file << kRemedy;
  };
  check("../cmake/package/completions/chatd.bash", "values", bash_values());
  check("../cmake/package/completions/_chatd", "values", zsh_values());
  check("../server/systemd/chatd.sysctl", "buffers", kernel_buffer_limits());
  check("../server/systemd/chatd.socket", "buffers", socket_unit_buffers());
  check("../tests/fuzz/dictionaries/config_file.dict", "options", fuzzer_words());
}

TEST(ConfigReference, TheExampleIsSoundWithAndWithoutItsComments) {
  EXPECT_EQ(errors_in(example_file()), Errors{});
  std::istringstream lines(example_file());
  std::string all;
  for (std::string line; std::getline(lines, line);) {
    const bool is_option = line.starts_with('#') && !line.starts_with("# ") && line != "#";
    all.append(is_option ? line.substr(1) : line).append("\n");
  }
  Errors errors;
  EXPECT_EQ(read_toml(all, "chatd.toml", errors).size(), all_options().size());
  EXPECT_EQ(errors, Errors{});
}

TEST(ConfigReference, MissingMarkersAreNamed) {
  EXPECT_EQ(between_markers("a\n# x: begin\nold\n# x: end\nb\n", "x", "new\n").value(),
            "a\n# x: begin\nnew\n# x: end\nb\n");
  EXPECT_EQ(between_markers("a\n", "options", "new\n").error(), "no 'options: begin'");
  EXPECT_EQ(between_markers("# options: begin\n", "options", "new\n").error(),
            "no line 'options: end' below 'options: begin'");
}

}  // namespace
}  // namespace chatd::config
