// Ctrl-C, or a SIGTERM: what runs ends early and politely, and a second one ends it at once.
#pragma once

#include <csignal>

namespace chatd::bench {

// From here on, for the whole process. A signal that was ignored at the start stays so, as nohup(1)
// and a shell's background jobs want it. Thread: the main one.
void watch_for_interrupts();

// Set by the first one.
const volatile std::sig_atomic_t& interrupted();
// Readable from the first one on, for poll(2); -1 if there is no such descriptor.
int interrupt_fd();

}  // namespace chatd::bench
