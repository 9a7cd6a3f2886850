// What can be checked of the documents: links lead somewhere, files, functions and tests that they
// name exist, and lines are no wider than the code's.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
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
      tests_named_in(read_file(fs::path(CHATD_SOURCE_DIR) / "docs/internals/threat-model.md"));
  EXPECT_GE(named.size(), 30u) << "the page has changed its form: nothing was checked";
  for (const std::string& name : named) EXPECT_TRUE(tests.contains(name)) << name;
}

// Every Markdown file of the source tree; build/ and hidden folders are no part of it.
std::vector<fs::path> markdown_files() {
  std::vector<fs::path> files;
  fs::recursive_directory_iterator entry(CHATD_SOURCE_DIR);
  for (; entry != fs::recursive_directory_iterator(); ++entry) {
    const std::string name = entry->path().filename();
    if (entry->is_directory() && (name == "build" || name.starts_with('.'))) {
      entry.disable_recursion_pending();
    } else if (entry->path().extension() == ".md") {
      files.push_back(entry->path());
    }
  }
  return files;
}

constexpr std::array<std::string_view, 8> kFolders{"core/",  "server/", "client/", "bench/",
                                                   "tests/", "perf/",   "docs/",   "cmake/"};

// Every identifier in the sources of programs.
std::set<std::string> words_of_the_code() {
  std::set<std::string> words;
  for (const std::string_view folder : {"core", "server", "client", "bench"}) {
    for (const auto& entry :
         fs::recursive_directory_iterator(fs::path(CHATD_SOURCE_DIR) / folder)) {
      if (entry.path().extension() != ".cpp" && entry.path().extension() != ".h") continue;
      std::string word;
      for (const char c : read_file(entry.path()) + "\n") {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
          word += c;
        } else if (!word.empty()) {
          words.insert(std::move(word));
          word.clear();
        }
      }
    }
  }
  return words;
}

// The anchor that a heading has: lower case, blanks as hyphens, without punctuation.
std::string anchor_of(std::string_view heading) {
  std::string anchor;
  for (const char c : trimmed(heading)) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || byte >= 0x80 || c == '-' || c == '_') {
      anchor += static_cast<char>(std::tolower(byte));
    } else if (c == ' ') {
      anchor += '-';
    }
  }
  return anchor;
}

std::set<std::string> anchors_in(std::string_view page) {
  std::set<std::string> anchors;
  bool in_code = false;
  while (!page.empty()) {
    std::string_view line = take_until(page, "\n");
    if (line.starts_with("```")) in_code = !in_code;
    if (in_code || !line.starts_with('#')) continue;
    line.remove_prefix(std::min(line.find_first_not_of('#'), line.size()));
    anchors.insert(anchor_of(line));
  }
  return anchors;
}

// Where Markdown's links and the pictures in HTML lead to, but for other hosts.
std::vector<std::string> links_in(std::string_view page) {
  std::vector<std::string> links;
  for (const auto& [begin, end] :
       {std::pair("](", ")"), std::pair("src=\"", "\""), std::pair("srcset=\"", "\"")}) {
    std::string_view rest = page;
    for (take_until(rest, begin); !rest.empty(); take_until(rest, begin)) {
      const std::string_view link = take_until(rest, end);
      if (link.find("://") == std::string_view::npos) links.emplace_back(link);
    }
  }
  return links;
}

TEST(Docs, LinksLeadToFilesAndHeadingsThatExist) {
  std::size_t seen = 0;
  for (const fs::path& file : markdown_files()) {
    const std::string page = read_file(file);
    for (const std::string& link : links_in(page)) {
      const std::size_t hash = std::min(link.find('#'), link.size());
      const fs::path target = hash == 0 ? file : file.parent_path() / link.substr(0, hash);
      EXPECT_TRUE(fs::exists(target)) << file << ": " << link;
      if (hash < link.size()) {
        EXPECT_TRUE(anchors_in(read_file(target)).contains(link.substr(hash + 1)))
            << file << ": " << link;
      }
      ++seen;
    }
  }
  EXPECT_GE(seen, 100u) << "links have changed their form: nothing was checked";
}

// What stands between back-ticks on one line.
std::set<std::string> code_in(std::string_view page) {
  std::set<std::string> code;
  for (take_until(page, "`"); !page.empty(); take_until(page, "`")) {
    const std::string_view span = take_until(page, "`");
    if (!span.empty() && span.find('\n') == std::string_view::npos) code.emplace(span);
  }
  return code;
}

bool is_path_in_the_tree(std::string_view text) {
  const bool is_in_folder =
      std::any_of(kFolders.begin(), kFolders.end(),
                  [&](std::string_view each) { return text.starts_with(each); });
  const bool is_pattern = text.find_first_of(" *{…") != std::string_view::npos ||
                          text.find("NAME") != std::string_view::npos;
  return is_in_folder && !is_pattern;
}

TEST(Docs, FilesThatAreNamedExist) {
  std::size_t seen = 0;
  for (const fs::path& file : markdown_files()) {
    for (const std::string& code : code_in(read_file(file))) {
      if (!is_path_in_the_tree(code)) continue;
      EXPECT_TRUE(fs::exists(fs::path(CHATD_SOURCE_DIR) / code)) << file << ": " << code;
      ++seen;
    }
  }
  EXPECT_GE(seen, 100u) << "documents have changed their form: nothing was checked";
}

// A class and one of its members: Relay::on_datagram. Both words are looked for, not their meaning.
TEST(Docs, FunctionsThatAreNamedExist) {
  const std::set<std::string> words = words_of_the_code();
  std::size_t seen = 0;
  for (const fs::path& file : markdown_files()) {
    for (const std::string& code : code_in(read_file(file))) {
      const std::size_t colons = code.find("::");
      if (colons == std::string::npos) continue;
      const std::string scope = code.substr(0, colons);
      std::string member = code.substr(colons + 2);
      if (member.ends_with("()")) member.resize(member.size() - 2);
      if (!is_identifier(scope) || !is_identifier(member)) continue;
      EXPECT_TRUE(words.contains(scope) && words.contains(member)) << file << ": " << code;
      ++seen;
    }
  }
  EXPECT_GE(seen, 20u) << "documents have changed their form: nothing was checked";
}

// A word of the glossary that the code no longer uses is a word of nothing.
TEST(Docs, TheGlossaryHasTheWordsOfTheCode) {
  const std::set<std::string> words = words_of_the_code();
  std::size_t seen = 0;
  for (const std::string& code :
       code_in(read_file(fs::path(CHATD_SOURCE_DIR) / "docs/glossary.md"))) {
    if (!is_identifier(code)) continue;
    EXPECT_TRUE(words.contains(code)) << code;
    ++seen;
  }
  EXPECT_GE(seen, 50u) << "the page has changed its form: nothing was checked";
}

constexpr std::size_t kColumns = 100;

// Characters, not bytes: continuation bytes of UTF-8 do not count.
std::size_t columns_of(std::string_view line) {
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// The numbers of lines that are too wide. Tables and code cannot be broken; a line without a blank
// is one long address.
std::vector<std::size_t> wide_lines_in(std::string_view page) {
  std::vector<std::size_t> wide;
  bool in_code = false;
  for (std::size_t number = 1; !page.empty(); ++number) {
    const std::string_view line = take_until(page, "\n");
    const std::string_view text = trimmed(line);
    if (text.starts_with("```")) in_code = !in_code;
    const bool is_whole = in_code || text.starts_with('|') || line.starts_with("    ") ||
                          text.find(' ') == std::string_view::npos;
    if (!is_whole && columns_of(line) > kColumns) wide.push_back(number);
  }
  return wide;
}

TEST(Docs, WideLinesAreFound) {
  const std::string wide = std::string(50, 'a') + " " + std::string(50, 'a');
  const std::string umlauts = [] {
    std::string text = "a ";
    for (int i = 0; i < 98; ++i) text += "ä";
    return text;
  }();
  EXPECT_EQ(wide_lines_in("a\n" + wide + "\n"), std::vector<std::size_t>{2});
  EXPECT_EQ(wide_lines_in("- " + wide), std::vector<std::size_t>{1});
  EXPECT_TRUE(wide_lines_in(umlauts).empty());
  EXPECT_EQ(wide_lines_in(umlauts + "ä"), std::vector<std::size_t>{1});
  EXPECT_TRUE(
      wide_lines_in("| " + wide + " |\n    " + wide + "\n```\n" + wide + "\n```\n").empty());
  EXPECT_TRUE(wide_lines_in(std::string(101, 'a')).empty());
}

TEST(Docs, LinesAreNoWiderThanTheCodes) {
  for (const fs::path& file : markdown_files()) {
    for (const std::size_t number : wide_lines_in(read_file(file))) {
      ADD_FAILURE() << file.string() << ":" << number << " has more than " << kColumns
                    << " columns";
    }
  }
}

}  // namespace
}  // namespace chatd
