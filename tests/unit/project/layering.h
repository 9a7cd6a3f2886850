// The rules about who may depend on whom, and the scan that finds who breaks them.
//
//   server -> core <- client        bench -> core and client
//
// The core is a state machine that a simulator can drive: it must have no way to reach a socket, a
// clock, a thread, a file or a source of randomness of its own. The rules are kept by reading the
// #include lines and the link lists, because a compiler would accept any of them. Nor may folders
// include each other in a circle, on any level.
#pragma once

#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace chatd::test {

struct LayerScan {
  std::size_t files = 0;  // sources and headers that were read
  std::vector<std::string>
      violations;  // "core/a.cpp:3: includes <thread>: …", one per line at fault
};

// Reads every C++ file below root/layer. `layer` is core, server, client or bench.
LayerScan scan_includes(const std::filesystem::path& root, const std::string& layer);

// Folders that include each other in a circle, each with the includes that make it: a reader of one
// would need the other first. Top-level folders are judged above; this is about those inside them.
std::vector<std::string> find_circles(const std::filesystem::path& root);

struct LinkScan {
  std::set<std::string> layers;  // that have at least one target
  std::vector<std::string> violations;
};

// `lists` is the text that link_lists.cmake writes.
LinkScan scan_link_lists(const std::string& lists);

}  // namespace chatd::test
