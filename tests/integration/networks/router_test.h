// A chatd on one side of a router, which is the kernel's own, and members on both:
//
//   server, near ── 1,500 ── router ── far, far too
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/integration/networks/networks_test.h"

namespace chatd::test {

class RouterTest : public NetworksTest, public testing::WithParamInterface<Family> {
 protected:
  struct Addresses {
    std::string server;
    std::string near;  // in the server's own network
    std::string far;   // both in the other one
    std::string far_too;
    std::string inner;  // the router's, towards the server and towards the far ones
    std::string outer;
    std::string prefix;
  };

  void SetUp() override;

  bool is_v4() const { return GetParam() == Family::k4; }
  const Addresses& at() const;

  // A chatd, and the members near, near too, far, far too.
  void open_room(const std::vector<std::string>& flags = {});
  // Everybody says so many texts of this size in a burst; everybody hears all of the others'.
  void expect_all_arrives(int count, std::size_t size_bytes);

  NetworkNamespace& server_side() { return *server_side_; }
  NetworkNamespace& router() { return *router_; }
  NetworkNamespace& far_side() { return *far_side_; }

 private:
  std::optional<NetworkNamespace> server_side_;
  std::optional<NetworkNamespace> router_;
  std::optional<NetworkNamespace> far_side_;
};

}  // namespace chatd::test
