// server -> core <- client holds in this tree; and the check is shown to be able to fail, on trees
// and link lists made up for the purpose.
#include "tests/unit/project/layering.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

namespace chatd::test {
namespace {

namespace fs = std::filesystem;

std::string lines(const std::vector<std::string>& violations) {
  std::string text;
  for (const std::string& violation : violations) text += violation + "\n";
  return text;
}

std::string read_links_file() {
  std::ifstream in(CHATD_LINKS_FILE);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// A folder of its own that goes away with the test.
class FakeTree {
 public:
  FakeTree() {
    std::string pattern = (fs::temp_directory_path() / "chatd-layering-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
  }
  ~FakeTree() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  FakeTree(const FakeTree&) = delete;
  FakeTree& operator=(const FakeTree&) = delete;

  void add(const fs::path& file, const std::string& text) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  const fs::path& root() const { return root_; }

  // Adds one file with these lines, and says what the scan of its layer finds.
  std::vector<std::string> violations(const std::string& layer, const std::string& text) const {
    add(fs::path(layer) / "deep" / "file.cpp", text);
    return scan_includes(root_, layer).violations;
  }

 private:
  fs::path root_;
};

TEST(Layering, HoldsInThisTree) {
  for (const std::string& layer : scan_link_lists(read_links_file()).layers) {
    if (layer == "tests") continue;
    const LayerScan scan = scan_includes(CHATD_SOURCE_DIR, layer);
    EXPECT_GT(scan.files, 0u) << "nothing was read below " << layer;
    EXPECT_TRUE(scan.violations.empty()) << lines(scan.violations);
  }
}

TEST(Layering, NoFolderIncludesInACircle) {
  const std::vector<std::string> circles = find_circles(CHATD_SOURCE_DIR);
  EXPECT_TRUE(circles.empty()) << lines(circles);
}

TEST(Layering, HoldsInTheLinkLists) {
  const LinkScan scan = scan_link_lists(read_links_file());
  EXPECT_TRUE(scan.layers.contains("core"));
  EXPECT_TRUE(scan.layers.contains("tests"));
  EXPECT_TRUE(scan.violations.empty()) << lines(scan.violations);
}

TEST(LayeringCheck, AllowsWhatTheLayersMayInclude) {
  const FakeTree tree;
  EXPECT_EQ(lines(tree.violations("core",
                                  "#include \"core/base/limits.h\"\n#include <vector>\n"
                                  "#include <tl/expected.hpp>\n#include <simdjson.h>\n")),
            "");
  EXPECT_EQ(lines(tree.violations("server",
                                  "#include \"core/base/limits.h\"\n#include \"server/a.h\"\n"
                                  "#include <sys/socket.h>\n#include <chrono>\n")),
            "");
  EXPECT_EQ(lines(tree.violations("client",
                                  "#include \"core/base/limits.h\"\n#include \"client/a.h\"\n"
                                  "#include <sys/socket.h>\n#include <chrono>\n")),
            "");
  EXPECT_EQ(lines(tree.violations("bench",
                                  "#include \"core/base/limits.h\"\n#include \"client/a.h\"\n"
                                  "#include \"bench/a.h\"\n#include <sys/socket.h>\n")),
            "");
}

TEST(LayeringCheck, FindsEachWayOutOfTheCore) {
  const FakeTree tree;
  for (const char* header :
       {"sys/socket.h", "sys/epoll.h", "netinet/in.h", "arpa/inet.h", "unistd.h", "poll.h",
        "chrono", "thread", "mutex", "fstream", "random", "spdlog/spdlog.h"}) {
    const auto found = tree.violations("core", "int a;\n#include <" + std::string(header) + ">\n");
    ASSERT_EQ(found.size(), 1u) << header;
    EXPECT_TRUE(found[0].starts_with("core/deep/file.cpp:2: includes " + std::string(header)))
        << found[0];
  }
}

TEST(LayeringCheck, FindsIncludesAcrossLayers) {
  const FakeTree tree;
  EXPECT_EQ(tree.violations("core", "#include \"server/a.h\"\n").size(), 1u);
  EXPECT_EQ(tree.violations("core", "#include \"client/a.h\"\n").size(), 1u);
  EXPECT_EQ(tree.violations("core", "#include \"tests/a.h\"\n").size(), 1u);
  EXPECT_EQ(tree.violations("server", "#include \"client/a.h\"\n").size(), 1u);
  EXPECT_EQ(tree.violations("server", "#include \"tests/a.h\"\n").size(), 1u);
  EXPECT_EQ(tree.violations("client", "#include \"server/a.h\"\n").size(), 1u);
}

TEST(LayeringCheck, IsNotFooledByHowAnIncludeIsWritten) {
  const FakeTree tree;
  EXPECT_EQ(tree.violations("client", "  #  include \"server/a.h\"\n").size(), 1u);
  EXPECT_EQ(tree.violations("client", "#include <server/a.h>\n").size(), 1u);
  EXPECT_EQ(tree.violations("client", "#include \"core/../server/a.h\"\n").size(), 1u);
  EXPECT_EQ(tree.violations("client", "#include \"a.h\"\n").size(), 1u);
  EXPECT_EQ(tree.violations("client", "#include SOME_MACRO\n").size(), 1u);
  EXPECT_EQ(tree.violations("client", "// #include \"server/a.h\"\n").size(), 0u);
}

TEST(LayeringCheck, FindsFoldersThatIncludeEachOther) {
  const FakeTree tree;
  tree.add("core/a/one.h", "#include \"core/b/two.h\"\n#include \"core/a/other.h\"\n");
  tree.add("core/b/two.h", "#include \"core/b/c/three.h\"\n#include <vector>\n");
  tree.add("core/b/c/three.h", "#include \"core/base.h\"\n");
  EXPECT_EQ(lines(find_circles(tree.root())), "");
  tree.add("core/b/c/four.cpp", "int a;\n#include \"core/a/other.h\"\n");
  EXPECT_EQ(lines(find_circles(tree.root())),
            "core/a/one.h includes core/b/two.h; core/b/c/four.cpp includes core/a/other.h; "
            "core/b/two.h includes core/b/c/three.h\n"
            "core/b/two.h includes core/b/c/three.h; core/a/one.h includes core/b/two.h; "
            "core/b/c/four.cpp includes core/a/other.h\n");
}

TEST(LayeringCheck, FindsLinksAcrossLayers) {
  const std::string targets =
      "target core chatd_core\ntarget server chatd\ntarget client chat\ntarget tests kit\n"
      "target bench chatbench\n";
  EXPECT_EQ(lines(scan_link_lists(targets + "link server chatd chatd_core\n"
                                            "link client chat chatd_core\n"
                                            "link server chatd spdlog::spdlog\n"
                                            "link bench chatbench chatd_core\n"
                                            "link bench chatbench chat\n"
                                            "link tests kit chatd\n")
                      .violations),
            "");
  for (const char* link : {"core chatd_core chatd", "core chatd_core chat", "core chatd_core kit",
                           "server chatd chat", "client chat chatd", "server chatd kit",
                           "bench chatbench chatd", "bench chatbench kit", "server chatd chatbench",
                           "core chatd_core Threads::Threads", "core chatd_core spdlog::spdlog"}) {
    const auto found = scan_link_lists(targets + "link " + link + "\n").violations;
    EXPECT_EQ(found.size(), 1u) << link;
  }
}

}  // namespace
}  // namespace chatd::test
