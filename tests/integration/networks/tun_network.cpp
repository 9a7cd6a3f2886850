#include "tests/integration/networks/tun_network.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <utility>

#include "tests/integration/networks/ip_packet.h"
#include "tests/support/die.h"

namespace chatd::test {
namespace {

constexpr const char* kDevice = "cloud";
// So many packets may wait in the device until they are read: more than any test sends at a time.
constexpr const char* kDeviceQueue = "20000";

UniqueFd open_device() {
  UniqueFd device(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!device) die("/dev/net/tun");
  ifreq request{};
  std::strncpy(request.ifr_name, kDevice, sizeof request.ifr_name - 1);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (::ioctl(device.get(), TUNSETIFF, &request) != 0) die("TUNSETIFF");
  return device;
}

Path::TimeUs clock_us() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

}  // namespace

bool TunNetwork::Host::is_at(const std::string& address) const {
  return nat ? nat->public_address() == address
             : std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

TunNetwork::TunNetwork(std::uint64_t seed)
    : seeds_(seed), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), thread_([this] { run(); }) {}

TunNetwork::~TunNetwork() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake();
  thread_.join();
}

TunNetwork::Line TunNetwork::connect(const NetworkNamespace& network,
                                     const std::vector<std::string>& addresses,
                                     std::size_t mtu_bytes) {
  std::vector<std::string> raw_addresses;
  for (const std::string& address : addresses) {
    raw_addresses.push_back(raw_address(address.substr(0, address.find('/'))));
  }
  UniqueFd device;
  {
    const Inside inside(network);
    device = open_device();
  }
  const std::string set = std::string("link set dev ") + kDevice;
  network.ip({set + " addrgenmode none",
              set + " up txqueuelen " + kDeviceQueue + " mtu " + std::to_string(mtu_bytes)});
  network.add_addresses(kDevice, addresses);
  const std::lock_guard lock(mutex_);
  hosts_.push_back(std::make_unique<Host>(Host{.device = std::move(device),
                                               .addresses = std::move(raw_addresses),
                                               .from_host = Path(seeds_()),
                                               .to_host = Path(seeds_()),
                                               .nat = {}}));
  wake();
  return hosts_.size() - 1;
}

void TunNetwork::add_behind(Line line, const std::string& address) {
  const std::lock_guard lock(mutex_);
  hosts_[line]->addresses.push_back(raw_address(address));
}

void TunNetwork::translate(Line line, const std::string& private_address,
                           const std::string& public_address) {
  const std::lock_guard lock(mutex_);
  hosts_[line]->nat.emplace(raw_address(private_address), raw_address(public_address));
}

void TunNetwork::rebind(Line line) {
  const std::lock_guard lock(mutex_);
  hosts_[line]->nat.value().rebind();
}

void TunNetwork::set(Line line, Way way, const Faults& faults) {
  const std::lock_guard lock(mutex_);
  Host& host = *hosts_[line];
  (way == Way::kFromHost ? host.from_host : host.to_host).set(faults);
}

void TunNetwork::set_cut(Line line, bool is_cut) {
  const std::lock_guard lock(mutex_);
  hosts_[line]->is_cut = is_cut;
  hosts_[line]->from_host.set({.is_cut = is_cut});
  hosts_[line]->to_host.set({.is_cut = is_cut});
}

Traffic TunNetwork::traffic(Line line, Way way) const {
  const std::lock_guard lock(mutex_);
  const Host& host = *hosts_[line];
  if (way == Way::kFromHost) return host.from_host.traffic();
  Traffic traffic = host.to_host.traffic();
  traffic.left -= host.untranslated;
  traffic.lost += host.untranslated;
  return traffic;
}

TunNetwork::Sizes TunNetwork::take_sizes(Line line) {
  const std::lock_guard lock(mutex_);
  return std::exchange(hosts_[line]->sizes, {});
}

void TunNetwork::wake() {
  const std::uint64_t one = 1;
  if (::write(wake_.get(), &one, sizeof one) < 0) die("eventfd");
}

void TunNetwork::run() {
  stay_on_one_processor();
  while (true) {
    wait_for_packets();
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return;
    carry(clock_us());
  }
}

void TunNetwork::wait_for_packets() {
  std::vector<pollfd> waiting{{.fd = wake_.get(), .events = POLLIN, .revents = 0}};
  std::optional<Path::TimeUs> due_us;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& host : hosts_) {
      waiting.push_back({.fd = host->device.get(), .events = POLLIN, .revents = 0});
      for (const Path* path : {&host->from_host, &host->to_host}) {
        const auto next_us = path->next_due_us();
        if (next_us) due_us = std::min(due_us.value_or(*next_us), *next_us);
      }
    }
  }
  timespec timeout{};
  if (due_us) timeout.tv_nsec = 1000 * std::clamp<Path::TimeUs>(*due_us - clock_us(), 0, 900'000);
  ::ppoll(waiting.data(), waiting.size(), due_us ? &timeout : nullptr, nullptr);
  std::uint64_t count = 0;
  while (::read(wake_.get(), &count, sizeof count) > 0) {
  }
}

// Whatever has arrived first goes onto its first path, then what is due there onto its second.
void TunNetwork::carry(Path::TimeUs now_us) {
  for (const auto& host : hosts_) take_from(*host, now_us);
  for (const auto& host : hosts_) {
    for (std::string& packet : host->from_host.leave(now_us)) route(std::move(packet), now_us);
  }
  for (const auto& host : hosts_) {
    for (std::string& packet : host->to_host.leave(now_us)) deliver(*host, std::move(packet));
  }
}

void TunNetwork::take_from(Host& host, Path::TimeUs now_us) {
  std::array<char, 65536> bytes;
  while (true) {
    const ssize_t size = ::read(host.device.get(), bytes.data(), bytes.size());
    if (size <= 0) return;
    std::string packet(bytes.data(), static_cast<std::size_t>(size));
    const auto addresses = addresses_of(packet);
    if (!addresses) continue;
    if (host.nat && !host.nat->translate_outgoing(packet)) continue;
    if (addresses->protocol == kUdpProtocol) {
      host.from_host.enter(now_us, std::move(packet));
    } else if (!host.is_cut) {
      route(std::move(packet), now_us);
    }
  }
}

void TunNetwork::route(std::string packet, Path::TimeUs now_us) {
  const auto addresses = addresses_of(packet);
  Host* const host = find(addresses->destination);
  if (host == nullptr) return;  // the kernel's multicasts, of which nobody here wants to know
  if (addresses->protocol == kUdpProtocol) {
    if (is_fragment(packet)) {
      ++host->sizes.fragments;
    } else {
      host->sizes.whole_bytes.push_back(packet.size());
    }
    host->to_host.enter(now_us, std::move(packet));
  } else if (!host->is_cut) {
    deliver(*host, std::move(packet));
  }
}

void TunNetwork::deliver(Host& host, std::string packet) {
  const auto addresses = addresses_of(packet);
  if (host.nat && !host.nat->translate_incoming(packet)) {
    if (addresses->protocol == kUdpProtocol) ++host.untranslated;
    return;
  }
  if (::write(host.device.get(), packet.data(), packet.size()) < 0) die("TUN device");
}

TunNetwork::Host* TunNetwork::find(const std::string& address) {
  for (const auto& host : hosts_) {
    if (host->is_at(address)) return host.get();
  }
  return nullptr;
}

}  // namespace chatd::test
