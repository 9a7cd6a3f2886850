#include "tests/integration/networks/tun_network_test.h"

#include <numeric>

#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

constexpr std::uint64_t kSeed = 4;

Traffic operator-(Traffic after, const Traffic& before) {
  after.entered -= before.entered;
  after.duplicated -= before.duplicated;
  after.lost -= before.lost;
  after.left -= before.left;
  after.overtaken -= before.overtaken;
  return after;
}

std::vector<Traffic> operator-(std::vector<Traffic> after, const std::vector<Traffic>& before) {
  for (std::size_t i = 0; i < after.size(); ++i) after[i] = after[i] - before[i];
  return after;
}

}  // namespace

std::string CloudTest::server_ip(Family family) {
  return family == Family::k4 ? "10.9.0.1" : "fd09::1";
}

std::string CloudTest::host_ip(Family family, std::size_t host) {
  return (family == Family::k4 ? "10.9.0." : "fd09::") + std::to_string(10 + host);
}

void CloudTest::build(std::size_t hosts, std::size_t mtu_bytes) {
  server_network_ = std::make_unique<NetworkNamespace>();
  cloud_ = std::make_unique<TunNetwork>(kSeed);
  cloud_->connect(*server_network_,
                  {server_ip(Family::k4) + "/24", server_ip(Family::k6) + "/64",
                   std::string(kSecondServerIp) + "/24"},
                  mtu_bytes);
  for (std::size_t i = 0; i < hosts; ++i) {
    auto network = std::make_unique<NetworkNamespace>();
    const TunNetwork::Line line = cloud_->connect(
        *network, {host_ip(Family::k4, i) + "/24", host_ip(Family::k6, i) + "/64"}, mtu_bytes);
    hosts_.push_back({.network = std::move(network), .line = line});
  }
}

void CloudTest::start_server(std::vector<std::string> flags) {
  start_in(server_network(), std::move(flags));
}

void CloudTest::open_room(Family family, std::vector<std::string> flags) {
  build();
  flags.insert(flags.end(), {"--host", server_ip(family)});
  ASSERT_NO_FATAL_FAILURE(start_server(std::move(flags)));
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    ASSERT_TRUE(enter(host(i), host_ip(family, i), "m" + std::to_string(i)));
  }
}

void CloudTest::set_faults(Way way, const Faults& faults) {
  for (const Host& host : hosts_) cloud_->set(host.line, way, faults);
}

std::vector<Traffic> CloudTest::traffic(Way way) const {
  std::vector<Traffic> traffic;
  for (const Host& host : hosts_) traffic.push_back(cloud_->traffic(host.line, way));
  return traffic;
}

bool CloudTest::have_entered(Way way, const std::vector<std::uint64_t>& counts) const {
  const std::vector<Traffic> now = traffic(way);
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (now[i].entered < counts[i] || now[i].waiting > 0) return false;
  }
  return true;
}

std::uint64_t CloudTest::kernel_drops() const {
  std::uint64_t drops = server_network_->drops();
  for (const Host& host : hosts_) drops += host.network->drops();
  return drops;
}

CloudTest::Outcome CloudTest::converse(int messages_each) {
  const std::vector<Traffic> from_before = traffic(Way::kFromHost);
  const std::vector<Traffic> to_before = traffic(Way::kToHost);
  everyone_speaks(room(), messages_each);

  // Everything that was said has reached the cloud, and left it towards chatd or is lost.
  std::vector<std::uint64_t> expected;
  for (const Traffic& each : from_before) {
    expected.push_back(each.entered + static_cast<std::uint64_t>(messages_each));
  }
  EXPECT_TRUE(wait_until([&] { return have_entered(Way::kFromHost, expected); }));
  Outcome outcome;
  outcome.from = traffic(Way::kFromHost) - from_before;

  // Each member is sent what has left for chatd, but its own: this is chatd's part.
  std::uint64_t all = 0;
  for (const Traffic& each : outcome.from) all += each.left;
  expected.clear();
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    expected.push_back(to_before[i].entered + all - outcome.from[i].left);
  }
  EXPECT_TRUE(wait_until([&] { return have_entered(Way::kToHost, expected); }));
  outcome.to = traffic(Way::kToHost) - to_before;

  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    EXPECT_EQ(outcome.to[i].entered, all - outcome.from[i].left) << room()[i].name();
    outcome.heard.push_back(hear_messages(room()[i], outcome.to[i].left));
  }
  // And nothing else comes.
  set_faults(Way::kFromHost, {});
  set_faults(Way::kToHost, {});
  EXPECT_TRUE(all_is_heard(room()));
  EXPECT_EQ(kernel_drops(), 0U);
  return outcome;
}

}  // namespace chatd::test
