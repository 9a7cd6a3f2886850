// Questions to the person at the terminal, one line each.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace chatd::client {

enum class Echo { kShown, kHidden };

// The answer without its line end; nothing at the end of the input or when `interrupt_fd` becomes
// readable. Reads no further than the line end, so that what was typed ahead stays for the next
// reader. On ^Z while the answer is hidden the shell finds a terminal that echoes, and after `fg`
// the question is asked again, hidden as before.
std::optional<std::string> ask(std::string_view question, Echo echo, int interrupt_fd);

}  // namespace chatd::client
