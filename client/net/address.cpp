#include "client/net/address.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>

#include "client/net/unique_fd.h"
#include "client/net/wait.h"

namespace chatd::client {

Address::Address(const sockaddr* address, socklen_t size_bytes)
    : size_bytes_(std::min<socklen_t>(size_bytes, sizeof storage_)) {
  std::memcpy(&storage_, address, size_bytes_);
}

const sockaddr* Address::get() const {
  return reinterpret_cast<const sockaddr*>(&storage_);
}

std::uint16_t Address::port() const {
  if (family() == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
}

Address Address::with_port(std::uint16_t port) const {
  Address changed = *this;
  if (family() == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&changed.storage_)->sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in*>(&changed.storage_)->sin_port = htons(port);
  }
  return changed;
}

bool Address::is_loopback() const {
  constexpr std::uint32_t kLoopbackNet = 127;
  if (family() == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage_);
    return ntohl(v4.sin_addr.s_addr) >> 24 == kLoopbackNet;
  }
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6&>(storage_).sin6_addr;
  return family() == AF_INET6 && (IN6_IS_ADDR_LOOPBACK(&v6) ||
                                  (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == kLoopbackNet));
}

std::string Address::ip() const {
  std::array<char, NI_MAXHOST> host{};
  if (::getnameinfo(get(), size_bytes_, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST) !=
      0) {
    return "?";
  }
  return host.data();
}

std::string Address::to_string() const {
  return (family() == AF_INET6 ? "[" + ip() + "]" : ip()) + ":" + std::to_string(port());
}

namespace {

using Found = tl::expected<std::vector<Address>, Error>;

Found look_up(const std::string& host, int flags) {
  std::string name = host;
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') {
    name = name.substr(1, name.size() - 2);
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* first = nullptr;
  const int result = ::getaddrinfo(name.c_str(), nullptr, &hints, &first);
  if (result != 0) {
    return failure(ErrorKind::kUnreachable,
                   "cannot find the host " + host + ": " + ::gai_strerror(result));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(first, ::freeaddrinfo);
  std::vector<Address> addresses;
  for (const addrinfo* entry = first; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family != AF_INET && entry->ai_family != AF_INET6) continue;
    addresses.emplace_back(entry->ai_addr, entry->ai_addrlen);
  }
  if (addresses.empty()) {
    return failure(ErrorKind::kUnreachable, "the host " + host + " has no IP address");
  }
  return addresses;
}

// This machine, whatever its files say (RFC 6761): a server there may have either address.
Found loopback() {
  Found both = look_up("127.0.0.1", AI_NUMERICHOST);
  const Found v6 = look_up("::1", AI_NUMERICHOST);
  if (both && v6) both->insert(both->end(), v6->begin(), v6->end());
  return both;
}

// Owned by both sides, since either may be the last to need it.
struct Lookup {
  std::string host;
  UniqueFd done{::eventfd(0, EFD_CLOEXEC)};
  std::mutex mutex;
  Found found;  // under the mutex
};

void* run(void* argument) {
  const std::unique_ptr<std::shared_ptr<Lookup>> owner(
      static_cast<std::shared_ptr<Lookup>*>(argument));
  Lookup& lookup = **owner;
  Found found = look_up(lookup.host, 0);
  const std::lock_guard lock(lookup.mutex);
  lookup.found = std::move(found);
  ::eventfd_write(lookup.done.get(), 1);
  return nullptr;
}

// Signals are the caller's: the thread is started with all of them blocked.
bool start(const std::shared_ptr<Lookup>& lookup) {
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  auto argument = std::make_unique<std::shared_ptr<Lookup>>(lookup);
  pthread_t thread{};
  const bool is_started = ::pthread_create(&thread, nullptr, run, argument.get()) == 0;
  if (is_started) {
    (void)argument.release();
    ::pthread_detach(thread);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return is_started;
}

Found look_up_in_time(const std::string& host, std::int64_t deadline_ms, int interrupt_fd) {
  const auto lookup = std::make_shared<Lookup>();
  lookup->host = host;
  if (!lookup->done || !start(lookup)) return look_up(host, 0);
  switch (wait_for(lookup->done.get(), POLLIN, deadline_ms, interrupt_fd)) {
    case WaitResult::kInterrupted:
      return failure(ErrorKind::kInterrupted, "interrupted");
    case WaitResult::kTimedOut:
      return failure(ErrorKind::kUnreachable,
                     "cannot find the host " + host + ": the name servers do not answer in time");
    case WaitResult::kReady:
      break;
  }
  const std::lock_guard lock(lookup->mutex);
  return std::move(lookup->found);
}

}  // namespace

Found resolve(const std::string& host, std::uint16_t port, std::int64_t deadline_ms,
              int interrupt_fd) {
  auto found = host == "localhost" ? loopback() : look_up(host, AI_NUMERICHOST);
  if (!found) found = look_up_in_time(host, deadline_ms, interrupt_fd);
  if (!found) return found;
  for (Address& address : *found) address = address.with_port(port);
  return found;
}

}  // namespace chatd::client
