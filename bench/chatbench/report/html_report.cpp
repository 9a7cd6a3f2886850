#include "bench/chatbench/report/formats.h"

#include <array>
#include <cstddef>
#include <utility>

#include "bench/chatbench/report/page_assets.h"

namespace chatd::bench {

std::string json_for_script(std::string_view json) {
  std::string safe;
  safe.reserve(json.size());
  for (const char byte : json) {
    // In JSON a '<' stands in strings only, so the escape is always in its place.
    if (byte == '<') {
      safe += "\\u003c";
    } else {
      safe += byte;
    }
  }
  return safe;
}

std::string to_html(const RunResult& result) {
  const std::string data = json_for_script(to_json(result));
  const std::array<std::pair<std::string_view, std::string_view>, 3> parts = {
      {{"%STYLE%", kPageStyle}, {"%DATA%", data}, {"%SCRIPT%", kPageScript}}};
  // In the template's order, each looked for behind the one before: what is put in is never looked
  // at for another mark.
  std::string page;
  std::string_view rest = kPageTemplate;
  for (const auto& [mark, text] : parts) {
    const std::size_t at = rest.find(mark);
    page.append(rest.substr(0, at)).append(text);
    rest.remove_prefix(at + mark.size());
  }
  return page.append(rest);
}

}  // namespace chatd::bench
