#include "server/config/configuration.h"

#include <cstddef>
#include <utility>

#include "server/config/sources.h"

namespace chatd::config {
namespace {

void set(const Override& given, Configuration& configuration) {
  const auto index = static_cast<std::size_t>(given.option - all_options().data());
  store(*given.option, given.value, configuration.options);
  configuration.settings[index] = {given.option, given.value.text, given.source};
  if (!given.source.deprecation.empty()) {
    configuration.deprecations.push_back(given.source.deprecation);
  }
}

// `--rate-limits off` is every limit of the section at 0, but for those that somebody gave.
void drop_abuse_limits(Configuration& configuration) {
  for (Setting& setting : configuration.settings) {
    if (!is_abuse_limit(*setting.option) || setting.source.kind != Source::Kind::kDefault) continue;
    setting.text = write_number(setting.option->type, 0);
    setting.source.place = "rate_limits off";
    store(*setting.option, {setting.text, 0}, configuration.options);
  }
}

bool is_bare_in_toml(const OptionSpec& option, const std::string& text) {
  switch (option.type.kind) {
    case ValueType::Kind::kNumber:
    case ValueType::Kind::kBool:
      return true;
    case ValueType::Kind::kShards:
    case ValueType::Kind::kTlsPort:
      return text != "auto" && text != "off";
    default:
      return false;
  }
}

}  // namespace

Configuration combine(const std::vector<std::vector<Override>>& sources) {
  Configuration configuration;
  for (const OptionSpec& option : all_options()) {
    configuration.settings.push_back({&option, option.default_text(), {}});
  }
  for (const auto& source : sources) {
    for (const Override& given : source) set(given, configuration);
  }
  if (!configuration.options.has_abuse_limits) drop_abuse_limits(configuration);
  return configuration;
}

tl::expected<Configuration, Errors> load(int argc, const char* const* argv,
                                         const char* const* environment) {
  Errors errors;
  CommandLine line = read_command_line(argc, argv, errors);
  if (line.task == Task::kTell) {
    Configuration nothing = combine({});
    nothing.command_line = std::move(line);
    return nothing;
  }
  Environment variables = read_environment(environment, errors);
  const auto path = line.file ? line.file : variables.file;
  std::vector<Override> file;
  if (path) file = read_config_file(*path, errors);
  if (!errors.empty()) return tl::unexpected(std::move(errors));
  Configuration configuration =
      combine({std::move(file), std::move(variables.overrides), line.overrides});
  configuration.command_line = std::move(line);
  configuration.file = path;
  return configuration;
}

CertificatePlace certificate_files(const Options& options) {
  CertificatePlace place;
  if (options.tls_certificate != kSelfSigned) place.certificate_path = options.tls_certificate;
  place.key_path = options.tls_key == kKeyInCertificate ? place.certificate_path : options.tls_key;
  return place;
}

std::vector<Difference> differences(const Configuration& from, const Configuration& to) {
  std::vector<Difference> found;
  for (std::size_t i = 0; i < from.settings.size(); ++i) {
    const Setting& before = from.settings[i];
    const Setting& after = to.settings[i];
    if (before.text == after.text) continue;
    found.push_back({before.option, before.text, after.text});
  }
  return found;
}

void keep_until_restart(const Configuration& running, Configuration& loaded) {
  for (std::size_t i = 0; i < running.settings.size(); ++i) {
    const Setting& setting = running.settings[i];
    if (!setting.option->needs_restart) continue;
    loaded.settings[i] = setting;
    copy(*setting.option, running.options, loaded.options);
  }
}

namespace {

std::string in_quotes(const std::string& text) {
  std::string quoted(1, '"');
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  quoted += '"';
  return quoted;
}

}  // namespace

std::string toml_text(const OptionSpec& option, const std::string& text) {
  if (is_bare_in_toml(option, text)) return text;
  if (!option.type.is_list()) return in_quotes(text);
  std::string array = "[";
  for (const std::string& element : split_list(text)) {
    if (array.size() > 1) array += ", ";
    array += in_quotes(element);
  }
  return array + "]";
}

std::string print(const Configuration& configuration) {
  std::string text = "# What chatd would use, and where each value comes from.\n";
  const Section* section = nullptr;
  for (const Setting& setting : configuration.settings) {
    if (setting.option->section != section) {
      section = setting.option->section;
      text.append("\n[").append(section->name).append("]\n");
    }
    text.append(setting.option->key).append(" = ").append(toml_text(*setting.option, setting.text));
    text.append("  # ").append(to_text(setting.source)).append("\n");
  }
  return text;
}

}  // namespace chatd::config
