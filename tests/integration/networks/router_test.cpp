#include "tests/integration/networks/router_test.h"

namespace chatd::test {

const RouterTest::Addresses& RouterTest::at() const {
  static const Addresses addresses4{.server = "10.1.0.1",
                                    .near = "10.1.0.2",
                                    .far = "10.2.0.1",
                                    .far_too = "10.2.0.2",
                                    .inner = "10.1.0.254",
                                    .outer = "10.2.0.254",
                                    .prefix = "/24"};
  static const Addresses addresses6{.server = "fd01::1",
                                    .near = "fd01::2",
                                    .far = "fd02::1",
                                    .far_too = "fd02::2",
                                    .inner = "fd01::ff",
                                    .outer = "fd02::ff",
                                    .prefix = "/64"};
  return is_v4() ? addresses4 : addresses6;
}

void RouterTest::SetUp() {
  NetworksTest::SetUp();
  if (IsSkipped()) return;
  server_side_.emplace();
  router_.emplace();
  far_side_.emplace();
  lay_cable(*server_side_, "eth0", *router_, "eth0");
  lay_cable(*router_, "eth1", *far_side_, "eth0");
  const auto with_prefix = [this](const std::string& address) { return address + at().prefix; };
  server_side_->add_addresses("eth0", {with_prefix(at().server), with_prefix(at().near)});
  router_->add_addresses("eth0", {with_prefix(at().inner)});
  router_->add_addresses("eth1", {with_prefix(at().outer)});
  far_side_->add_addresses("eth0", {with_prefix(at().far), with_prefix(at().far_too)});
  server_side_->ip({"route add default via " + at().inner});
  far_side_->ip({"route add default via " + at().outer});
  router_->set_sysctl(is_v4() ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding", "1");
}

void RouterTest::open_room(const std::vector<std::string>& flags) {
  std::vector<std::string> all_flags{"--host", at().server};
  all_flags.insert(all_flags.end(), flags.begin(), flags.end());
  ASSERT_NO_FATAL_FAILURE(start_in(*server_side_, all_flags));
  ASSERT_TRUE(enter(*server_side_, at().near, "near"));
  ASSERT_TRUE(enter(*server_side_, at().near, "near too"));
  ASSERT_TRUE(enter(*far_side_, at().far, "far"));
  ASSERT_TRUE(enter(*far_side_, at().far_too, "far too"));
}

void RouterTest::expect_all_arrives(int count, std::size_t size_bytes) {
  SCOPED_TRACE(testing::Message() << "texts of " << size_bytes << " bytes");
  everyone_speaks(room(), count, size_bytes);
  const std::size_t expected = (room().size() - 1) * static_cast<std::size_t>(count);
  for (Member& listener : room()) {
    const Messages heard = hear_messages(listener, expected, size_bytes);
    EXPECT_TRUE(are_in_order(heard)) << listener.name();
  }
}

}  // namespace chatd::test
