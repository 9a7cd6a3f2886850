// What the end-to-end tests share: one chatd per test, and its books audited at the end.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/chatd_server.h"
#include "tests/support/json.h"
#include "tests/support/ledger.h"
#include "tests/support/member.h"
#include "tests/support/tcp_peer.h"
#include "tests/support/udp_peer.h"

namespace chatd::test {

class ServerTest : public testing::Test {
 protected:
  // Starts the server of this test; the test is over when it does not come up.
  void start(std::vector<std::string> flags = {}, ProcessOptions options = {}) {
    server_.emplace(std::move(flags), std::move(options));
    ASSERT_TRUE(server_->ready()) << server_->diagnosis();
  }

  ChatdServer& server() { return *server_; }

  // Stops the server and returns what it counted. Whatever else a test does, chatd stops cleanly
  // afterwards, and every datagram that it received and every delivery that it planned is accounted
  // for.
  Counters totals() {
    const std::optional<Counters>& counted = server_->stop();
    EXPECT_TRUE(counted) << "no clean stop, or no totals: " << server_->diagnosis();
    if (!counted) return Counters("");
    expect_closed_ledger(*counted);
    return *counted;
  }

  // There are no books to audit: it has been killed.
  void abandon() { is_abandoned_ = true; }

  void TearDown() override {
    if (!server_ || !server_->ready() || is_abandoned_) return;
    totals();
    if (HasFailure()) std::fprintf(stderr, "chatd wrote:\n%s\n", server_->diagnosis().c_str());
  }

 private:
  std::optional<ChatdServer> server_;
  bool is_abandoned_ = false;
};

// A join request that is right in every field, from an address that nobody listens to.
inline JoinFields fields_of(std::string_view username, std::string_view password = "") {
  return {
      .username = std::string(username), .ip = "", .port = 0, .password = std::string(password)};
}

inline Frame list_request() {
  return {.operation = kListRooms, .state = kRequest, .room = "", .payload = ""};
}

inline Frame create_request(std::string_view room, std::string_view username) {
  return {.operation = kCreateRoom,
          .state = kRequest,
          .room = std::string(room),
          .payload = join_payload(fields_of(username))};
}

inline Frame join_request(std::string_view room, std::string_view username) {
  return {.operation = kJoinRoom,
          .state = kRequest,
          .room = std::string(room),
          .payload = join_payload(fields_of(username))};
}

}  // namespace chatd::test
