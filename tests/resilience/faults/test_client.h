// Someone in a room who expects nothing: a fault may break the connection over which he asks to
// come in, or cost him a message. He keeps all that he hears, for the audit at the end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/chatd_server.h"
#include "tests/support/udp_peer.h"

namespace chatd::test {

enum class Entry : std::uint8_t {
  kDone,
  kBroken,  // the connection ended before the whole answer had come
  kHangs,   // neither an answer nor an end before the deadline
};

class TestClient {
 public:
  explicit TestClient(std::string_view name, std::string_view ip = "127.0.0.1")
      : socket_(ip), name_(name) {}

  Entry enter(std::uint8_t operation, const ChatdServer& server, std::string_view room,
              Deadline deadline);
  // Returns the payload as it went out.
  std::string say(const ChatdServer& server, std::string_view text);
  void leave(const ChatdServer& server);
  // His port refuses from now on.
  void vanish() { socket_.close(); }
  bool has_vanished() const { return socket_.fd() < 0; }

  // Takes what has come; returns everything so far.
  const std::vector<std::string>& heard();
  bool has_heard(std::string_view payload);

 private:
  UdpPeer socket_;
  std::string name_;
  std::string room_;
  std::string token_;
  std::vector<std::string> heard_;
};

// One request over a connection of its own.
Entry ask_for_list(const ChatdServer& server, Deadline deadline);

}  // namespace chatd::test
