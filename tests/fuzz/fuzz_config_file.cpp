// The configuration file: any bytes either load, and then print to a file that loads to the same,
// or are refused with reasons that point into the file.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "server/config/configuration.h"
#include "server/config/sources.h"
#include "tests/fuzz/targets.h"

namespace chatd::fuzz {
namespace {

// The number in front of the next colon, which is taken off; 0 if there is none.
std::size_t take_number(std::string_view& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return 0;
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + colon, number);
  if (error != std::errc() || end != text.data() + colon) return 0;
  text.remove_prefix(colon + 1);
  return number;
}

// "file:LINE:COLUMN: text", within the file or right behind its end.
void check_place(std::string_view error, std::string_view content) {
  constexpr std::string_view kFile = "file:";
  require(error.starts_with(kFile), "an error names the file");
  error.remove_prefix(kFile.size());
  const std::size_t line = take_number(error);
  const std::size_t column = take_number(error);
  require(line > 0 && column > 0, "an error has a line and a column");
  require(error.size() > 1 && error.front() == ' ', "an error says something");
  const auto lines = static_cast<std::size_t>(std::ranges::count(content, '\n')) + 1;
  require(line <= lines, "an error's line is in the file");
  std::string_view rest = content;
  for (std::size_t i = 1; i < line; ++i) rest.remove_prefix(rest.find('\n') + 1);
  // A line's end is a column, too, and where the file ends there is one more.
  require(column <= std::min(rest.find('\n'), rest.size()) + 2, "an error's column is in its line");
}

}  // namespace

void fuzz_config_file(std::string_view input) {
  config::Errors errors;
  std::vector<config::Override> given = config::read_toml(input, "file", errors);
  for (const std::string& error : errors) check_place(error, input);
  if (!errors.empty()) return;

  const config::Configuration configuration = config::combine({std::move(given)});
  const config::Configuration again =
      config::combine({config::read_toml(config::print(configuration), "printed", errors)});
  require(errors.empty(), "what is printed loads");
  require(config::differences(configuration, again).empty(), "what is printed loads to the same");
  for (const config::OptionSpec& option : config::all_options()) {
    require(text_of(option, configuration.options) == text_of(option, again.options),
            "what is printed means the same");
  }
}

}  // namespace chatd::fuzz
