// What chatbench has to show: written to the last byte, or told that it was not.
#pragma once

#include <string>
#include <string_view>

namespace chatd::bench {

// A line on stderr, "chatbench: …". Nothing in it can do anything to a terminal: parts of it may
// come from a server.
void say(const std::string& text);

// To stdout, at once. False when not all of it was taken; then stderr says why.
bool print(std::string_view text);

// A whole file, over what is there. False as above.
bool write_file(const std::string& path, std::string_view text);

}  // namespace chatd::bench
