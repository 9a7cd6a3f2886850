// What the tests on real networks share: the real chatd in a network of its own, hosts in others,
// and a session whose every message is accounted for. Each test is skipped, with the reason,
// where the machine permits no such networks.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/e2e/chatd/server_test.h"
#include "tests/integration/networks/network_namespace.h"

namespace chatd::test {

enum class Family : std::uint8_t { k4, k6 };
inline std::string family_name(const testing::TestParamInfo<Family>& info) {
  return info.param == Family::k4 ? "Ipv4" : "Ipv6";
}

// Big enough that no member misses a message for want of reading.
inline constexpr int kRoomyBufferBytes = 4 << 20;

class NetworksTest : public ServerTest {
 protected:
  void SetUp() override {
    if (!why_no_networks().empty()) GTEST_SKIP() << why_no_networks();
  }

  void start_in(const NetworkNamespace& network, std::vector<std::string> flags) {
    const Inside inside(network);
    start(std::move(flags));
  }

  // Enters "room", which the first one creates, from `ip` in `network`, and waits until all that
  // are there have heard of it.
  testing::AssertionResult enter(const NetworkNamespace& network, const std::string& ip,
                                 const std::string& name, JoinOptions options = {});

  std::vector<Member>& room() { return room_; }

 private:
  std::vector<Member> room_;
};

// What a listener has heard, message by message as (sender, number).
using Message = std::pair<std::string, int>;
using Messages = std::vector<Message>;

// Says "0", "1", … up to `count`, all senders in turn, each text `size_bytes` long at least.
void everyone_speaks(std::vector<Member>& senders, int count, std::size_t size_bytes = 0);
// The next `count` messages that `listener` hears. The test fails, and there are fewer, when they
// do not come, or another payload does.
Messages hear_messages(Member& listener, std::size_t count, std::size_t size_bytes = 0);
// Whether each sender's messages stand in the order in which they were said, none twice.
testing::AssertionResult are_in_order(const Messages& messages);
Messages sorted(Messages messages);
// How many there are beyond one of each.
std::size_t repeats(const Messages& messages);

}  // namespace chatd::test
