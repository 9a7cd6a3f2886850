// What lies between hosts: a network in this process. Each host is a network namespace with a line
// to it (a TUN device, which hands over IP packets as the kernel made them: cut and with their
// checksums), and a thread carries packets between the lines. UDP datagrams suffer what a line's
// paths are told to do to them, and are counted; TCP and ICMP pass untouched unless a line is cut.
//
// Lines have an MTU of their own, and what is larger than a path takes can be swallowed silently; a
// router that says so is the kernel's job (router_test.h), and may have a line as well.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "server/os/unique_fd.h"
#include "tests/integration/networks/nat.h"
#include "tests/integration/networks/network_namespace.h"
#include "tests/integration/networks/path.h"

namespace chatd::test {

enum class Way : std::uint8_t { kFromHost, kToHost };

// Thread: its functions may be called from any, the cloud's own runs beside them.
class TunNetwork {
 public:
  using Line = std::size_t;
  static constexpr std::size_t kMtuBytes = 1500;  // of a line, unless it is told otherwise

  explicit TunNetwork(std::uint64_t seed);
  ~TunNetwork();
  TunNetwork(const TunNetwork&) = delete;
  TunNetwork& operator=(const TunNetwork&) = delete;

  // Gives `network` a line, the device `cloud`, and these addresses, each with its prefix:
  // "10.9.0.2/24". All hosts of a prefix reach each other.
  Line connect(const NetworkNamespace& network, const std::vector<std::string>& addresses,
               std::size_t mtu_bytes = kMtuBytes);
  // Behind this host, which is a router, there is one with this address.
  void add_behind(Line line, const std::string& address);
  // The host's address is a private one now, which the cloud shows to others as `public_address`.
  void translate(Line line, const std::string& private_address, const std::string& public_address);
  void rebind(Line line);

  void set(Line line, Way way, const Faults& faults);
  // Nothing passes, TCP and ICMP included, until it is mended.
  void cut(Line line) { set_cut(line, true); }
  void mend(Line line) { set_cut(line, false); }

  // UDP datagrams. What a line's NAT had no port for counts as lost on the way to the host.
  Traffic traffic(Line line, Way way) const;
  // The IP packets with UDP in them that were to go to a host, those that are lost on its line
  // included.
  struct Sizes {
    std::vector<std::size_t> whole_bytes;  // as they came
    std::uint64_t fragments = 0;
  };
  // Since it was last asked.
  Sizes take_sizes(Line line);

 private:
  struct Host {
    UniqueFd device;
    std::vector<std::string> addresses;
    Path from_host;
    Path to_host;
    std::optional<Nat> nat;
    bool is_cut = false;
    std::uint64_t untranslated = 0;  // to the host
    Sizes sizes = {};                // the same

    bool is_at(const std::string& address) const;
  };

  void set_cut(Line line, bool is_cut);
  void wake();
  void run();
  void wait_for_packets();
  void carry(Path::TimeUs now_us);
  void take_from(Host& host, Path::TimeUs now_us);
  void route(std::string packet, Path::TimeUs now_us);
  void deliver(Host& host, std::string packet);
  Host* find(const std::string& address);

  mutable std::mutex mutex_;  // of all below
  std::mt19937_64 seeds_;
  std::vector<std::unique_ptr<Host>> hosts_;
  bool is_stopping_ = false;

  UniqueFd wake_;
  std::thread thread_;
};

}  // namespace chatd::test
