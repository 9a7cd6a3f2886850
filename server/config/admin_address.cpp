#include "server/config/admin_address.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "server/os/open_sockets.h"
#include "server/os/socket_address.h"
#include "server/os/system_error.h"

namespace chatd {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::string_view kUnixExample = "unix:/run/chatd/admin.sock";
constexpr int kBacklog = 32;

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

struct HostAndPort {
  std::string_view host;  // without brackets
  std::string_view port;  // empty: none
};

// "HOST:PORT", "[HOST]:PORT", or either without a port.
std::optional<HostAndPort> split(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && !rest.starts_with(':')) return std::nullopt;
    if (!rest.empty()) rest.remove_prefix(1);
    return HostAndPort{text.substr(1, end - 1), rest};
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return HostAndPort{text, {}};
  return HostAndPort{text.substr(0, colon), text.substr(colon + 1)};
}

tl::expected<sockaddr_un, std::string> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return tl::unexpected("the admin socket's path " + path + " is too long: the kernel takes " +
                          std::to_string(sizeof address.sun_path - 1) + " bytes");
  }
  std::copy(path.begin(), path.end(), address.sun_path);
  return address;
}

bool somebody_answers(const sockaddr_un& address) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // EAGAIN: somebody listens, and is busy. Where nobody can tell, nothing is removed.
  return !fd ||
         ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
         errno != ECONNREFUSED;
}

// Makes way for a new socket file at this path.
tl::expected<void, std::string> remove_stale(const std::string& path, const sockaddr_un& address) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  if (!fs::exists(status)) return {};
  if (!fs::is_socket(status)) {
    return tl::unexpected(path + " exists and is not a socket: choose another path for --admin");
  }
  if (somebody_answers(address)) {
    return tl::unexpected("somebody answers on " + path +
                          " already: stop that program, or choose another path for --admin");
  }
  fs::remove(path, error);
  if (!error) return {};
  return tl::unexpected(
      system_error("the old socket " + path + " cannot be removed", error.value()));
}

// Nobody can connect before listen(), so there is no moment at which others might.
tl::expected<UniqueFd, std::string> open_unix_listener(const std::string& path) {
  const auto address = unix_address(path);
  if (!address) return tl::unexpected(address.error());
  const auto removed = remove_stale(path, *address);
  if (!removed) return tl::unexpected(removed.error());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return tl::unexpected(system_error("socket"));
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    return tl::unexpected(system_error("cannot listen on " + path) +
                          ". Does its folder exist, and may chatd write there?");
  }
  std::error_code error;
  fs::permissions(path, fs::perms{0660}, error);
  if (error) {
    return tl::unexpected(system_error("cannot set the mode of " + path, error.value()));
  }
  if (::listen(fd.get(), kBacklog) != 0) {
    return tl::unexpected(system_error("cannot listen on " + path));
  }
  return fd;
}

bool is_localhost(std::string_view name) {
  constexpr std::string_view kLocalhost = "localhost";
  return std::ranges::equal(name, kLocalhost, [](char given, char wanted) {
    return given == wanted || (given >= 'A' && given <= 'Z' && given - 'A' + 'a' == wanted);
  });
}

}  // namespace

tl::expected<AdminAddress, std::string> parse_admin_address(std::string_view text) {
  const std::string quoted = "'" + std::string(text) + "'";
  if (text.starts_with(kUnixPrefix)) {
    text.remove_prefix(kUnixPrefix.size());
    // What is relative would be another file for whoever asks, and after a hand-over.
    if (!text.starts_with('/')) {
      return tl::unexpected(quoted + " names no absolute path: write unix:/PATH, as in " +
                            std::string(kUnixExample));
    }
    return AdminAddress{.socket_path = std::string(text), .endpoint = {}};
  }
  const auto parts = split(text);
  const auto port = parts ? parse_port(parts->port) : std::nullopt;
  const auto ip = parts ? IpAddress::parse(parts->host) : std::nullopt;
  if (!port || !ip) {
    return tl::unexpected(
        quoted + " is not an admin address: write 127.0.0.1:PORT, [::1]:PORT or unix:/PATH");
  }
  if (!ip->is_loopback()) {
    return tl::unexpected(
        quoted +
        " is not a loopback address: the admin endpoint knows no passwords, so only "
        "this machine may reach it. Use 127.0.0.1 or [::1], and a tunnel (ssh "
        "-L) or a proxy with a login from elsewhere");
  }
  return AdminAddress{.socket_path = {}, .endpoint = {.ip = *ip, .port = *port}};
}

tl::expected<UniqueFd, std::string> open_admin_listener(const AdminAddress& address) {
  if (address.is_unix()) return open_unix_listener(address.socket_path);
  SocketAddress socket_address{};
  to_socket_address(address.endpoint, address.endpoint.ip.is_v4() ? AF_INET : AF_INET6,
                    socket_address);
  return open_tcp_listener(socket_address, "--admin");
}

void remove_socket_file(const AdminAddress& address) {
  if (!address.is_unix()) return;
  std::error_code error;
  fs::remove(address.socket_path, error);
}

bool is_loopback_host(std::string_view host) {
  const auto parts = split(host);
  if (!parts) return false;
  if (!parts->port.empty() && !parse_port(parts->port)) return false;
  std::string_view name = parts->host;
  if (name.ends_with('.')) name.remove_suffix(1);
  if (is_localhost(name)) return true;
  const auto ip = IpAddress::parse(parts->host);
  return ip && ip->is_loopback();
}

}  // namespace chatd
