#include "server/log/log.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "server/log/formats.h"
#include "server/log/non_blocking_sink.h"

namespace chatd {

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
