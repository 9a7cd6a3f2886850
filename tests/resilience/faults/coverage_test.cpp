// Holds the table of calls (errno_table.h) against the program: whatever it takes from the C
// library is there, or here with the reason why it cannot fail. A new call in the server fails this
// test until somebody has thought about its errors.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>

#include "tests/resilience/faults/errno_table.h"
#include "tests/support/chatd_server.h"
#include "tests/support/process.h"

namespace chatd::test {
namespace {

// Computes, or keeps to memory that is there.
bool is_pure(const std::string& name) {
  static const std::set<std::string> kPure{
      "_exit",        "abort",    "exit",          "free",      "freeaddrinfo", "freeifaddrs",
      "gai_strerror", "getenv",   "unsetenv",      "inet_ntop", "pthread_self", "sigaddset",
      "sigemptyset",  "snprintf", "secure_getenv", "vsnprintf", "llround"};
  return kPure.contains(name) || name.starts_with("__") || name.starts_with("is") ||
         name.starts_with("mem") || name.starts_with("str") || name.starts_with("to");
}

// Asks the kernel, and is not in the table.
bool has_a_reason(const std::string& name) {
  static const std::set<std::string> kReasons{
      "clock_gettime",       // read from the vDSO; its clock exists
      "pthread_mutex_lock",  // plain mutexes
      "pthread_mutex_unlock",
      "pthread_cond_clockwait",  // its clock exists
      "pthread_once",            // cannot fail
      "nanosleep",               // if it ends early, what it waits for is tried again
      "sched_yield",             // cannot fail
      "syscall",                 // futex, by std::latch: if it ends early, it looks again
      "pthread_setname_np",      // a name for debuggers
      "signal",                  // the two signals exist
      "kill",                    // its children, with signals that exist
      "waitpid",                 // a child of its own; tried again when it is interrupted
      "stat",                    // if it fails, the program's file is not taken for another one
      "syscall",                 // futex(2), by std::latch
      "sched_yield",             // the same
      "getpid",                  // cannot fail
      "ioctl",                   // SIOCOUTQ: if it fails, there is taken to be something
      "getpeername",             // if it fails, the socket is not taken for a connected one
      "getauxval",               // if it fails, /proc says where the program is
      "sigaction",               // asks; the signals exist
      "prctl",                   // if it fails, there is no hand-over
      "fstat",                   // if it fails, stderr is not taken for the journal
      "fcntl",  // F_GETFD: whether the descriptor is open, and that is the question; F_SETFD as
                // well; F_SETFL: fails for what is not open, and that was looked at before
      "open",   // in place of a missing standard stream: streams_test.cpp; a configuration file:
                // config_file_test.cpp
      "gethostname",  // if it fails, the certificate that chatd makes has a name less
      "fsync",        // if it fails, the certificate is not kept, and the log says so
      "printf", "fprintf", "fputs", "fwrite",
      "fflush",  // to standard streams: streams_test.cpp
      "puts", "putchar", "fputc", "putc"};
  return kReasons.contains(name);
}

// malloc's family is one entry.
bool is_in_table(const std::string& name) {
  if (name == "realloc" || name == "calloc" || name == "posix_memalign" || name == "aligned_alloc")
    return true;
  return std::ranges::any_of(kCallFaults, [&](const auto& each) { return name == each.name; });
}

TEST(FaultTable, HasEveryCallOfTheProgram) {
  Process nm({"/usr/bin/env", "nm", "-D", "--undefined-only", ChatdServer::program()});
  const auto status = nm.wait_exit();
  ASSERT_TRUE(status);
  ASSERT_EQ(status->code, 0) << nm.captured(Stream::kStderr);
  std::istringstream lines(nm.captured(Stream::kStdout));
  std::set<std::string> seen;
  std::string kind;
  for (std::string symbol; lines >> kind >> symbol;) {
    const std::size_t version = symbol.find("@GLIBC_");
    if (version == std::string::npos) continue;
    const std::string name = symbol.substr(0, version);
    seen.insert(name);
    EXPECT_TRUE(is_in_table(name) || is_pure(name) || has_a_reason(name))
        << name << " has no entry in errno_table.h";
  }
  // And the other way round: nothing in the table is there for show.
  for (const CallFaults& each : kCallFaults) {
    if (each.call == Call::kAllocate || each.call == Call::kPthreadCreate)
      continue;  // by libstdc++
    EXPECT_TRUE(seen.contains(each.name)) << each.name << " is not called";
  }
}

}  // namespace
}  // namespace chatd::test
