// A room whose members speak protocol v2, each from a network of its own, and what each has heard.
// They are programs with the library for programs (client/public), all in this thread.
#pragma once

#include <gtest/gtest.h>

#include <chatd/client.h>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/integration/networks/network_namespace.h"
#include "tests/support/chatd_server.h"
#include "tests/support/deadline.h"

namespace chatd::test {

class SealedRoom {
 public:
  using Clock = std::chrono::steady_clock;

  struct Talker {
    std::string name;
    const NetworkNamespace* network;
    chatd_client::Room room;
    std::vector<std::string> heard;  // "alice: hello", in the order in which it was told
    std::uint64_t lost = 0;          // entries that it was told never come
    std::uint64_t silences = 0;      // times that the server did not answer
    std::vector<std::uint64_t> under_way;
    bool is_over = false;
  };

  // `server` is asked from `network` for its certificate, which all members then trust. `ip` is
  // where it is, if it is on a wildcard address.
  SealedRoom(const ChatdServer& server, const NetworkNamespace& network,
             const std::string& ip = "");

  // The first one creates the room. Those who are in it are served meanwhile: with sanitizers an
  // entry may take longer than a short idle timeout.
  testing::AssertionResult enter(const NetworkNamespace& network, const std::string& name);

  // What must be heard by everybody from here on.
  testing::AssertionResult say(std::size_t talker, const std::string& text);
  // Everybody does what there is to do, for so long.
  void run_for(std::chrono::milliseconds time);
  // Until everybody has heard all that was said and knows that what it said has arrived.
  testing::AssertionResult settle(Deadline deadline = kPatience);
  // Everybody has heard each message once, all in one order, and each speaker's as it was said.
  testing::AssertionResult is_complete() const;

  std::deque<Talker>& talkers() { return talkers_; }

 private:
  void turn();
  void take(Talker& talker, const chatd_client::Event& event);

  std::string server_;
  std::string fingerprint_;
  std::deque<Talker> talkers_;
  std::vector<std::string> said_;
};

}  // namespace chatd::test
