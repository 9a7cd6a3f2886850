#include "tests/support/http.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <sstream>

#include "tests/support/die.h"
#include "tests/support/socket_address.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

constexpr std::string_view kHttp = "http://";
constexpr std::string_view kUnix = "unix:";

// ADDRESS:PORT out of http://ADDRESS:PORT/.
std::string authority_of(const std::string& place) {
  if (!place.starts_with(kHttp)) return "localhost";
  return place.substr(kHttp.size(), place.size() - kHttp.size() - 1);
}

SocketAddress tcp_address(const std::string& place) {
  const std::string authority = authority_of(place);
  const std::size_t colon = authority.rfind(':');
  std::string ip = authority.substr(0, colon);
  if (ip.starts_with('[')) ip = ip.substr(1, ip.size() - 2);
  return {ip, static_cast<std::uint16_t>(std::stoi(authority.substr(colon + 1)))};
}

HttpAnswer parse(const std::string& bytes) {
  HttpAnswer answer;
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string::npos) return answer;
  answer.body = bytes.substr(end + 4);
  std::istringstream head(bytes.substr(0, end));
  std::string version;
  head >> version >> answer.status;
  std::string line;
  std::getline(head, line);
  while (std::getline(head, line)) {
    if (line.ends_with('\r')) line.pop_back();
    const std::size_t colon = std::min(line.find(": "), line.size());
    std::string name = line.substr(0, colon);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    answer.headers[name] = colon == line.size() ? "" : line.substr(colon + 2);
  }
  return answer;
}

}  // namespace

UniqueFd http_connect(const std::string& place) {
  if (place.starts_with(kUnix)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    place.copy(address.sun_path, sizeof address.sun_path - 1, kUnix.size());
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) die("socket");
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      fd.reset();
    }
    return fd;
  }
  const SocketAddress address = tcp_address(place);
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) die("socket");
  if (::connect(fd.get(), address.get(), address.size()) != 0) fd.reset();
  return fd;
}

namespace {

bool send_all(int fd, std::string_view request) {
  while (!request.empty()) {
    const ssize_t sent = ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    request.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// False when there is no more, or not in time.
bool receive_more(int fd, std::string& received, Deadline deadline) {
  if (!wait_ready(fd, POLLIN, deadline)) return false;
  char buffer[16'384];
  const ssize_t count = ::recv(fd, buffer, sizeof buffer, 0);
  if (count > 0) received.append(buffer, static_cast<std::size_t>(count));
  return count > 0;
}

}  // namespace

HttpAnswer http_ask_kept(int fd, std::string_view path, Deadline deadline) {
  std::string request = "GET ";
  request.append(path).append(" HTTP/1.1\r\nHost: localhost\r\n\r\n");
  if (!send_all(fd, request)) return {};
  std::string received;
  while (receive_more(fd, received, deadline)) {
    HttpAnswer answer = parse(received);
    const auto length = answer.headers.find("content-length");
    if (length != answer.headers.end() && answer.body.size() >= std::stoul(length->second)) {
      return answer;
    }
  }
  return {};
}

HttpAnswer http_exchange(int fd, std::string_view request, Deadline deadline) {
  if (!send_all(fd, request)) return {};
  std::string received;
  while (receive_more(fd, received, deadline)) {
  }
  return deadline.passed() ? HttpAnswer{} : parse(received);
}

HttpAnswer http_ask(std::string_view method, const std::string& place, std::string_view path,
                    std::string_view host) {
  const UniqueFd fd = http_connect(place);
  if (!fd) return {};
  std::string request(method);
  request.append(" ").append(path).append(" HTTP/1.1\r\nHost: ");
  request.append(host.empty() ? authority_of(place) : std::string(host));
  request.append("\r\nConnection: close\r\n\r\n");
  return http_exchange(fd.get(), request);
}

}  // namespace chatd::test
