#include "tests/integration/networks/network_namespace.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "tests/integration/networks/ip_packet.h"
#include "tests/support/die.h"
#include "tests/support/process.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

// Not /proc/self: that is the main thread's, whichever thread asks.
constexpr const char* kThisNetwork = "/proc/thread-self/ns/net";

UniqueFd open_this_network() {
  UniqueFd fd(::open(kThisNetwork, O_RDONLY | O_CLOEXEC));
  if (!fd) die(kThisNetwork);
  return fd;
}

void move_to(const UniqueFd& network) {
  if (::setns(network.get(), CLONE_NEWNET) != 0) die("setns");
}

std::optional<ExitStatus> run_ip(const std::vector<std::string>& commands, std::string& said) {
  Process ip({"/usr/bin/env", "ip", "-batch", "-"});
  for (const std::string& command : commands) ip.write_stdin(command + "\n");
  ip.close_stdin();
  const auto status = ip.wait_exit();
  said = ip.captured(Stream::kStdout) + ip.captured(Stream::kStderr);
  return status;
}

// /proc/net/dev: after the device's name 16 figures, the fourth and the twelfth of them drops.
std::uint64_t device_drops() {
  std::ifstream file("/proc/thread-self/net/dev");
  std::uint64_t drops = 0;
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    std::istringstream figures(line.substr(colon + 1));
    std::uint64_t figure = 0;
    for (int i = 1; i <= 12 && figures >> figure; ++i) {
      if (i == 4 || i == 12) drops += figure;
    }
  }
  return drops;
}

// /proc/net/snmp: for each protocol ("Udp:") a line of names and a line of figures.
std::uint64_t figure4(const std::string& protocol, const std::string& wanted) {
  std::ifstream file("/proc/thread-self/net/snmp");
  std::string names;
  std::string figures;
  while (std::getline(file, names) && std::getline(file, figures)) {
    if (!names.starts_with(protocol)) continue;
    std::istringstream name_words(names);
    std::istringstream figure_words(figures);
    std::string figure;
    for (std::string name; name_words >> name && figure_words >> figure;) {
      if (name == wanted) return std::stoull(figure);
    }
  }
  ADD_FAILURE() << protocol << " has no " << wanted;
  return 0;
}

// /proc/net/snmp6: a name and a figure on each line.
std::uint64_t figure6(const std::string& wanted) {
  std::ifstream file("/proc/thread-self/net/snmp6");
  std::string name;
  for (std::uint64_t figure = 0; file >> name >> figure;) {
    if (name == wanted) return figure;
  }
  ADD_FAILURE() << "IPv6 has no " << wanted;
  return 0;
}

// /proc/net/ipv6_route: each line begins with the destination and its length, in hexadecimal. Only
// an address of one's own has a route of all 128 bits here.
bool is_own_address6(const std::string& address) {
  std::string expected;
  for (const char byte : raw_address(address)) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto value = static_cast<unsigned char>(byte);
    expected += {kDigits[value >> 4], kDigits[value & 0x0f]};
  }
  expected += " 80 ";
  std::ifstream file("/proc/thread-self/net/ipv6_route");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(expected)) return true;
  }
  return false;
}

std::string ask_why_no_networks() {
  const UniqueFd before = open_this_network();
  if (::unshare(CLONE_NEWNET) != 0) {
    return std::string("no network namespaces here (unshare: ") + std::strerror(errno) + ")";
  }
  std::string said;
  const auto status =
      run_ip({"link set lo up", "link add name eth0 type veth peer name eth1"}, said);
  const bool has_tun = ::access("/dev/net/tun", R_OK | W_OK) == 0;
  move_to(before);
  if (!status || status->code == 127) return "the program ip (iproute2) is not here";
  if (status->code != 0) return "no veth devices here: " + said;
  if (::access("/proc/net/if_inet6", R_OK) != 0) return "no IPv6 here";
  if (::access("/proc/sys/net/ipv6/conf/all/accept_dad", W_OK) != 0)
    return "/proc/sys is read-only";
  if (!has_tun) return "no TUN devices here (/dev/net/tun)";
  return "";
}

}  // namespace

NetworkNamespace::NetworkNamespace() {
  const UniqueFd before = open_this_network();
  if (::unshare(CLONE_NEWNET) != 0) die("unshare");
  fd_ = open_this_network();
  move_to(before);
  // The devices' own IPv6 addresses: see add_addresses.
  set_sysctl("net/ipv6/conf/all/accept_dad", "0");
  set_sysctl("net/ipv6/conf/default/accept_dad", "0");
  ip({"link set lo up"});
}

std::string NetworkNamespace::path() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd());
}

void NetworkNamespace::ip(const std::vector<std::string>& commands) const {
  const Inside inside(*this);
  std::string said;
  const auto status = run_ip(commands, said);
  EXPECT_TRUE(status && status->code == 0) << "ip: " << said;
}

// Nobody else here can have an IPv6 address, and asking around first (nodad) takes time. Even so
// the kernel enters the route to it a moment later only, from a worker of its own; who connects to
// it before that looks for it among the neighbours, in vain.
void NetworkNamespace::add_addresses(const std::string& device,
                                     const std::vector<std::string>& addresses) const {
  std::vector<std::string> commands;
  for (const std::string& address : addresses) {
    const bool is_v6 = address.find(':') != std::string::npos;
    commands.push_back("addr add " + address + " dev " + device + (is_v6 ? " nodad" : ""));
  }
  ip(commands);
  const Inside inside(*this);
  for (const std::string& address : addresses) {
    if (address.find(':') == std::string::npos) continue;
    EXPECT_TRUE(wait_until([&] { return is_own_address6(address.substr(0, address.find('/'))); }))
        << address;
  }
}

void NetworkNamespace::set_sysctl(const std::string& name, const std::string& value) const {
  const Inside inside(*this);
  std::ofstream file("/proc/sys/" + name);
  EXPECT_TRUE(file << value << std::flush) << name;
}

std::uint64_t NetworkNamespace::drops() const {
  const Inside inside(*this);
  return device_drops() + figure4("Udp:", "RcvbufErrors") + figure6("Udp6RcvbufErrors");
}

NetworkNamespace::TooLarge NetworkNamespace::too_large() const {
  const Inside inside(*this);
  const auto sum = [](const std::string& name) {
    return figure4("Ip:", name) + figure6("Ip6" + name);
  };
  return {.fragments_made = sum("FragCreates"),
          .fragments_received = sum("ReasmReqds"),
          .refused = sum("FragFails")};
}

Inside::Inside(const NetworkNamespace& network) : before_(open_this_network()) {
  if (::setns(network.fd(), CLONE_NEWNET) != 0) die("setns");
}

Inside::~Inside() {
  move_to(before_);
}

const std::string& why_no_networks() {
  static const std::string reason = ask_why_no_networks();
  return reason;
}

void lay_cable(const NetworkNamespace& here, const std::string& device,
               const NetworkNamespace& there, const std::string& other_device) {
  here.ip({"link add name " + device + " type veth peer name " + other_device + " netns " +
               there.path(),
           "link set dev " + device + " up"});
  there.ip({"link set dev " + other_device + " up"});
}

void stay_on_one_processor() {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(::sched_getcpu()), &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

}  // namespace chatd::test
