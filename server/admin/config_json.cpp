#include "server/admin/config_json.h"

#include <string_view>

#include "core/base/json_writer.h"

namespace chatd {

std::string config_json(const config::Configuration& configuration) {
  JsonWriter json;
  json.begin_object();
  json.key("options");
  json.begin_array();
  for (const config::Setting& setting : configuration.settings) {
    const std::string name = setting.option->toml_name();
    const std::string source = config::printable(to_text(setting.source));  // may name a file
    json.begin_object();
    json.member("name", std::string_view(name));
    json.member("value", std::string_view(setting.text));
    json.member("source", std::string_view(source));
    json.member("needs_restart", setting.option->needs_restart);
    json.member("description", std::string_view(setting.option->description));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

}  // namespace chatd
