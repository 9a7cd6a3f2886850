// chatd: reads the command line, opens the server, runs it until a signal stops it.
#include <sodium/core.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <new>
#include <string>
#include <tl/expected.hpp>

#include "server/options.h"
#include "server/process/stop_signal.h"
#include "server/server.h"

namespace chatd {
namespace {

void start_logging(const std::string& level) {
  auto logger = spdlog::stderr_color_mt("chatd");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

void log_totals(const Counters& counters) {
  std::string totals;
  for (std::size_t i = 0; i < static_cast<std::size_t>(Counter::kCount); ++i) {
    const auto counter = static_cast<Counter>(i);
    if (counters[counter] == 0) continue;
    totals.append(" ").append(counter_name(counter)).append("=");
    totals += std::to_string(counters[counter]);
  }
  spdlog::info("totals:{}", totals.empty() ? " nothing happened" : totals);
}

// The tables are reserved at start, so that is when a limit that is too large shows.
tl::expected<std::unique_ptr<Server>, std::string> open_within_memory(const Options& options) {
  try {
    return Server::open(options);
  } catch (const std::bad_alloc&) {
    return tl::unexpected<std::string>(
        "there is not enough memory for these limits: lower --max-members or --shards");
  }
}

void say_ready(const Server& server) {
  const std::string tcp = to_text(server.tcp());
  const std::string udp = to_text(server.udp());
  std::printf("chatd ready tcp=%s udp=%s\n", tcp.c_str(), udp.c_str());
  std::fflush(stdout);
  spdlog::info("serving: control on tcp {}, messages on udp {}, shards: {}", tcp, udp,
               server.shard_count());
}

// The exit code; an error is the reason why chatd cannot start.
tl::expected<int, std::string> serve(const Options& options) {
  if (sodium_init() < 0) return tl::unexpected<std::string>("libsodium does not start");
  const auto stop = open_stop_signal();
  if (!stop) return tl::unexpected(stop.error());
  const auto server = open_within_memory(options);
  if (!server) return tl::unexpected(server.error());
  say_ready(**server);
  const auto stopped = (*server)->run(stop->get());
  log_totals((*server)->counters());
  if (!stopped) {
    spdlog::critical("chatd has to stop: {}", stopped.error());
    return 1;
  }
  spdlog::info("stopped");
  return 0;
}

}  // namespace
}  // namespace chatd

int main(int argc, char** argv) {
  const auto options = chatd::parse_options(argc, argv);
  if (!options) return options.error();
  chatd::start_logging(options->log_level);
  std::signal(SIGPIPE, SIG_IGN);  // who read our output or logs may go: we stay

  const auto exit_code = chatd::serve(*options);
  if (exit_code) return *exit_code;
  spdlog::critical("chatd cannot start: {}", exit_code.error());
  return 1;
}
