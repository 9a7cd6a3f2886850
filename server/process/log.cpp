#include "server/process/log.h"

#include <poll.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace chatd {
namespace {

using Stderr = spdlog::sinks::ansicolor_stderr_sink_mt;

class PatientSink final : public Stderr {
 public:
  // One at a time: two might both see room for the last line, and the second one wait.
  void log(const spdlog::details::log_msg& message) override {
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

 private:
  // A pipe is writable when it takes a whole page, and our lines are shorter.
  static bool has_room() {
    pollfd log{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    return ::poll(&log, 1, 0) != 0;  // also when it cannot say
  }

  std::mutex mutex_;
  std::uint64_t lost_lines_ = 0;
};

}  // namespace

void start_logging(const std::string& level) {
  auto logger = std::make_shared<spdlog::logger>("chatd", std::make_shared<PatientSink>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace chatd
