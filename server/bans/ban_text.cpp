#include "server/bans/ban_text.h"

#include <algorithm>
#include <cstddef>
#include <variant>

#include "core/base/names.h"
#include "server/os/socket_address.h"

namespace chatd {
namespace {

std::string_view without_blanks(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  text.remove_suffix(text.size() - (text.find_last_not_of(' ') + 1));
  return text;
}

// `read` makes an element of a text, or an error.
template <class Element, class Read>
tl::expected<std::vector<Element>, std::string> parse_list(std::string_view list, Read read) {
  std::vector<Element> elements;
  if (list == kNoBans) return elements;
  for (;;) {
    const std::size_t comma = list.find(',');
    const std::string_view text = without_blanks(list.substr(0, comma));
    auto element = read(text);
    if (!element) return tl::unexpected("'" + std::string(text) + "': " + element.error());
    elements.push_back(std::move(*element));
    if (comma == std::string_view::npos) return elements;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

tl::expected<std::vector<AddressRange>, std::string> parse_address_ranges(std::string_view list) {
  return parse_list<AddressRange>(list, &AddressRange::parse);
}

tl::expected<std::vector<std::string>, std::string> parse_banned_names(std::string_view list) {
  using Name = tl::expected<std::string, std::string>;
  return parse_list<std::string>(list, [](std::string_view text) -> Name {
    if (is_valid_name(text)) return std::string(text);
    return tl::unexpected<std::string>("nobody can have this name: leave it out");
  });
}

std::string to_text(const AddressRange& range) {
  const std::string network = to_text(range.network());
  return range.is_one_address() ? network : network + "/" + std::to_string(range.prefix());
}

std::string to_text(const BanTarget& target) {
  const auto* const range = std::get_if<AddressRange>(&target);
  return range != nullptr ? to_text(*range) : std::get<std::string>(target);
}

}  // namespace chatd
