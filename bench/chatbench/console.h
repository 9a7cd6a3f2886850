// chatbench and the person who started it: what it shows and writes, and how it is interrupted.
#pragma once

#include <csignal>
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

// Ctrl-C, or a SIGTERM, from here on: what runs ends early and politely, and a second one ends the
// process at once. A signal that was ignored at the start stays so, as nohup(1)
// and a shell's background jobs want it.
void watch_for_interrupts();

// Set by the first one.
const volatile std::sig_atomic_t& interrupted();
// Readable from the first one on, for poll(2); -1 if there is no such descriptor.
int interrupt_fd();

}  // namespace chatd::bench
