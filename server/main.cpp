// chatd: reads its configuration, opens the server, starts the shards, supervises them, and at last
// stops them or hands them over to another process.
#include <sodium/core.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "server/admin/admin.h"
#include "server/config/admin_address.h"
#include "server/config/configuration.h"
#include "server/handover/old_process.h"
#include "server/handover/program_file.h"
#include "server/handover/server_state.h"
#include "server/lifecycle/command_queue.h"
#include "server/lifecycle/keeper.h"
#include "server/lifecycle/reloader.h"
#include "server/lifecycle/signals.h"
#include "server/lifecycle/supervisor.h"
#include "server/listen/server_sockets.h"
#include "server/log/log.h"
#include "server/os/process_start.h"
#include "server/os/processors.h"
#include "server/os/unique_fd.h"
#include "server/shard/descriptor_limit.h"
#include "server/shard/server.h"
#include "server/tls/openssl.h"

namespace chatd {
namespace {

void log_totals(const Counters& counters) {
  std::string totals;
  for (const CounterSpec& row : counter_table()) {
    if (counters[row.counter] == 0) continue;
    totals.append(" ").append(row.name).append("=").append(std::to_string(counters[row.counter]));
  }
  spdlog::info("totals:{}", totals.empty() ? " nothing happened" : totals);
}

void say_ready(const Server& server) {
  const std::string tcp = to_text(server.tcp());
  const std::string udp = to_text(server.udp());
  const std::string tls = server.tls() == nullptr ? "" : " tls=" + to_text(*server.tls());
  if (std::printf("chatd ready tcp=%s udp=%s%s\n", tcp.c_str(), udp.c_str(), tls.c_str()) < 0 ||
      std::fflush(stdout) != 0) {
    spdlog::warn("the ready line cannot be written to stdout: {}", std::strerror(errno));
  }
  spdlog::info("serving: control on tcp {}, messages on udp {}, shards: {}", tcp, udp,
               server.shard_count());
}

bool are_shards_auto(const config::Configuration& configuration) {
  const config::OptionSpec& shards = config::option_named("data_plane.shards");
  return std::ranges::any_of(configuration.settings, [&shards](const config::Setting& setting) {
    return setting.option == &shards && setting.text == "auto";
  });
}

// The shards of the old process stay as many as they are, whatever processors and quota are now.
Options with_shards_of(const ServerState& old_state, Options options) {
  const auto there_are = static_cast<std::uint32_t>(old_state.shards.size());
  if (options.shards != there_are) {
    spdlog::info("shards: auto stays {}, as many as the running chatd has; a restart makes it {}",
                 there_are, options.shards);
  }
  options.shards = there_are;
  return options;
}

// The service manager's, where it passes any.
tl::expected<ServerSockets, std::string> find_sockets(const Options& options) {
  auto passed = take_passed_sockets(options.shards);
  if (!passed) return tl::unexpected(passed.error());
  if (*passed) return std::move(**passed);
  return open_server_sockets(options);
}

// What the old process of a hand-over has left that is not the server's.
struct Extras {
  std::string admin;  // where the listener listens
  UniqueFd admin_listener;
  std::optional<KeeperLine> keeper_line;
};

// From the old process, if there is one, all that it has is taken over. The limit of descriptors
// comes first: the sockets count already.
tl::expected<std::unique_ptr<Server>, std::string> open_server(
    const config::Configuration& configuration, OldProcess* old_process, Extras& extras) {
  const Options& options = configuration.options;
  const auto enough = ensure_descriptors(options.limits.max_connections, options.shards);
  if (!enough) return tl::unexpected(enough.error());
  if (old_process != nullptr) {
    auto imported = old_process->import_state();
    if (!imported) return tl::unexpected("nothing was taken over: " + imported.error());
    extras.admin = imported->state.admin;
    extras.admin_listener = std::move(imported->admin_listener);
    if (imported->keeper_line) extras.keeper_line.emplace(std::move(imported->keeper_line));
    const Options as_it_is =
        are_shards_auto(configuration) ? with_shards_of(imported->state, options) : options;
    return Server::take_over(as_it_is, std::move(*imported));
  }
  auto sockets = find_sockets(options);
  if (!sockets) return tl::unexpected(sockets.error());
  return Server::open(options, std::move(*sockets));
}

// All that serves, in the order in which it is opened.
struct Service {
  Signals signals;
  std::unique_ptr<CommandQueue> commands;
  Extras extras;
  std::unique_ptr<Server> server;
  std::unique_ptr<Admin> admin;
};

// Nothing unless it is asked for. What the old process has opened for the same address is taken
// over.
tl::expected<void, std::string> open_admin(Reloader& reloader, Service& service) {
  const std::string address = reloader.configuration().options.admin;
  if (address == kNoAdmin) return {};
  UniqueFd listener;
  if (address == service.extras.admin) listener = std::move(service.extras.admin_listener);
  auto admin = Admin::open(address, std::move(listener), service.server->group(),
                           service.server->bans(), reloader, *service.commands);
  if (!admin) return tl::unexpected(admin.error());
  service.admin = std::move(*admin);
  return {};
}

// An error that comes so late must not end those who are served.
void keep_admin(const tl::expected<void, std::string>& started) {
  if (!started) spdlog::error("{}; chatd serves without its admin endpoint", started.error());
}

// The old process's, when it was not taken over, and nobody listens there any more.
void give_up_old_admin(Extras& extras) {
  if (!extras.admin_listener) return;
  extras.admin_listener.reset();
  if (const auto address = parse_admin_address(extras.admin)) remove_socket_file(*address);
}

tl::expected<Service, std::string> open_service(Reloader& reloader, OldProcess* old_process) {
  if (sodium_init() < 0) return tl::unexpected<std::string>("libsodium does not start");
  auto signals = Signals::open();
  if (!signals) return tl::unexpected(signals.error());
  auto commands = CommandQueue::open();
  if (!commands) return tl::unexpected(commands.error());
  Service service{std::move(*signals), std::move(*commands), {}, nullptr, nullptr};
  auto server = open_server(reloader.configuration(), old_process, service.extras);
  if (!server) return tl::unexpected(server.error());
  service.server = std::move(*server);
  auto opened = open_admin(reloader, service);
  // The old process answers until this one serves.
  if (opened && service.admin && old_process == nullptr) opened = service.admin->serve();
  if (!opened) return tl::unexpected(opened.error());
  return service;
}

// Between the start of the threads, which may fail, and their work, the old process commits.
tl::expected<void, std::string> start_shards(Service& service, OldProcess* old_process) {
  if (auto started = service.server->start(); !started) return started;
  if (old_process != nullptr) {
    const auto left_to_do = old_process->take_over();
    if (!left_to_do) return tl::unexpected(left_to_do.error());
    service.commands->push_letters(*left_to_do);
  }
  service.server->run();
  return {};
}

// From the moment when this process is the one that serves.
void take_place(Service& service, Supervisor& supervisor, OldProcess& old_process) {
  supervisor.announce();
  old_process.await_handed_over();
  give_up_old_admin(service.extras);
  if (service.admin) keep_admin(service.admin->serve());
}

// The exit code. An error: a shard could not go on, or nobody can be served any more.
int tell_end(const Server& server, const tl::expected<void, std::string>& stopped) {
  log_totals(server.counters());
  spdlog::log(stopped ? spdlog::level::info : spdlog::level::critical, "{}",
              stopped ? "stopped" : "chatd has to stop: " + stopped.error());
  return stopped ? 0 : 1;
}

int stop(Service& service) {
  service.admin.reset();  // while the shards still answer
  return tell_end(*service.server, service.server->stop(StopReason::kStop));
}

// The exit code; nothing if the new process could not take over, and this one goes on.
std::optional<int> hand_over(Service& service, Supervisor& supervisor) {
  Server& server = *service.server;
  Admin* const admin = service.admin.get();
  if (admin != nullptr) admin->pause();  // while the shards still answer
  if (const auto stopped = server.stop(StopReason::kHandOver); !stopped) {
    return tell_end(server, stopped);
  }
  if (supervisor.hand_over(admin != nullptr ? admin->listener_fd() : -1)) {
    server.close();
    if (admin != nullptr) admin->leave_to_another();
    service.admin.reset();
    return supervisor.see_off();
  }
  if (const auto started = server.start(); !started) return tell_end(server, started);
  server.run();
  if (admin != nullptr) keep_admin(admin->resume());
  return std::nullopt;
}

// The exit code.
int supervise(Service& service, Supervisor& supervisor) {
  for (;;) {
    if (supervisor.run() == StopReason::kStop) return stop(service);
    if (const auto exit_code = hand_over(service, supervisor)) return *exit_code;
  }
}

int run(int argc, char** argv) {
  const auto streams = open_missing_streams();
  // The tables are reserved at start, so that is when a limit that is too large shows.
  explain_out_of_memory(
      "chatd cannot start: there is not enough memory for these limits: lower --max-members or "
      "--shards\n");
  const bool is_openssl_told = end_when_openssl_has_no_memory();
  // Who read our output or logs may go, and the file they are in may be as long as it may be
  // (ulimit -f): we stay.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  // A new process that fails is waited for, whatever we have inherited.
  std::signal(SIGCHLD, SIG_DFL);
  const ProgramFile program;
  auto found = OldProcess::find();
  auto configuration = config::configure(argc, argv);
  if (!configuration) return configuration.error();
  start_logging(configuration->options.log_level, configuration->options.log_format);
  for (const std::string& line : configuration->deprecations) spdlog::warn("{}", line);

  OldProcess* const old_process = found && *found ? &**found : nullptr;
  const auto cannot_start = [old_process](const std::string& reason) {
    if (old_process != nullptr) old_process->tell_failure(reason);
    spdlog::critical("chatd cannot start: {}", reason);
    return 1;
  };
  if (are_shards_auto(*configuration)) {
    spdlog::info("shards: auto is {}", explain_usable_threads());
  }
  if (!streams) return cannot_start(streams.error());
  if (!is_openssl_told) return cannot_start("OpenSSL does not let chatd decide about its memory");
  if (!found) return cannot_start(found.error());
  Reloader reloader(std::move(*configuration), argc, argv);
  auto service = open_service(reloader, old_process);
  if (!service) return cannot_start(service.error());
  explain_out_of_memory("chatd has to stop: there is not enough memory\n");
  Supervisor supervisor({*service->server, service->signals, *service->commands, reloader, program,
                         argv, old_process},
                        std::move(service->extras.keeper_line));
  if (const auto started = start_shards(*service, old_process); !started) {
    return cannot_start(started.error());
  }
  if (old_process != nullptr) take_place(*service, supervisor, *old_process);
  if (service->admin) spdlog::info("admin endpoint: {}", service->admin->place());
  say_ready(*service->server);
  return supervise(*service, supervisor);
}

}  // namespace
}  // namespace chatd

int main(int argc, char** argv) {
  try {
    return chatd::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "chatd has to stop: %s\n", error.what());
  }
  return 1;
}
