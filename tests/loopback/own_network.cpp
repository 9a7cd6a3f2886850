#include "tests/loopback/own_network.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "tests/support/unique_fd.h"

namespace chatd::test {
namespace {

bool bring_loopback_up() {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", sizeof request.ifr_name - 1);
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) return false;
  request.ifr_flags |= IFF_UP;
  return ::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0;
}

}  // namespace

std::string in_own_network(const std::function<void()>& body) {
  std::string reason;
  std::thread thread([&] {
    if (::unshare(CLONE_NEWNET) != 0) {
      reason = std::string("no network namespaces here: ") + std::strerror(errno);
    } else if (!bring_loopback_up()) {
      reason = std::string("the loopback device stays down: ") + std::strerror(errno);
    } else {
      body();
    }
  });
  thread.join();
  return reason;
}

bool slow_down_loopback(unsigned megabit_per_s) {
  const std::string command = "tc qdisc add dev lo root tbf rate " + std::to_string(megabit_per_s) +
                              "mbit burst 20kb limit 20mb";
  return std::system(command.c_str()) == 0;
}

}  // namespace chatd::test
