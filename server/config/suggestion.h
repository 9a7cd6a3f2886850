// What somebody may have meant who wrote a name that does not exist.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace chatd::config {

// " (did you mean max_rooms?)", or nothing when no name is near.
std::string suggest(std::string_view written, const std::vector<std::string>& known);

}  // namespace chatd::config
