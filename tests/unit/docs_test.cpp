// What the documents say about the tests is true: each test that docs/threat-model.md names exists.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace chatd {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// The text up to `end`, and behind it what `rest` becomes; nothing if there is no `end`.
std::string_view take_until(std::string_view& rest, std::string_view end) {
  const std::size_t at = rest.find(end);
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + end.size());
  return taken;
}

bool is_identifier(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_';
  });
}

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
  return text;
}

// "Suite.Name" of every TEST, TEST_F, TEST_P and TYPED_TEST in tests/.
std::set<std::string> all_tests() {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(CHATD_SOURCE_DIR) / "tests")) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string source = read_file(entry.path());
    std::string_view rest = source;
    while (!rest.empty()) {
      take_until(rest, "TEST");
      std::string_view macro = rest;  // after its name: _F(Suite, Name)
      if (take_until(macro, "(").size() > 2) continue;
      const std::string_view suite = take_until(macro, ",");
      const std::string_view name = trimmed(take_until(macro, ")"));
      if (is_identifier(suite) && is_identifier(name)) {
        names.insert(std::string(suite).append(".").append(name));
      }
    }
  }
  return names;
}

// What stands between back-ticks and looks like "Suite.Name", not like a file or a call.
std::vector<std::string> tests_named_in(std::string_view page) {
  std::vector<std::string> named;
  while (!page.empty()) {
    take_until(page, "`");
    const std::string_view code = take_until(page, "`");
    const std::size_t dot = code.find('.');
    if (dot == std::string_view::npos || dot + 1 == code.size()) continue;
    const std::string_view suite = code.substr(0, dot);
    const std::string_view name = code.substr(dot + 1);
    const auto is_upper = [](char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; };
    if (is_identifier(suite) && is_identifier(name) && is_upper(suite[0]) && is_upper(name[0])) {
      named.emplace_back(code);
    }
  }
  return named;
}

TEST(Docs, TheThreatModelNamesTestsThatExist) {
  const std::set<std::string> tests = all_tests();
  const std::vector<std::string> named =
      tests_named_in(read_file(fs::path(CHATD_SOURCE_DIR) / "docs/threat-model.md"));
  EXPECT_GE(named.size(), 30u) << "the page has changed its form: nothing was checked";
  for (const std::string& name : named) EXPECT_TRUE(tests.contains(name)) << name;
}

}  // namespace
}  // namespace chatd
