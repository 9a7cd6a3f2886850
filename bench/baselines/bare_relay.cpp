#include "bench/baselines/bare_relay.h"

#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "client/net/address.h"
#include "client/net/wait.h"

namespace chatd::bench {

namespace {

constexpr std::string_view kJoin = "J ";
constexpr std::string_view kKnown = "K ";

std::optional<std::string_view> rest_after(std::string_view start, std::string_view datagram) {
  if (!datagram.starts_with(start)) return std::nullopt;
  return datagram.substr(start.size());
}

}  // namespace

std::string registration_of(std::string_view room) {
  return std::string(kJoin).append(room);
}

std::optional<std::string_view> parse_registration(std::string_view datagram) {
  return rest_after(kJoin, datagram);
}

std::string acknowledgement_of(std::string_view prefix) {
  return std::string(kKnown).append(prefix);
}

std::optional<std::string_view> parse_acknowledgement(std::string_view datagram) {
  return rest_after(kKnown, datagram);
}

namespace {

using client::Address;

// For some 70,000 messages on their way: a hundred rooms with windows of 256, and to spare.
constexpr int kBufferBytes = 64 * 1024 * 1024;
constexpr std::int64_t kLookupPatienceMs = 10'000;

tl::unexpected<std::string> failed(const std::string& what) {
  const int error = errno;
  return tl::unexpected(what + ": " + std::strerror(error));
}

tl::expected<Address, std::string> resolve_v4(const BareOptions& options) {
  const auto found =
      client::resolve(options.host, options.udp_port, client::now_ms() + kLookupPatienceMs, -1);
  if (!found) return tl::unexpected(found.error().reason);
  const auto v4 = std::find_if(found->begin(), found->end(),
                               [](const Address& address) { return address.family() == AF_INET; });
  if (v4 == found->end()) {
    return tl::unexpected("'" + options.host + "' has no IPv4 address: name one with --host");
  }
  return *v4;
}

// The forced form passes net.core.rmem_max and needs CAP_NET_ADMIN.
void set_buffer(int fd, int forced, int plain) {
  if (::setsockopt(fd, SOL_SOCKET, forced, &kBufferBytes, sizeof kBufferBytes) == 0) return;
  ::setsockopt(fd, SOL_SOCKET, plain, &kBufferBytes, sizeof kBufferBytes);
}

void end_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { ::_exit(0); };
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
}

}  // namespace

tl::expected<BareOptions, int> parse_bare_options(const std::string& program,
                                                  const std::string& description, int argc,
                                                  const char* const* argv) {
  constexpr int kCannotTell = 1;
  constexpr int kUsageError = 2;
  BareOptions options;
  CLI::App app(description, program);
  app.add_option("--host", options.host, "IPv4 address to listen on")->capture_default_str();
  app.add_option("--udp-port", options.udp_port, "Port (0: a free one)")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool is_usage_error = app.exit(error) != 0;
    const bool is_told = static_cast<bool>(std::cout.flush());
    return tl::unexpected(is_usage_error ? kUsageError : is_told ? 0 : kCannotTell);
  }
  return options;
}

tl::expected<UniqueFd, std::string> open_bare_socket(const std::string& name,
                                                     const BareOptions& options) {
  const auto address = resolve_v4(options);
  if (!address) return tl::unexpected(address.error());
  UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return failed("cannot open a UDP socket");
  if (::bind(socket.get(), address->get(), address->size_bytes()) != 0) {
    return failed("cannot listen on UDP " + address->to_string() +
                  " (choose another port with --udp-port, 0 picks a free one)");
  }
  set_buffer(socket.get(), SO_RCVBUFFORCE, SO_RCVBUF);
  set_buffer(socket.get(), SO_SNDBUFFORCE, SO_SNDBUF);
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &length);
  end_on_signals();
  std::printf("%s ready udp=%s\n", name.c_str(),
              Address(reinterpret_cast<sockaddr*>(&bound), length).to_string().c_str());
  std::fflush(stdout);
  return socket;
}

}  // namespace chatd::bench
