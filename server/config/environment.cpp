#include "server/config/environment.h"

#include <algorithm>
#include <string_view>

#include "server/config/suggestion.h"

namespace chatd::config {
namespace {

constexpr std::string_view kFileVariable = "CHATD_CONFIG";

std::vector<std::string> known_names() {
  std::vector<std::string> names{std::string(kFileVariable)};
  for (const Row& row : all_rows()) names.push_back(row.environment());
  return names;
}

void read_variable(std::string_view name, std::string_view text, Environment& read,
                   Errors& errors) {
  if (name == kFileVariable) {
    if (!text.empty()) read.file = std::string(text);  // empty is how many unset a variable
    return;
  }
  const auto& rows = all_rows();
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [&](const Row& each) { return each.environment() == name; });
  const std::string place = printable(name);
  if (row == rows.end()) {
    errors.push_back(place + ": no such option" + suggest(name, known_names()) +
                     "; unset it, chatd --help names all options");
    return;
  }
  const auto value = read_value(row->kind, text);
  if (!value) {
    errors.push_back(place + ": " + value.error());
    return;
  }
  read.given.push_back({&*row, *value, {Source::Kind::kEnvironment, place}});
}

}  // namespace

Environment read_environment(const char* const* environment, Errors& errors) {
  Environment read;
  for (; *environment != nullptr; ++environment) {
    const std::string_view variable = *environment;
    if (!variable.starts_with("CHATD_") || variable.starts_with("CHATD_TEST_")) continue;
    const std::size_t equals = variable.find('=');
    if (equals == std::string_view::npos) continue;
    read_variable(variable.substr(0, equals), variable.substr(equals + 1), read, errors);
  }
  return read;
}

}  // namespace chatd::config
