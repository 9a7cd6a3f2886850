#include "server/config/config_file.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <optional>

// Errors are values. The library that Debian builds throws them, so only its headers are used.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "server/config/suggestion.h"

namespace chatd::config {
namespace {

using Type = Kind::Type;

constexpr std::size_t kMaxFileBytes = 1 << 20;  // all options with a page of comment each are less

struct Problem {
  toml::source_position at;
  std::string text;
};

std::string at_line(const std::string& path, const toml::source_position& at) {
  return printable(path) + ":" + std::to_string(at.line);
}

// What a value must look like in the file.
const char* wanted(Type type) {
  switch (type) {
    case Type::kNumber:
      return "an integer, as in 100";
    case Type::kBool:
      return "true or false, without quotes";
    case Type::kDuration:
      return "a string with a unit, as in \"300s\"";
    case Type::kSize:
      return "a string with a unit, as in \"4MiB\"";
    case Type::kShards:
      return "an integer, or \"auto\"";
    default:
      return "a string in quotes";
  }
}

const char* name_of(toml::node_type type) {
  switch (type) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or time";
  }
}

// The value as the text that a flag would have; nothing if its TOML type is not the kind's.
std::optional<std::string> text_in(const toml::node& node, Type type) {
  const bool takes_integer = type == Type::kNumber || type == Type::kShards;
  const bool takes_string = type != Type::kNumber && type != Type::kBool;
  if (const auto* integer = node.as_integer(); integer != nullptr && takes_integer) {
    return std::to_string(integer->get());
  }
  if (const auto* text = node.as_string(); text != nullptr && takes_string) return text->get();
  if (const auto* boolean = node.as_boolean(); boolean != nullptr && type == Type::kBool) {
    return boolean->get() ? "true" : "false";
  }
  return std::nullopt;
}

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  void read(const toml::table& file) {
    for (const auto& [key, node] : file) {
      const auto& groups = all_groups();
      const auto group = std::find_if(groups.begin(), groups.end(),
                                      [&](const Group* each) { return each->name == key.str(); });
      if (group == groups.end()) {
        refuse_outside(key, node);
      } else if (const toml::table* const table = node.as_table()) {
        read_group(**group, *table);
      } else {
        refuse(key, printable(key.str()) + ": is " + name_of(node.type()) +
                        ", but must be a table: write [" + (*group)->name + "]");
      }
    }
  }

  std::vector<Given> take_given() { return std::move(given_); }

  // By place: the parser keeps tables in the order of their names.
  void add_errors_to(Errors& errors) {
    std::stable_sort(problems_.begin(), problems_.end(),
                     [](const Problem& a, const Problem& b) { return a.at < b.at; });
    for (const Problem& problem : problems_) {
      errors.push_back(at_line(path_, problem.at) + ":" + std::to_string(problem.at.column) + ": " +
                       problem.text);
    }
  }

 private:
  void refuse(const toml::key& key, std::string text) {
    problems_.push_back({key.source().begin, std::move(text)});
  }

  void refuse_outside(const toml::key& key, const toml::node& node) {
    std::vector<std::string> tables;
    for (const Group* group : all_groups()) tables.emplace_back(group->name);
    const std::string name = printable(key.str());
    if (node.is_table()) return refuse(key, "no such table: " + name + suggest(name, tables));
    for (const Row& row : all_rows()) {
      if (row.key != key.str()) continue;
      return refuse(
          key, name + ": stands outside of its table: write it below [" + row.group->name + "]");
    }
    refuse(key, "no such key: " + name + suggest(name, tables));
  }

  void read_group(const Group& group, const toml::table& table) {
    for (const auto& [key, node] : table) {
      const auto& rows = all_rows();
      const auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& each) {
        return each.group == &group && each.key == key.str();
      });
      if (row == rows.end()) {
        refuse_unknown(group, key);
      } else {
        read_option(*row, key, node);
      }
    }
  }

  void refuse_unknown(const Group& group, const toml::key& key) {
    std::vector<std::string> keys;
    std::string elsewhere;
    for (const Row& row : all_rows()) {
      if (row.group == &group) keys.emplace_back(row.key);
      if (row.key == key.str()) elsewhere = row.group->name;
    }
    const std::string name = printable(key.str());
    refuse(key,
           std::string("no such key in [") + group.name + "]: " + name +
               (elsewhere.empty() ? suggest(name, keys) : " (it belongs in [" + elsewhere + "])"));
  }

  void read_option(const Row& row, const toml::key& key, const toml::node& node) {
    const toml::source_position at = node.source().begin;
    const auto text = text_in(node, row.kind.type);
    if (!text) {
      problems_.push_back({at, row.toml_name() + ": is " + name_of(node.type()) + ", but must be " +
                                   wanted(row.kind.type)});
      return;
    }
    auto value = read_value(row.kind, *text);
    if (!value) {
      problems_.push_back({at, row.toml_name() + ": " + value.error()});
      return;
    }
    given_.push_back(
        {&row, std::move(*value), {Source::Kind::kFile, at_line(path_, key.source().begin)}});
  }

  const std::string& path_;
  std::vector<Given> given_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Given> read_toml(std::string_view content, const std::string& path, Errors& errors) {
  const toml::parse_result file = toml::parse(content);
  if (!file) {
    const toml::parse_error& error = file.error();
    const toml::source_position& at = error.source().begin;
    errors.push_back(at_line(path, at) + ":" + std::to_string(at.column) +
                     ": this is no TOML: " + printable(error.description()));
    return {};
  }
  Reader reader(path);
  reader.read(file.table());
  reader.add_errors_to(errors);
  return reader.take_given();
}

std::vector<Given> read_config_file(const std::string& path, Errors& errors) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  const std::string name = printable(path);
  if (!file) {
    errors.push_back(name + ": the configuration file cannot be opened: " + std::strerror(errno));
    return {};
  }
  std::string content(kMaxFileBytes + 1, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (file.bad()) {
    errors.push_back(name + ": the configuration file cannot be read: " + std::strerror(errno));
    return {};
  }
  content.resize(static_cast<std::size_t>(file.gcount()));
  if (content.size() > kMaxFileBytes) {
    errors.push_back(name + ": longer than 1 MiB: this is no configuration file");
    return {};
  }
  return read_toml(content, path, errors);
}

}  // namespace chatd::config
