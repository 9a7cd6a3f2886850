#include "client/chat/options.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <sstream>
#include <string>

#include "client/chat/ending.h"
#include "client/terminal/terminal_process.h"
#include "core/base/time.h"

namespace chatd::client {
namespace {

constexpr const char* kDescription =
    "Talk in the rooms of a chatd server. Without a command, chat asks for everything.\n"
    "On a terminal you type and read; otherwise each line of stdin is sent as a message and each\n"
    "message received is printed as a line.";

constexpr const char* kFooter =
    "A TIME is 500ms, 5s, 2m, 1h or plain seconds. Flags may stand before or after the command.\n"
    "\n"
    "Exit codes: 0 done; 1 internal error; 2 wrong usage; 3 the server cannot be reached or is "
    "gone;\n"
    "4 the server refused; 5 removed by the server, or the room has ended; 6 --timeout came "
    "before\n"
    "--count messages; 7 some lines could not be sent; 128+N ended by signal N.\n"
    "\n"
    "Examples: chat create kitchen --name alice\n"
    "          echo hello | chat join kitchen --name bob\n"
    "          chat join kitchen --name log --json --timeout 1h </dev/null";

// The duration flags as they are typed, until the whole command line is known to be good.
struct Durations {
  std::string heartbeat = "20s";
  std::string connect_timeout = "5s";
  std::string timeout;
};

std::string check_on_off(const std::string& text) {
  return text == "on" || text == "off" ? "" : "'" + text + "' is neither on nor off";
}

// A timeout or rhythm of chat: more than nothing, a year at most.
std::optional<std::int64_t> read_duration_ms(const std::string& text) {
  constexpr std::int64_t kYearMs = std::int64_t{366} * 24 * 3600 * 1000;
  const auto ms = parse_duration_ms(text);
  if (!ms || *ms == 0 || *ms > kYearMs) return std::nullopt;
  return ms;
}

std::string check_duration(const std::string& text) {
  if (read_duration_ms(text)) return "";
  return "'" + text + "' is not a duration: write 500ms, 5s, 2m, 1h or plain seconds";
}

// CLI11 would name the largest number there is.
std::string check_count(const std::string& text) {
  const bool is_number = text.find_first_not_of("0123456789") == std::string::npos;
  const bool is_positive = is_number && text.find_first_not_of('0') != std::string::npos;
  return is_positive ? "" : "'" + text + "' is not a number of messages: write 1 or more";
}

void add_duration(CLI::App& app, const char* flag, const char* value_text, std::string& value,
                  const char* help) {
  app.add_option(flag, value, help)
      ->check(CLI::Validator(check_duration, "DURATION"))
      ->option_text(value_text);
}

void add_server_flags(CLI::App& app, Options& options, Durations& durations) {
  app.add_option("--host", options.server.host, "Where chatd runs: a name or an IP address")
      ->option_text("HOST [localhost]");
  app.add_option("--tcp-port", options.server.tcp_port, "Its port for requests")
      ->check(CLI::Range(1, 65535))
      ->option_text("PORT [8000]");
  app.add_option("--udp-port", options.server.udp_port, "Its port for messages")
      ->check(CLI::Range(1, 65535))
      ->option_text("PORT [9000]");
  add_duration(app, "--connect-timeout", "TIME [5s]", durations.connect_timeout,
               "How long to wait for its address and connection, and again for its answer");
  app.add_option_function<std::string>(
         "--gro", [&options](const std::string& text) { options.server.gro = text == "on"; },
         "Receive messages that the server sends together in one piece (UDP_GRO)")
      ->check(CLI::Validator(check_on_off, "on|off"))
      ->option_text("on|off [on]");
}

void add_talk_flags(CLI::App& app, Options& options, Durations& durations) {
  app.add_option("--name", options.name, "Your name in the room")->option_text("NAME");
  app.add_option("--password", options.password,
                 "The room's password (other users of this machine can see flags, not variables)")
      ->envname("CHAT_PASSWORD")
      ->option_text("TEXT [$CHAT_PASSWORD]");
  app.add_flag("--json", options.json, "Print NDJSON, on a terminal too");
  app.add_option("--count", options.count, "Stop after N received messages")
      ->check(CLI::Validator(check_count, "COUNT"))
      ->option_text("N");
  add_duration(app, "--timeout", "TIME", durations.timeout,
               "Stop after this time, counted from the connection");
  add_duration(app, "--heartbeat", "TIME [20s]", durations.heartbeat,
               "How often to tell the server that you are there, and to ask whether it is");
}

CLI::App* add_command(CLI::App& app, const char* name, const char* help) {
  CLI::App* const command = app.add_subcommand(name, help);
  command->fallthrough();  // all flags may follow the command
  return command;
}

}  // namespace

std::optional<Options> parse_options(int argc, const char* const* argv, int& exit_code) {
  Options options;
  Durations durations;
  CLI::App app(kDescription, "chat");
  app.set_version_flag("--version", "chat " CHATD_VERSION, "Print the version");
  app.footer(kFooter);
  app.require_subcommand(0, 1);
  add_server_flags(app, options, durations);
  add_talk_flags(app, options, durations);
  CLI::App* const create = add_command(app, "create", "Create a room and be its host");
  CLI::App* const join = add_command(app, "join", "Join a room");
  CLI::App* const rooms = add_command(app, "rooms", "List the rooms");
  for (CLI::App* const command : {create, join}) {
    command->add_option("ROOM", options.room, "The room's name")->required();
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream told;
    const bool is_wrong = app.exit(error, told, std::cerr) != 0;
    exit_code = is_wrong ? static_cast<int>(ExitCode::kUsage) : tell("chat", told.str());
    return std::nullopt;
  }
  if (create->parsed()) options.task = Options::Task::kCreate;
  if (join->parsed()) options.task = Options::Task::kJoin;
  if (rooms->parsed()) options.task = Options::Task::kRooms;
  options.heartbeat_ms = read_duration_ms(durations.heartbeat).value_or(options.heartbeat_ms);
  options.server.timeout_ms =
      read_duration_ms(durations.connect_timeout).value_or(options.server.timeout_ms);
  if (!durations.timeout.empty()) options.timeout_ms = read_duration_ms(durations.timeout);
  return options;
}

}  // namespace chatd::client
