#include "server/log/non_blocking_sink.h"

#include <poll.h>
#include <unistd.h>

#include <string>
#include <utility>

namespace chatd {

using Stderr = spdlog::sinks::ansicolor_stderr_sink_mt;

// One at a time: two might both see room for the last line, and the second one wait.
void NonBlockingSink::log(const spdlog::details::log_msg& message) {
  const std::lock_guard one_at_a_time(mutex_);
  if (!has_room()) {
    ++lost_lines_;
    return;
  }
  if (const std::uint64_t lost_lines = std::exchange(lost_lines_, 0); lost_lines > 0) {
    const std::string text =
        std::to_string(lost_lines) + " log lines are missing here: nobody read them";
    Stderr::log({message.logger_name, spdlog::level::warn, text});
  }
  Stderr::log(message);
}

// A pipe is writable when it takes a whole page, and our lines are shorter.
bool NonBlockingSink::has_room() {
  pollfd log{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  return ::poll(&log, 1, 0) != 0;  // also when it cannot say
}

}  // namespace chatd
