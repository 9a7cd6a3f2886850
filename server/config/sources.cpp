#include "server/config/sources.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace chatd::config {
namespace {

// How many letters must be added, left out or replaced (Levenshtein), row by row.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> previous(to.size() + 1);
  std::iota(previous.begin(), previous.end(), 0u);
  std::vector<std::size_t> current(to.size() + 1);
  for (std::size_t i = 0; i < from.size(); ++i) {
    current[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = previous[j] + (from[i] == to[j] ? 0 : 1);
      current[j + 1] = std::min({replaced, previous[j + 1] + 1, current[j] + 1});
    }
    previous.swap(current);
  }
  return previous[to.size()];
}

}  // namespace

std::string to_text(const Source& source) {
  switch (source.kind) {
    case Source::Kind::kFile:
      return std::string("file ").append(source.place);
    case Source::Kind::kEnvironment:
      return std::string("environment ").append(source.place);
    case Source::Kind::kFlag:
      return std::string("flag ").append(source.place);
    default:
      return source.place.empty() ? "default" : std::string("default with ").append(source.place);
  }
}

std::string suggest(std::string_view written, const std::vector<std::string>& known) {
  constexpr std::size_t kLongest = 64;  // no name is longer, and the time grows with the square
  if (written.size() > kLongest) return {};
  const std::string* nearest = nullptr;
  std::size_t nearest_distance = 4;  // so many slips are another word
  for (const std::string& name : known) {
    const std::size_t slips = distance(written, name);
    if (slips < nearest_distance && slips * 2 < name.size()) {
      nearest = &name;
      nearest_distance = slips;
    }
  }
  return nearest == nullptr ? std::string() : " (did you mean " + *nearest + "?)";
}

}  // namespace chatd::config
