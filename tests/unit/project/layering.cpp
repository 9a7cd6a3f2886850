#include "tests/unit/project/layering.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>

namespace chatd::test {
namespace {

namespace fs = std::filesystem;

const std::map<std::string, std::set<std::string>, std::less<>>& allowed_layers() {
  static const std::map<std::string, std::set<std::string>, std::less<>> kAllowed = {
      {"core", {"core"}},
      {"server", {"server", "core"}},
      {"client", {"client", "core"}},
      {"bench", {"bench", "client", "core"}},
      {"tests", {"tests", "bench", "client", "server", "core"}},
  };
  return kAllowed;
}

// Sockets and most other ways out of a process have a folder in their name (<sys/socket.h>,
// <netinet/in.h>), so the core may include from these folders alone.
constexpr std::array<std::string_view, 4> kCoreHeaderFolders = {"absl", "rapidjson", "sodium",
                                                                "tl"};

// What the core may link besides itself; each is a pure computation.
constexpr std::array<std::string_view, 8> kCoreLibraries = {
    "chatd_compiler",     "simdjson::simdjson", "absl::flat_hash_map", "absl::flat_hash_set",
    "absl::function_ref", "tl::expected",       "PkgConfig::sodium",   "PkgConfig::utf8proc"};

const std::set<std::string_view>& headers_forbidden_in_core() {
  static const std::set<std::string_view> kForbidden = {
      // sockets and descriptors
      "unistd.h", "poll.h", "fcntl.h", "netdb.h", "ifaddrs.h", "termios.h", "pty.h",
      // clocks
      "chrono", "ctime", "time.h",
      // threads
      "thread", "mutex", "shared_mutex", "condition_variable", "future", "semaphore", "latch",
      "barrier", "stop_token", "atomic", "pthread.h", "threads.h", "sched.h",
      // files, streams and the rest of the process
      "fstream", "iostream", "filesystem", "cstdio", "stdio.h", "csignal", "signal.h", "dirent.h",
      // randomness: it comes in as an argument
      "random", "sodium.h", "sodium/randombytes.h",
      // libraries of the layers above
      "histedit.h"};
  return kForbidden;
}

struct Include {
  std::string header;
  bool angled = false;
};

// The header that a line includes; nothing for any other line.
std::optional<Include> parse_include(std::string_view line) {
  const auto skip_blanks = [&line] {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  };
  skip_blanks();
  if (!line.starts_with('#')) return std::nullopt;
  line.remove_prefix(1);
  skip_blanks();
  if (!line.starts_with("include")) return std::nullopt;
  line.remove_prefix(std::string_view("include").size());
  skip_blanks();
  if (line.empty()) return std::nullopt;
  const bool angled = line.front() == '<';
  const std::size_t end = line.find(angled ? '>' : '"', 1);
  // An include through a macro cannot be judged, and no rule allows it: it is reported as it
  // stands.
  if (end == std::string_view::npos) return Include{std::string(line), false};
  return Include{std::string(line.substr(1, end - 1)), angled};
}

std::string first_folder(std::string_view header) {
  const std::size_t slash = header.find('/');
  return slash == std::string_view::npos ? std::string() : std::string(header.substr(0, slash));
}

// Why `layer` may not include this; nothing when it may.
std::optional<std::string> objection(const std::string& layer, const Include& include) {
  const std::set<std::string>& allowed = allowed_layers().at(layer);
  const std::string folder = first_folder(include.header);
  if (include.header.find("..") != std::string::npos) return "name headers from the root";
  if (!include.angled || allowed_layers().contains(folder)) {
    if (allowed.contains(folder)) return std::nullopt;
    return layer + " may not include it";
  }
  if (layer != "core") return std::nullopt;
  if (headers_forbidden_in_core().contains(include.header)) return "core must stay pure";
  if (!folder.empty() && std::find(kCoreHeaderFolders.begin(), kCoreHeaderFolders.end(), folder) ==
                             kCoreHeaderFolders.end()) {
    return "core includes system headers from no folder but its libraries'";
  }
  return std::nullopt;
}

bool is_cpp_file(const fs::path& path) {
  static const std::set<std::string> kExtensions = {".h", ".hpp", ".inc", ".cpp", ".cc", ".c"};
  return kExtensions.contains(path.extension().string());
}

void scan_file(const fs::path& root, const fs::path& path, const std::string& layer,
               LayerScan& scan) {
  ++scan.files;
  std::ifstream in(path);
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const auto include = parse_include(line);
    if (!include) continue;
    const auto why = objection(layer, *include);
    if (!why) continue;
    scan.violations.push_back(fs::relative(path, root).string() + ":" + std::to_string(number) +
                              ": includes " + include->header + ": " + *why);
  }
}

}  // namespace

LayerScan scan_includes(const fs::path& root, const std::string& layer) {
  LayerScan scan;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / layer, error)) {
    if (entry.is_regular_file() && is_cpp_file(entry.path())) {
      scan_file(root, entry.path(), layer, scan);
    }
  }
  return scan;
}

namespace {

// Who includes whom: folder -> folder -> the first include of that kind.
using FolderGraph = std::map<std::string, std::map<std::string, std::string>>;

void add_includes(const fs::path& root, const fs::path& path, FolderGraph& graph) {
  const std::string file = fs::relative(path, root).string();
  const std::string from = fs::path(file).parent_path().string();
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    const auto include = parse_include(line);
    if (!include || include->angled) continue;
    const std::string to = fs::path(include->header).parent_path().string();
    if (to != from) graph[from].try_emplace(to, file + " includes " + include->header);
  }
}

// Whether `to` can be reached from `from`; the includes on the way, last one first.
bool find_way(const FolderGraph& graph, const std::string& from, const std::string& to,
              std::set<std::string>& seen, std::string& way) {
  if (from == to) return true;
  if (!seen.insert(from).second || !graph.contains(from)) return false;
  for (const auto& [next, why] : graph.at(from)) {
    if (!find_way(graph, next, to, seen, way)) continue;
    way += "; " + why;
    return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> find_circles(const fs::path& root) {
  FolderGraph graph;
  for (const auto& [layer, allowed] : allowed_layers()) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / layer, error)) {
      if (entry.is_regular_file() && is_cpp_file(entry.path())) {
        add_includes(root, entry.path(), graph);
      }
    }
  }
  std::vector<std::string> circles;
  for (const auto& [from, includes] : graph) {
    for (const auto& [to, why] : includes) {
      std::set<std::string> seen;
      std::string way;
      // Once for both directions.
      if (from < to && find_way(graph, to, from, seen, way)) circles.push_back(why + way);
    }
  }
  return circles;
}

LinkScan scan_link_lists(const std::string& lists) {
  struct Link {
    std::string layer, target, library;
  };
  std::map<std::string, std::string> layer_of_target;
  std::vector<Link> links;
  LinkScan scan;
  std::istringstream in(lists);
  for (std::string kind, layer, target; in >> kind >> layer >> target;) {
    scan.layers.insert(layer);
    if (kind == "target") {
      layer_of_target[target] = layer;
    } else {
      std::string library;
      in >> library;
      links.push_back({layer, target, library});
    }
  }

  for (const Link& link : links) {
    const auto allowed = allowed_layers().find(link.layer);
    if (allowed == allowed_layers().end()) continue;
    const auto owner = layer_of_target.find(link.library);
    const bool ours = owner != layer_of_target.end();
    const bool fine =
        ours ? allowed->second.contains(owner->second)
             : link.layer != "core" || std::find(kCoreLibraries.begin(), kCoreLibraries.end(),
                                                 link.library) != kCoreLibraries.end();
    if (!fine)
      scan.violations.push_back(link.target + " (" + link.layer + ") links " + link.library);
  }
  return scan;
}

}  // namespace chatd::test
