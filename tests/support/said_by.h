// What one has said, of lines like "alice: hello", in their order.
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

namespace chatd::test {

inline std::vector<std::string> said_by(const std::string& speaker,
                                        const std::vector<std::string>& lines) {
  std::vector<std::string> said;
  std::ranges::copy_if(lines, std::back_inserter(said), [&speaker](const std::string& line) {
    return line.starts_with(speaker + ": ");
  });
  return said;
}

}  // namespace chatd::test
