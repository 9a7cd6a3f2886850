#include "bench/chatbench/probe/socket_drops.h"

#include <charconv>
#include <fstream>
#include <sstream>

namespace chatd::bench {
namespace {

// "  12: 0100007F:2328 00000000:0000 07 …": the port stands behind the second colon.
std::optional<std::uint16_t> local_port_of(std::string_view line) {
  const std::size_t slot_end = line.find(':');
  if (slot_end == std::string_view::npos) return std::nullopt;
  const std::size_t colon = line.find(':', slot_end + 1);
  if (colon == std::string_view::npos) return std::nullopt;
  std::uint16_t port = 0;
  const char* const end = line.data() + line.size();
  const auto [rest, error] = std::from_chars(line.data() + colon + 1, end, port, 16);
  if (error != std::errc{} || rest != line.data() + colon + 5) return std::nullopt;
  return port;
}

std::optional<std::uint64_t> last_number_of(std::string_view line) {
  while (line.ends_with(' ')) line.remove_suffix(1);
  const std::size_t space = line.rfind(' ');
  if (space == std::string_view::npos) return std::nullopt;
  line.remove_prefix(space + 1);
  std::uint64_t number = 0;
  const char* const end = line.data() + line.size();
  const auto [rest, error] = std::from_chars(line.data(), end, number);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return number;
}

}  // namespace

std::optional<std::uint64_t> drops_in_table(std::string_view table, std::uint16_t port) {
  std::optional<std::uint64_t> sum;
  while (!table.empty()) {
    const std::string_view line = table.substr(0, table.find('\n'));
    table.remove_prefix(line.size() < table.size() ? line.size() + 1 : line.size());
    if (local_port_of(line) != port) continue;
    if (const auto drops = last_number_of(line)) sum = sum.value_or(0) + *drops;
  }
  return sum;
}

std::optional<std::uint64_t> socket_drops_at(std::uint16_t port) {
  std::optional<std::uint64_t> sum;
  for (const char* path : {"/proc/net/udp", "/proc/net/udp6"}) {
    const std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    if (const auto drops = drops_in_table(text.str(), port)) sum = sum.value_or(0) + *drops;
  }
  return sum;
}

}  // namespace chatd::bench
