#include "server/config/command_line.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "server/config/suggestion.h"

namespace chatd::config {
namespace {

// The parser only finds the flags and their texts: what a text means is for its kind to say, and
// an unknown flag must not hide what else is wrong.
class Parser {
 public:
  Parser() {
    app_.set_version_flag("--version", "chatd " CHATD_VERSION);
    file_ = app_.add_option("--config");
    file_->type_name("FILE")->description(
        "Configuration file (TOML); flags and CHATD_... variables override it. Also CHATD_CONFIG");
    check_ = app_.add_flag("--check-config");
    check_->description("Check file, environment and flags, and exit");
    print_ = app_.add_flag("--print-config");
    print_->description(
        "Print the configuration in force and the origin of each value, as a file, and exit");
    for (const Row& row : all_rows()) flags_.emplace_back(&row, add(row));
    app_.allow_extras();
    app_.footer(
        "Every flag is an environment variable, too (--max-rooms is CHATD_MAX_ROOMS), and a key "
        "of\n"
        "the configuration file. Flags go before variables, variables before the file.\n"
        "When it serves, chatd prints one line on stdout: chatd ready tcp=ADDRESS udp=ADDRESS.\n"
        "Logs go to stderr. SIGINT and SIGTERM stop it; members are told. SIGHUP loads the\n"
        "configuration file again; SIGUSR1 starts the program anew, which takes over without\n"
        "members noticing, as SIGHUP does after an upgrade; SIGUSR2 drains: nobody is let in, and\n"
        "it stops when all have gone.\n"
        "Exit codes: 0 stopped as asked, 1 could not start or go on, 2 bad command line or "
        "configuration.");
  }

  CommandLine read(int argc, const char* const* argv, Errors& errors) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
      return {.task = Task::kTell, .text = app_.help()};
    } catch (const CLI::CallForVersion& version) {
      return {.task = Task::kTell, .text = std::string(version.what()) + "\n"};
    } catch (const CLI::ParseError& error) {
      errors.push_back(printable(error.what()) + "; chatd --help names all flags");
      return {};
    }
    refuse_extras(errors);
    CommandLine line;
    if (check_->count() > 0) line.task = Task::kCheckConfig;
    if (print_->count() > 0) line.task = Task::kPrintConfig;
    if (file_->count() > 0) line.file = file_->results().front();
    for (const auto& [row, flag] : flags_) {
      if (flag->count() > 0) take(*row, flag->results().front(), line, errors);
    }
    return line;
  }

  std::string help() const { return app_.help(); }

 private:
  CLI::Option* add(const Row& row) {
    const bool is_flag = row.kind.type == Kind::Type::kBool;
    CLI::Option* const option = is_flag ? app_.add_flag(row.flag()) : app_.add_option(row.flag());
    option->group(row.group->title)->description(row.description);
    if (!is_flag) {
      option->type_name(row.kind.placeholder)->default_str(row.default_text());
    }
    return option;
  }

  static void take(const Row& row, const std::string& text, CommandLine& line, Errors& errors) {
    auto value = read_value(row.kind, text);
    if (!value) {
      errors.push_back(row.flag() + ": " + value.error());
      return;
    }
    line.given.push_back({&row, std::move(*value), {Source::Kind::kFlag, row.flag()}});
  }

  // What is no flag, and a value that may belong to it.
  void refuse_extras(Errors& errors) const {
    std::vector<std::string> known{"--config", "--check-config", "--print-config", "--help",
                                   "--version"};
    for (const Row& row : all_rows()) known.push_back(row.flag());
    bool follows_flag = false;
    for (const std::string& extra : app_.remaining()) {
      const bool is_flag = extra.starts_with('-');
      if (is_flag) {
        const std::string name = extra.substr(0, extra.find('='));
        errors.push_back(printable(name) + ": no such flag" + suggest(name, known) +
                         "; chatd --help names all flags");
      } else if (!follows_flag) {
        errors.push_back("'" + printable(extra) + "' belongs to no flag: chatd takes only flags");
      }
      follows_flag = is_flag;
    }
  }

  CLI::App app_{"chatd relays chat rooms: rooms and tokens over TCP, messages over UDP.", "chatd"};
  CLI::Option* file_ = nullptr;
  CLI::Option* check_ = nullptr;
  CLI::Option* print_ = nullptr;
  std::vector<std::pair<const Row*, CLI::Option*>> flags_;
};

}  // namespace

CommandLine read_command_line(int argc, const char* const* argv, Errors& errors) {
  return Parser().read(argc, argv, errors);
}

std::string help_text() {
  return Parser().help();
}

}  // namespace chatd::config
