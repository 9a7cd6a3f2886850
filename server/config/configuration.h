// The configuration of chatd: flags over environment over file over default. Loading neither prints
// nor ends the program, so that a running chatd can load again and keep what it has if the new one
// is not sound.
#pragma once

#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "server/config/options.h"
#include "server/config/sources.h"
#include "server/tls/find_certificate.h"

namespace chatd::config {

// One option's value, as the configuration file would have it without quotes.
struct Setting {
  const OptionSpec* option;
  std::string text;
  Source source;
};

struct Configuration {
  Options options;
  std::vector<Setting> settings;               // one for each option, in the table's order
  CommandLine command_line;                    // what to do with it
  std::optional<std::string> file = {};        // the path, if there is one
  std::vector<std::string> deprecations = {};  // old names that are used, and what to write
};

// All that is wrong, at once. With --help and --version nothing but the command line is read.
tl::expected<Configuration, Errors> load(int argc, const char* const* argv,
                                         const char* const* environment);

// The operator's, for server/tls/.
CertificatePlace certificate_files(const Options& options);

struct Difference {
  const OptionSpec* option;
  std::string old_text;
  std::string new_text;

  bool needs_restart() const { return option->needs_restart; }
};

std::vector<Difference> differences(const Configuration& from, const Configuration& to);

// In what a running chatd has loaded again: the options that need a restart stay as they are.
void keep_until_restart(const Configuration& running, Configuration& loaded);

// Options from these sources, the last one counts most.
Configuration combine(const std::vector<std::vector<Override>>& sources);

// The configuration as a file that loads to the same one; comments say where each value comes from.
std::string print(const Configuration& configuration);

// A value as it stands in the file: 5, true, "300s".
std::string toml_text(const OptionSpec& option, const std::string& text);

// What is allowed, and hardly what was meant: sentences, for the person who checks a configuration.
std::vector<std::string> warnings(const Configuration& configuration);

// The configuration at the start of the program, where errors end it. Without a configuration,
// everything has been printed (--help, --check-config, an error) and the
// value is the exit code.
tl::expected<Configuration, int> configure(int argc, const char* const* argv);

}  // namespace chatd::config
