#include "bench/chatbench/probe/server_watch.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

namespace chatd::bench {

namespace {

// "  12: 0100007F:2328 00000000:0000 07 …": columns in the order of the table.
constexpr std::size_t kLocalColumn = 1;
constexpr std::size_t kInodeColumn = 9;
constexpr std::size_t kDropsColumn = 12;
constexpr std::size_t kColumns = 13;
using Columns = std::array<std::string_view, kColumns>;

std::optional<Columns> columns_of(std::string_view line) {
  Columns columns;
  for (std::string_view& column : columns) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    if (line.empty()) return std::nullopt;
    column = line.substr(0, line.find(' '));
    line.remove_prefix(column.size());
  }
  return columns;
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return number;
}

// An address as the tables write it: words of 32 bits, each in the machine's own order.
std::string hex_of(const void* ip, std::size_t words) {
  std::string hex;
  for (std::size_t i = 0; i < words; ++i) {
    std::uint32_t word = 0;
    std::memcpy(&word, static_cast<const char*>(ip) + i * sizeof word, sizeof word);
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%08X", word);
    hex += text.data();
  }
  return hex;
}

// All that a socket which hears the address may be bound to: it, or any, in either table.
std::vector<std::string> local_columns_for(const client::Address& address) {
  std::array<char, 16> port{};
  std::snprintf(port.data(), port.size(), ":%04X", static_cast<unsigned>(address.port()));
  std::vector<std::string> hosts{std::string(8, '0'), std::string(32, '0')};
  if (address.family() == AF_INET6) {
    const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(address.get());
    hosts.push_back(hex_of(&v6->sin6_addr, 4));
  } else {
    const auto* const v4 = reinterpret_cast<const sockaddr_in*>(address.get());
    const std::uint32_t mapped = htonl(0xffff);
    hosts.push_back(hex_of(&v4->sin_addr, 1));
    hosts.push_back(std::string(16, '0') + hex_of(&mapped, 1) + hex_of(&v4->sin_addr, 1));
  }
  for (std::string& host : hosts) host += port.data();
  return hosts;
}

}  // namespace

bool UdpSockets::has_one_of(const UdpSockets& earlier) const {
  return std::any_of(inodes.begin(), inodes.end(), [&earlier](std::uint64_t inode) {
    return std::find(earlier.inodes.begin(), earlier.inodes.end(), inode) != earlier.inodes.end();
  });
}

std::optional<UdpSockets> sockets_in_table(std::string_view table, const client::Address& address) {
  const auto wanted = local_columns_for(address);
  UdpSockets found;
  while (!table.empty()) {
    const std::string_view line = table.substr(0, table.find('\n'));
    table.remove_prefix(line.size() < table.size() ? line.size() + 1 : line.size());
    const auto columns = columns_of(line);
    if (!columns) continue;
    if (std::find(wanted.begin(), wanted.end(), (*columns)[kLocalColumn]) == wanted.end()) continue;
    const auto inode = number_of((*columns)[kInodeColumn]);
    const auto drops = number_of((*columns)[kDropsColumn]);
    if (!inode || !drops) continue;
    found.inodes.push_back(*inode);
    found.drops += *drops;
  }
  if (found.inodes.empty()) return std::nullopt;
  return found;
}

std::optional<UdpSockets> udp_sockets_at(const client::Address& address) {
  UdpSockets all;
  for (const char* path : {"/proc/net/udp", "/proc/net/udp6"}) {
    const std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    const auto found = sockets_in_table(text.str(), address);
    if (!found) continue;
    all.drops += found->drops;
    all.inodes.insert(all.inodes.end(), found->inodes.begin(), found->inodes.end());
  }
  if (all.inodes.empty()) return std::nullopt;
  return all;
}

ServerWatch::ServerWatch(std::optional<pid_t> pid, const std::optional<client::Address>& udp)
    : pid_(pid), udp_(udp), sockets_(look()) {
  if (pid) process_.emplace(*pid);
}

std::string ServerWatch::trouble() const {
  if (has_ended()) return "the server's process " + std::to_string(*pid_) + " has ended";
  if (!sockets_) return {};
  const auto now = look();
  if (now && now->has_one_of(*sockets_)) return {};
  return "the server's UDP socket at " + udp_->to_string() +
         (now ? " is another one than at the begin: the server was started afresh"
              : " is gone: the server has ended");
}

std::optional<std::uint64_t> ServerWatch::drops() const {
  const auto now = look();
  if (!sockets_ || !now || !now->has_one_of(*sockets_)) return std::nullopt;
  return now->drops;
}

std::optional<UdpSockets> ServerWatch::look() const {
  return udp_ ? udp_sockets_at(*udp_) : std::nullopt;
}

}  // namespace chatd::bench
