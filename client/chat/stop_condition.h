// When `chat` has done what it was started for: --count messages, or --timeout.
// Thread: none of its own. Times are milliseconds of any steady clock.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "client/chat/exit_code.h"

namespace chatd::client {

class StopCondition {
 public:
  StopCondition(std::optional<std::uint64_t> count, std::optional<std::int64_t> timeout_ms,
                std::int64_t now_ms)
      : count_(count),
        deadline_ms_(timeout_ms ? now_ms + *timeout_ms : std::numeric_limits<std::int64_t>::max()),
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
