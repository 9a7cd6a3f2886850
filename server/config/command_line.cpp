#include "server/config/sources.h"

#include <CLI/CLI.hpp>
#include <utility>

namespace chatd::config {
namespace {

// The parser only finds the flags and their texts: what a text means is for its kind to say, and
// an unknown flag must not hide what else is wrong.
class Parser {
  struct Flag {
    const OptionSpec* option;
    CLI::Option* parsed;
    bool is_old = false;

    std::string name() const { return is_old ? option->old_flag() : option->flag(); }
  };

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
    for (const OptionSpec& option : all_options()) {
      // A name that it once had is not shown, and read first: the new one counts more.
      if (option.has_old_name()) {
        flags_.push_back({&option, app_.add_option(option.old_flag())->group(""), true});
      }
      flags_.push_back({&option, add(option)});
    }
    app_.allow_extras();
    app_.footer(
        "Every flag is an environment variable, too (--max-rooms is CHATD_MAX_ROOMS), and a key "
        "of\n"
        "the configuration file. Flags go before variables, variables before the file.\n"
        "When it serves, chatd prints one line on stdout: chatd ready tcp=ADDRESS udp=ADDRESS "
        "tls=ADDRESS.\n"
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
    for (const Flag& flag : flags_) {
      if (flag.parsed->count() > 0) take(flag, line, errors);
    }
    return line;
  }

  std::string help() const { return app_.help(); }

 private:
  CLI::Option* add(const OptionSpec& option) {
    const bool is_switch = option.type.kind == ValueType::Kind::kBool;
    CLI::Option* const flag =
        is_switch ? app_.add_flag(option.flag()) : app_.add_option(option.flag());
    std::string description = option.description;
    if (!is_switch && !option.type.words.empty()) {
      description += ": " + describe_range(option.type);
    }
    flag->group(option.section->title)->description(description);
    if (!is_switch) flag->type_name(option.type.placeholder)->default_str(option.default_text());
    return flag;
  }

  static void take(const Flag& flag, CommandLine& line, Errors& errors) {
    const std::string name = flag.name();
    auto value = read_value(flag.option->type, flag.parsed->results().front());
    if (!value) {
      errors.push_back(name + ": " + value.error());
      return;
    }
    Source source{Source::Kind::kFlag, name};
    if (flag.is_old) source.deprecation = name + " is deprecated: write " + flag.option->flag();
    line.overrides.push_back({flag.option, std::move(*value), std::move(source)});
  }

  // What is no flag, and a value that may belong to it.
  void refuse_extras(Errors& errors) const {
    std::vector<std::string> known;
    for (const CLI::Option* option : app_.get_options()) {
      if (!option->get_group().empty()) known.push_back(option->get_name());
    }
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
  std::vector<Flag> flags_;
};

}  // namespace

CommandLine read_command_line(int argc, const char* const* argv, Errors& errors) {
  return Parser().read(argc, argv, errors);
}

std::string help_text() {
  return Parser().help();
}

}  // namespace chatd::config
