#include "client/chat/style.h"

#include <array>
#include <cstdint>
#include <cstdlib>

namespace chatd::client {
namespace {

// Those of the sixteen that can be read on a dark and on a light background.
constexpr std::array<std::string_view, 10> kNameColours{"31", "32", "33", "35", "36",
                                                        "91", "92", "94", "95", "96"};
constexpr std::string_view kQuiet = "2";

// FNV-1a: std::hash may differ from one build to the next, and a name's colour should not.
std::uint32_t stable_hash(std::string_view text) {
  std::uint32_t hash = 2'166'136'261U;
  for (const char c : text) {
    hash ^= static_cast<std::uint8_t>(c);
    hash *= 16'777'619U;
  }
  return hash;
}

}  // namespace

Style Style::from_environment() {
  const char* const no_colour = std::getenv("NO_COLOR");
  return Style(no_colour == nullptr || *no_colour == '\0');
}

std::string Style::name(std::string_view name, std::string_view shown) const {
  return wrap(kNameColours[stable_hash(name) % kNameColours.size()], shown);
}

std::string Style::quiet(std::string_view shown) const {
  return wrap(kQuiet, shown);
}

std::string Style::wrap(std::string_view codes, std::string_view shown) const {
  std::string out;
  if (!coloured_) return out.append(shown);
  return out.append("\x1b[").append(codes).append("m").append(shown).append("\x1b[0m");
}

}  // namespace chatd::client
