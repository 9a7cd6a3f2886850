// The worked examples of a document: hex dumps in blocks that begin with ```hex NAME.
#pragma once

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>

namespace chatd::test {

// One line of a dump: "0010  61 62 …  |ab|". Appends its bytes.
inline void append_dump_line(const std::string& line, std::string& bytes) {
  std::istringstream columns(line.substr(4, line.find('|') - 4));
  for (std::string byte; columns >> byte;) {
    bytes.push_back(static_cast<char>(std::stoi(byte, nullptr, 16)));
  }
}

// Every such block, by its name. `document`: from the top of the source tree.
inline std::map<std::string, std::string> read_examples(const std::string& document) {
  constexpr std::string_view kOpening = "```hex ";
  std::map<std::string, std::string> examples;
  std::ifstream file(CHATD_SOURCE_DIR "/" + document);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(kOpening)) continue;
    std::string& bytes = examples[line.substr(kOpening.size())];
    while (std::getline(file, line) && line != "```") append_dump_line(line, bytes);
  }
  return examples;
}

}  // namespace chatd::test
