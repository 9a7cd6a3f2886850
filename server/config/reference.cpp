#include "server/config/reference.h"

#include <cstddef>
#include <set>

#include "server/config/configuration.h"
#include "server/config/table.h"

namespace chatd::config {
namespace {

constexpr std::size_t kCommentColumns = 96;

const char* how_it_changes(const OptionSpec& option) {
  return option.needs_restart ? "a change needs a restart" : "a reload is enough";
}

// The text as comment lines, broken between words.
std::string as_comment(std::string_view text) {
  std::string lines;
  std::string line = "#";
  while (!text.empty()) {
    const std::size_t end = text.find(' ');
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.size() + 1 + word.size() > kCommentColumns) {
      lines.append(line).append("\n");
      line = "#";
    }
    line.append(" ").append(word);
  }
  return lines.append(line).append("\n");
}

// Hyphens that may be copied, and no line that begins like a command of man(7).
std::string as_troff(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else if ((c == '\'' || c == '.') && escaped.empty()) {
      escaped.append("\\&").push_back(c);
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string heading_of(const OptionSpec& option) {
  std::string heading = "\\fB" + as_troff(option.flag()) + "\\fR";
  if (option.type.kind != ValueType::Kind::kBool) {
    heading.append(" \\fI").append(as_troff(option.type.placeholder)).append("\\fR");
  }
  return heading;
}

std::string as_table_cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') cell += '\\';
    cell += c;
  }
  return cell;
}

// What may stand behind its flag, with spaces in between. Nothing: it is no choice among words.
std::string words_of(const OptionSpec& option) {
  std::string words;
  if (option.type.kind == ValueType::Kind::kShards) words = " auto";
  if (option.type.kind == ValueType::Kind::kTlsPort) words = " auto off";
  if (option.type.kind != ValueType::Kind::kBool) {
    for (const std::string& word : option.type.words) words.append(" ").append(word);
  }
  return words.empty() ? words : words.substr(1);
}

std::string completion_values(const char* before, const char* after) {
  std::string text;
  for (const OptionSpec& option : all_options()) {
    const std::string words = words_of(option);
    if (words.empty()) continue;
    text.append("    chatd:").append(option.flag()).append(before).append(words);
    text.append(after).append("\n");
  }
  return text;
}

}  // namespace

std::string example_file() {
  std::string text =
      "# chatd's configuration: every option at its default. Remove the # in front of those that\n"
      "# you want to change, then try it: chatd --check-config --config chatd.toml\n"
      "#\n"
      "# Flags and environment variables go before this file; `chatd --print-config` says what is "
      "in\n"
      "# force and where each value comes from.\n";
  const Section* section = nullptr;
  for (const OptionSpec& option : all_options()) {
    if (option.section != section) {
      section = option.section;
      text.append("\n# ").append(section->title).append("\n[").append(section->name).append("]\n");
    }
    text.append("\n").append(as_comment(option.description));
    text.append(as_comment(describe_range(option.type) + "; " + how_it_changes(option)));
    text.append("#").append(option.key).append(" = ");
    text.append(toml_text(option, option.default_text())).append("\n");
  }
  return text;
}

std::string manual_options() {
  std::string text;
  const Section* section = nullptr;
  for (const OptionSpec& option : all_options()) {
    if (option.section != section) {
      section = option.section;
      text.append(".SS \"").append(as_troff(section->title)).append("\"\n");
    }
    text.append(".TP\n").append(heading_of(option)).append("\n");
    text.append(as_troff(option.description)).append(".\n.br\n");
    text.append("Values: ").append(as_troff(describe_range(option.type)));
    text.append(". Default: ").append(as_troff(option.default_text())).append(".\n.br\n");
    text.append("Variable \\fB").append(option.environment()).append("\\fR, key \\fB");
    text.append(as_troff(option.toml_name())).append("\\fR; ");
    text.append(how_it_changes(option)).append(".\n");
  }
  return text;
}

std::string options_table() {
  std::string text;
  const Section* section = nullptr;
  for (const OptionSpec& option : all_options()) {
    if (option.section != section) {
      section = option.section;
      text.append("\n## ").append(section->title).append("\n\n");
      text.append("In the file: `[").append(section->name).append("]`.\n\n");
      text.append("| key | flag, variable | default | values | change | |\n");
      text.append("| --- | --- | --- | --- | --- | --- |\n");
    }
    text.append("| `").append(option.key).append("` | `").append(option.flag()).append("` `");
    text.append(option.environment()).append("` | `").append(option.default_text()).append("` | ");
    text.append(as_table_cell(describe_range(option.type))).append(" | ");
    text.append(option.needs_restart ? "restart" : "reload").append(" | ");
    text.append(as_table_cell(option.description)).append(" |\n");
  }
  return text.append("\n");
}

std::string bash_values() {
  return completion_values(") echo '", "' ;;") + "    chatctl:log-level) echo '" +
         words_of(option_named("log.level")) + "' ;;\n";
}

std::string zsh_values() {
  return completion_values(") action='(", ")' ;;");
}

std::string fuzzer_words() {
  std::set<std::string> words;
  for (const OptionSpec& option : all_options()) {
    words.insert(std::string("[") + option.section->name + "]");
    words.insert(option.key);
    for (const std::string& word : option.type.words) words.insert("\\\"" + word + "\\\"");
  }
  std::string text;
  for (const std::string& word : words) text.append("\"").append(word).append("\"\n");
  return text;
}

std::string kernel_buffer_limits() {
  const Options defaults;
  return "net.core.rmem_max = " + std::to_string(defaults.receive_buffer_bytes) +
         "\nnet.core.wmem_max = " + std::to_string(defaults.send_buffer_bytes) + "\n";
}

std::string socket_unit_buffers() {
  const Options defaults;
  return "ReceiveBuffer=" + std::to_string(defaults.receive_buffer_bytes) +
         "\nSendBuffer=" + std::to_string(defaults.send_buffer_bytes) + "\n";
}

tl::expected<std::string, std::string> between_markers(std::string_view document,
                                                       const std::string& name,
                                                       std::string_view text) {
  const std::size_t begin = document.find(name + ": begin");
  if (begin == std::string_view::npos) return tl::unexpected("no '" + name + ": begin'");
  const std::size_t from = document.find('\n', begin);
  const std::size_t end = document.find(name + ": end", begin);
  if (from == std::string_view::npos || end == std::string_view::npos || end < from) {
    return tl::unexpected("no line '" + name + ": end' below '" + name + ": begin'");
  }
  const std::size_t to = document.rfind('\n', end);
  std::string whole(document.substr(0, from + 1));
  return whole.append(text).append(document.substr(to + 1));
}

}  // namespace chatd::config
