#include "tests/integration/server/own_network.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "server/os/unique_fd.h"

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

// A device with a queue hands packets over on whichever CPU empties it, so that they can overtake
// each other between two CPUs.
void stay_on_this_cpu() {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(::sched_getcpu()), &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

}  // namespace

std::string in_own_network(const std::function<void()>& body) {
  std::string reason;
  std::thread thread([&] {
    stay_on_this_cpu();
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

bool slow_down_loopback(unsigned megabit_per_s, unsigned queue_kib) {
  const std::string command = "tc qdisc add dev lo root tbf rate " + std::to_string(megabit_per_s) +
                              "mbit burst 20kb limit " + std::to_string(queue_kib) + "kb";
  return std::system(command.c_str()) == 0;
}

bool set_loopback_mtu(int mtu_bytes) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", sizeof request.ifr_name - 1);
  request.ifr_mtu = mtu_bytes;
  return ::ioctl(socket.get(), SIOCSIFMTU, &request) == 0;
}

}  // namespace chatd::test
