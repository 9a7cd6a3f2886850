// How and when `chat` ends.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "client/lib/error.h"

namespace chatd::client {

// A deadline that does not come.
inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

// How `chat` ends (docs/guide/chat.md, "Exit codes"; `chat --help` lists them too).
enum class ExitCode : int {
  kOk = 0,
  kInternal = 1,     // this machine refuses: no descriptors, stdout cannot be written
  kUsage = 2,        // flags or names that cannot be
  kUnreachable = 3,  // no server there, no answer, or it went away while we talked
  kRefused = 4,      // the server refused the request; stderr has its status and reason
  kRemoved = 5,      // the server removed this member, or the room has ended
  kTimedOut = 6,     // --timeout came before --count messages
  kNotSent = 7,      // some lines of stdin could not be sent
  kUntrusted = 8,    // the server's certificate is not trusted
  kSignalBase = 128  // + the signal's number
};

constexpr ExitCode exit_code_for_signal(int signal) {
  return static_cast<ExitCode>(static_cast<int>(ExitCode::kSignalBase) + signal);
}

constexpr ExitCode exit_code_for(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUnreachable:
    case ErrorKind::kNoTls:
      return ExitCode::kUnreachable;
    case ErrorKind::kUntrusted:
      return ExitCode::kUntrusted;
    case ErrorKind::kRefused:
      return ExitCode::kRefused;
    case ErrorKind::kNotSendable:
      return ExitCode::kUsage;
    case ErrorKind::kInterrupted:
    case ErrorKind::kInternal:
      break;
  }
  return ExitCode::kInternal;
}

// When `chat` has done what it was started for: --count messages, or --timeout.
class StopCondition {
 public:
  StopCondition(std::optional<std::uint64_t> count, std::optional<std::int64_t> timeout_ms,
                std::int64_t now_ms)
      : count_(count),
        deadline_ms_(timeout_ms ? now_ms + *timeout_ms : kNever),
        has_timeout_(timeout_ms.has_value()) {}

  // Whether the program goes on after the end of its input.
  bool listens_on() const { return count_ || has_timeout_; }
  std::int64_t deadline_ms() const { return deadline_ms_; }

  void on_message() { ++received_; }
  bool counted() const { return count_ && received_ >= *count_; }
  // How the program should end now; nothing while it should go on.
  std::optional<ExitCode> reached(std::int64_t now_ms) const {
    if (counted()) return ExitCode::kOk;
    if (now_ms < deadline_ms_) return std::nullopt;
    return count_ ? ExitCode::kTimedOut : ExitCode::kOk;
  }

 private:
  std::optional<std::uint64_t> count_;
  std::int64_t deadline_ms_;
  bool has_timeout_;
  std::uint64_t received_ = 0;
};

}  // namespace chatd::client
