// resolve() of address.h. getaddrinfo(3) blocks for as long as the name servers take, half a minute
// when they are dead, and nothing ends it. So a name is looked up by a thread of its own, which is
// left to itself when its caller does not wait any longer. A literal address needs none.
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include <csignal>
#include <memory>
#include <mutex>
#include <utility>

#include "client/net/address.h"
#include "client/net/unique_fd.h"
#include "client/net/wait.h"

namespace chatd::client {
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
