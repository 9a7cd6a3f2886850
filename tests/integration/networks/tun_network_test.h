// A chatd and a few hosts around a cloud (tun_network.h), each host with one member of one room.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/integration/networks/networks_test.h"
#include "tests/integration/networks/tun_network.h"

namespace chatd::test {

class CloudTest : public NetworksTest {
 protected:
  static constexpr std::size_t kMembers = 4;

  // The server's and the n-th host's address: all on one prefix.
  static std::string server_ip(Family family);
  static constexpr const char* kSecondServerIp = "10.9.0.2";
  static std::string host_ip(Family family, std::size_t host);

  // Both families, so that any member may use either.
  void build(std::size_t hosts = kMembers, std::size_t mtu_bytes = TunNetwork::kMtuBytes);
  void start_server(std::vector<std::string> flags);
  // A chatd at the server's address of this family, and a member "m0", "m1", … on each host.
  void open_room(Family family, std::vector<std::string> flags = {});

  TunNetwork& cloud() { return *cloud_; }
  NetworkNamespace& server_network() { return *server_network_; }
  NetworkNamespace& host(std::size_t number) { return *hosts_[number].network; }
  TunNetwork::Line line(std::size_t number) const { return hosts_[number].line; }

  // On every member's line.
  void set_faults(Way way, const Faults& faults);

  // A session over lines with faults: so many messages from each member, then what each of the
  // others has heard of it. All that has happened on the way is in `from` and `to`, by member, and
  // the test fails where a message is missing or too many that the lines do not account for, or the
  // kernel has dropped anything. Faults end with it.
  struct Outcome {
    std::vector<Traffic> from;
    std::vector<Traffic> to;
    std::vector<Messages> heard;
  };
  Outcome converse(int messages_each);

 private:
  struct Host {
    std::unique_ptr<NetworkNamespace> network;
    TunNetwork::Line line;
  };

  std::vector<Traffic> traffic(Way way) const;
  // Whether nothing is on its way on any line, and so many datagrams have entered each.
  bool have_entered(Way way, const std::vector<std::uint64_t>& counts) const;
  std::uint64_t kernel_drops() const;

  std::unique_ptr<NetworkNamespace> server_network_;
  std::vector<Host> hosts_;
  std::unique_ptr<TunNetwork> cloud_;
};

}  // namespace chatd::test
