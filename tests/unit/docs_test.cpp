// What the documents say about the tests is true: each test that docs/threat-model.md names exists.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace chatd {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// "Suite.Name" of every TEST, TEST_F, TEST_P and TYPED_TEST in tests/.
std::set<std::string> all_tests() {
  static const std::regex kTest(R"((?:TYPED_)?TEST(?:_[FP])?\((\w+),\s*(\w+)\))");
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(CHATD_SOURCE_DIR) / "tests")) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string source = read_file(entry.path());
    for (std::sregex_iterator match(source.begin(), source.end(), kTest), end; match != end;
         ++match) {
      names.insert((*match)[1].str() + "." + (*match)[2].str());
    }
  }
  return names;
}

TEST(Docs, TheThreatModelNamesTestsThatExist) {
  static const std::regex kNamed(R"(`([A-Z]\w+\.[A-Z]\w+)`)");
  const std::string page = read_file(fs::path(CHATD_SOURCE_DIR) / "docs/threat-model.md");
  const std::set<std::string> tests = all_tests();
  int named = 0;
  for (std::sregex_iterator match(page.begin(), page.end(), kNamed), end; match != end; ++match) {
    ++named;
    EXPECT_TRUE(tests.contains((*match)[1].str())) << (*match)[1].str();
  }
  EXPECT_GE(named, 30) << "the page has changed its form: nothing was checked";
}

}  // namespace
}  // namespace chatd
