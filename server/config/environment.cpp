#include "server/config/sources.h"

#include <algorithm>
#include <string_view>

namespace chatd::config {
namespace {

constexpr std::string_view kFileVariable = "CHATD_CONFIG";

std::vector<std::string> known_names() {
  std::vector<std::string> names{std::string(kFileVariable)};
  for (const OptionSpec& option : all_options()) names.push_back(option.environment());
  return names;
}

// Of the variables that Kubernetes sets in every pod for a service of the name chatd, or one that
// begins with it (chatd-tcp): CHATD_SERVICE_HOST, CHATD_PORT=tcp://10.0.0.1:8000,
// CHATD_PORT_8000_TCP_ADDR. A service chatd-tcp even has the name of an option, CHATD_TCP_PORT.
bool is_of_kubernetes(std::string_view name, std::string_view text) {
  const bool is_address =
      text.starts_with("tcp://") || text.starts_with("udp://") || text.starts_with("sctp://");
  constexpr std::string_view kPort = "_PORT_";
  const std::size_t port = name.find(kPort);
  const bool has_number = port != name.npos && port + kPort.size() < name.size() &&
                          name.find_first_of("0123456789", port) == port + kPort.size();
  return is_address || has_number || name.find("_SERVICE_HOST") != name.npos ||
         name.find("_SERVICE_PORT") != name.npos;
}

void refuse_kubernetes(const std::vector<std::string>& names, Errors& errors) {
  if (names.empty()) return;
  std::string which = names.front();
  if (names.size() > 1) which += " and " + std::to_string(names.size() - 1) + " more";
  errors.push_back(
      which +
      ": Kubernetes sets this for a service whose name begins with chatd, and it looks "
      "like an option: write enableServiceLinks: false into the pod's spec, or give the "
      "service another name");
}

void read_variable(std::string_view name, std::string_view text, Environment& read,
                   Errors& errors) {
  if (name == kFileVariable) {
    if (!text.empty()) read.file = std::string(text);  // empty is how many unset a variable
    return;
  }
  const auto& options = all_options();
  const auto option = std::find_if(options.begin(), options.end(), [&](const OptionSpec& each) {
    return each.environment() == name || (each.has_old_name() && each.old_environment() == name);
  });
  const std::string place = printable(name);
  if (option == options.end()) {
    errors.push_back(place + ": no such option" + suggest(name, known_names()) +
                     "; unset it, chatd --help names all options");
    return;
  }
  const auto value = read_value(option->type, text);
  if (!value) {
    errors.push_back(place + ": " + value.error());
    return;
  }
  Source source{Source::Kind::kEnvironment, place};
  const bool is_old = option->environment() != name;
  if (is_old) source.deprecation = place + " is deprecated: write " + option->environment();
  // The new name counts more, whatever comes first.
  read.overrides.insert(is_old ? read.overrides.begin() : read.overrides.end(),
                        {&*option, *value, std::move(source)});
}

}  // namespace

Environment read_environment(const char* const* environment, Errors& errors) {
  Environment read;
  std::vector<std::string> of_kubernetes;
  for (; *environment != nullptr; ++environment) {
    const std::string_view variable = *environment;
    if (!variable.starts_with("CHATD_") || variable.starts_with("CHATD_TEST_")) continue;
    const std::size_t equals = variable.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = variable.substr(0, equals);
    const std::string_view text = variable.substr(equals + 1);
    if (is_of_kubernetes(name, text)) {
      of_kubernetes.push_back(printable(name));
    } else {
      read_variable(name, text, read, errors);
    }
  }
  refuse_kubernetes(of_kubernetes, errors);
  return read;
}

}  // namespace chatd::config
