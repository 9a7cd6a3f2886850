#include "server/log/log.h"

#include <poll.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/json_writer.h"
#include "server/log/sink.h"

namespace chatd {

namespace {

constexpr const char* kTime = "%Y-%m-%dT%H:%M:%S.%e%z";

class JsonFormat final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
    spdlog::memory_buf_t time;
    time_.format(message, time);
    const auto level = spdlog::level::to_string_view(message.level);
    JsonWriter json;
    json.begin_object();
    json.member("time", std::string_view(time.data(), time.size()));
    json.member("level", std::string_view(level.data(), level.size()));
    json.member("message", std::string_view(message.payload.data(), message.payload.size()));
    json.end_object();
    const std::string text = json.take() + "\n";
    line.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormat>();
  }

 private:
  spdlog::pattern_formatter time_{kTime, spdlog::pattern_time_type::local, ""};
};

// Syslog's numbers (RFC 5424, section 6.2.1).
char priority_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::critical:
      return '2';
    case spdlog::level::err:
      return '3';
    case spdlog::level::warn:
      return '4';
    case spdlog::level::info:
      return '6';
    default:
      return '7';
  }
}

class JournalFormat final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
    for (const char c : {'<', priority_of(message.level), '>'}) line.push_back(c);
    line.append(message.payload.data(), message.payload.data() + message.payload.size());
    line.push_back('\n');
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JournalFormat>();
  }
};

}  // namespace

std::unique_ptr<spdlog::formatter> text_format() {
  return std::make_unique<spdlog::pattern_formatter>(std::string(kTime) + " %^%l%$ %v");
}

std::unique_ptr<spdlog::formatter> json_format() {
  return std::make_unique<JsonFormat>();
}

std::unique_ptr<spdlog::formatter> journal_format() {
  return std::make_unique<JournalFormat>();
}

bool is_journal(int fd) {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  struct stat file {};
  if (stream == nullptr || ::fstat(fd, &file) != 0) return false;
  return stream == std::to_string(file.st_dev) + ":" + std::to_string(file.st_ino);
}

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

void start_logging(const std::string& level, const std::string& format) {
  auto logger = std::make_shared<spdlog::logger>("chatd", std::make_shared<NonBlockingSink>());
  if (format == "json") {
    logger->set_formatter(json_format());
  } else {
    logger->set_formatter(is_journal(STDERR_FILENO) ? journal_format() : text_format());
  }
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace chatd
