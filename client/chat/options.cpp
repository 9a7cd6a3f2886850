#include "client/chat/options.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>

#include "client/chat/ending.h"
#include "client/net/known_servers.h"
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
    "--count messages; 7 some lines could not be sent; 8 the server's certificate is not "
    "trusted;\n"
    "128+N ended by signal N.\n"
    "\n"
    "Examples: chat create kitchen --name alice --server chat.example\n"
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

// The flags of the server as they are typed: what they mean depends on the protocol.
struct ServerFlags {
  std::string server;
  std::string host;
  std::optional<std::uint16_t> tcp_port;
  std::optional<std::uint16_t> udp_port;
  bool v1 = false;
};

std::string check_server(const std::string& text) {
  if (read_server(text)) return "";
  return "'" + text + "' is not a server: write HOST or HOST:PORT";
}

std::string check_fingerprint(const std::string& text) {
  if (read_fingerprint(text)) return "";
  return "'" + text +
         "' is not a fingerprint: write sha256: and 64 hexadecimal digits, as chatd "
         "logs them";
}

void add_server_flags(CLI::App& app, ServerFlags& flags, Options& options, Durations& durations) {
  CLI::Option* const server =
      app.add_option("--server", flags.server, "Where chatd runs, and its port for requests")
          ->check(CLI::Validator(check_server, "SERVER"))
          ->option_text("HOST:PORT [localhost:8001; with --v1 :8000]");
  app.add_option("--host", flags.host, "The same, without a port")
      ->option_text("HOST")
      ->excludes(server);
  app.add_option("--tcp-port", flags.tcp_port, "Its port for requests")
      ->check(CLI::Range(1, 65535))
      ->option_text("PORT [8001; with --v1 8000]")
      ->excludes(server);
  app.add_option("--udp-port", flags.udp_port, "Its port for messages")
      ->check(CLI::Range(1, 65535))
      ->option_text("PORT [as it says; with --v1 9000]");
  app.add_flag("--v1", flags.v1, "Speak protocol 1: nothing is encrypted or sent again");
  app.add_option("--pin", options.pin, "Trust this certificate alone, by its fingerprint")
      ->check(CLI::Validator(check_fingerprint, "FINGERPRINT"))
      ->option_text("sha256:DIGITS");
  app.add_flag("--trust-new", options.trusts_new,
               "Trust a certificate that is not known yet, without asking, and remember it");
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
  app.add_option("--room-key", options.room_key,
                 "A passphrase that the room's members share: with it the server cannot read what "
                 "they say. - asks for it")
      ->envname("CHAT_ROOM_KEY")
      ->option_text("TEXT|- [$CHAT_ROOM_KEY]");
  app.add_option("--history", options.history,
                 "In a room that you create: how many messages who comes late may read")
      ->check(CLI::Range(0, 1'000'000))
      ->option_text("N [100]");
  app.add_flag("--json", options.json, "Print NDJSON, on a terminal too");
  app.add_option("--count", options.count, "Stop after N received messages")
      ->check(CLI::Validator(check_count, "COUNT"))
      ->option_text("N");
  add_duration(app, "--timeout", "TIME", durations.timeout,
               "Stop after this time, counted from the connection");
  add_duration(app, "--heartbeat", "TIME [20s]", durations.heartbeat,
               "How often to tell the server that you are there, and to ask whether it is");
}

void apply(const ServerFlags& flags, Options& options) {
  constexpr std::uint16_t kTlsPort = 8001;
  constexpr std::uint16_t kPlainPort = 8000;
  constexpr std::uint16_t kUdpPort = 9000;
  ServerAddress& server = options.server;
  server.protocol = flags.v1 ? 1 : 2;
  HostAndPort given{.host = flags.host, .port = flags.tcp_port};
  if (!flags.server.empty()) given = read_server(flags.server).value_or(given);
  if (!given.host.empty()) server.host = given.host;
  server.tcp_port = given.port.value_or(flags.v1 ? kPlainPort : kTlsPort);
  server.udp_port = flags.udp_port.value_or(flags.v1 ? kUdpPort : 0);
}

// With --v1 these would promise what it does not keep.
std::string contradiction(const ServerFlags& flags, const Options& options) {
  if (!flags.v1) return "";
  if (!options.pin.empty()) return "--pin is for protocol 2: --v1 has no certificates";
  if (!options.room_key.empty()) return "--room-key is for protocol 2: --v1 seals nothing";
  if (options.trusts_new) return "--trust-new is for protocol 2: --v1 has no certificates";
  return "";
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
  ServerFlags flags;
  add_server_flags(app, flags, options, durations);
  add_talk_flags(app, options, durations);
  CLI::App* const create = add_command(app, "create", "Create a room and be its host");
  CLI::App* const join = add_command(app, "join", "Join a room");
  CLI::App* const rooms = add_command(app, "rooms", "List the rooms");
  for (CLI::App* const command : {create, join}) {
    command->add_option("ROOM", options.room, "The room's name")->required();
  }

  try {
    app.parse(argc, argv);
    const std::string wrong = contradiction(flags, options);
    if (!wrong.empty()) throw CLI::ValidationError(wrong);
  } catch (const CLI::ParseError& error) {
    std::ostringstream told;
    const bool is_wrong = app.exit(error, told, std::cerr) != 0;
    exit_code = is_wrong ? static_cast<int>(ExitCode::kUsage) : tell("chat", told.str());
    return std::nullopt;
  }
  if (create->parsed()) options.task = Options::Task::kCreate;
  if (join->parsed()) options.task = Options::Task::kJoin;
  if (rooms->parsed()) options.task = Options::Task::kRooms;
  apply(flags, options);
  if (!options.pin.empty()) options.pin = read_fingerprint(options.pin).value_or("");
  options.heartbeat_ms = read_duration_ms(durations.heartbeat).value_or(options.heartbeat_ms);
  options.server.timeout_ms =
      read_duration_ms(durations.connect_timeout).value_or(options.server.timeout_ms);
  if (!durations.timeout.empty()) options.timeout_ms = read_duration_ms(durations.timeout);
  return options;
}

}  // namespace chatd::client
