#include "client/ctl/options.h"

#include <CLI/CLI.hpp>

#include <iostream>
#include <sstream>
#include <utility>
#include <vector>

#include "client/terminal/terminal_process.h"

namespace chatd::client::ctl {
namespace {

constexpr const char* kDescription =
    "Look at a running chatd and control it, through its admin endpoint (chatd --admin).\n"
    "Commands that change something (kick, close-room, ban, unban, drain, reload,\n"
    "log-level) work only over a socket file (unix:/PATH).";

constexpr const char* kFooter =
    "Flags may stand before or after the command.\n"
    "\n"
    "Exit codes: 0 done; 1 not done: no chatd answers, or it refused (stderr says why); 2 wrong "
    "usage.\n"
    "\n"
    "Examples: chatctl status\n"
    "          chatctl members kitchen --admin 127.0.0.1:9100\n"
    "          chatctl kick kitchen mallory\n"
    "          chatctl ban 203.0.113.0/24 --for 12h --reason spam";

CLI::App* add_command(CLI::App& app, std::vector<std::pair<CLI::App*, Task>>& commands, Task task,
                      const char* name, const char* help) {
  CLI::App* const command = app.add_subcommand(name, help);
  command->fallthrough();  // all flags may follow the command
  commands.emplace_back(command, task);
  return command;
}

void add_room(CLI::App* command, Options& options) {
  command->add_option("ROOM", options.room, "The room's name")->required();
}

void add_target(CLI::App* command, Options& options) {
  command->add_option("TARGET", options.target, "ADDRESS, ADDRESS/PREFIX or NAME")->required();
  command->add_flag("--name", options.is_name,
                    "TARGET is a name, even if it looks like an address");
}

std::vector<std::pair<CLI::App*, Task>> add_commands(CLI::App& app, Options& options) {
  std::vector<std::pair<CLI::App*, Task>> commands;
  const auto add = [&](Task task, const char* name, const char* help) {
    return add_command(app, commands, task, name, help);
  };
  add(Task::kStatus, "status", "Show what chatd is doing, and what it has counted");
  add(Task::kTop, "top", "The same, each second, with rates and the largest rooms; q ends it");
  add(Task::kRooms, "rooms", "List all rooms");
  add_room(add(Task::kMembers, "members", "List the members of a room"), options);
  add(Task::kConfig, "config", "Show the configuration in force, and where each value comes from");
  CLI::App* const kick = add(Task::kKick, "kick", "Remove a member from a room");
  add_room(kick, options);
  kick->add_option("USERNAME", options.username, "The member's name")->required();
  add_room(add(Task::kCloseRoom, "close-room", "End a room; its members are told"), options);
  CLI::App* const ban = add(Task::kBan, "ban",
                            "Keep an address or a name out of all rooms, and put out who is there");
  add_target(ban, options);
  ban->add_option("--reason", options.reason, "What those are told whom it hits");
  ban->add_option("--for", options.lasts, "How long: 30min, 12h (for good without it)")
      ->option_text("TIME");
  add_target(add(Task::kUnban, "unban", "Take a ban back"), options);
  add(Task::kBans, "bans", "List who is banned");
  add(Task::kDrain, "drain", "Let nobody new in, and stop when all have gone");
  add(Task::kReload, "reload", "Load the configuration file again, and say what has changed");
  add(Task::kLogLevel, "log-level", "Set the log level, until the next reload or start")
      ->add_option("LEVEL", options.level, "trace, debug, info, warn, error, critical or off")
      ->required();
  return commands;
}

}  // namespace

std::optional<Options> parse_options(int argc, const char* const* argv, int& exit_code) {
  Options options;
  std::string address(kUsualPlace);
  CLI::App app(kDescription, "chatctl");
  app.set_version_flag("--version", "chatctl " CHATD_VERSION, "Print the version");
  app.footer(kFooter);
  app.require_subcommand(1);
  app.add_option("--admin", address,
                 "Where chatd's admin endpoint is: unix:/PATH or 127.0.0.1:PORT")
      ->envname("CHATCTL_ADMIN")
      ->check(CLI::Validator(
          [](const std::string& text) {
            const auto parsed = parse_admin_address(text);
            return parsed ? "" : "'" + text + "' is not an admin address: " + parsed.error();
          },
          "ADDRESS"))
      ->option_text("ADDRESS [$CHATCTL_ADMIN, or unix:/run/chatd/admin.sock]");
  app.add_flag("--json", options.json, "Print chatd's own answer, which is JSON");
  app.add_option("--limit", options.limit, "rooms, members: maximum number of rows")
      ->check(CLI::Validator(
          [](const std::string& text) {
            const bool is_number = text.find_first_not_of("0123456789") == std::string::npos;
            const bool is_positive = is_number && text.find_first_not_of('0') != std::string::npos;
            return is_positive ? "" : "'" + text + "' is not a number of rows: write 1 or more";
          },
          "COUNT"))
      ->option_text("N");
  const auto commands = add_commands(app, options);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream told;
    const bool is_wrong = app.exit(error, told, std::cerr) != 0;
    exit_code = is_wrong ? static_cast<int>(ExitCode::kUsage) : tell("chatctl", told.str());
    return std::nullopt;
  }
  for (const auto& [command, task] : commands) {
    if (command->parsed()) options.task = task;
  }
  options.address = *parse_admin_address(address);
  return options;
}

}  // namespace chatd::client::ctl
