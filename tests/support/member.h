// Someone in a room: a UDP socket and the token that the room gave for it.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/chatd_server.h"
#include "tests/support/tcp_peer.h"
#include "tests/support/udp_peer.h"

namespace chatd::test {

struct JoinOptions {
  std::string password = {};
  // Where both of the member's sockets call from.
  std::string source_ip = "127.0.0.1";
  // What the request says, where that is to differ from the truth.
  std::optional<std::string> stated_ip = {};
  std::optional<std::uint16_t> stated_port = {};
  // Where to reach the server, when it listens on a wildcard address.
  std::string server_ip = {};
  int receive_buffer_bytes = 0;
  // A connection to ask over instead of a new one.
  ControlPeer* control = nullptr;
};

class Member {
 public:
  // Ask the server; the test fails, and nothing is returned, when the answer is not 201.
  static std::optional<Member> create(const ChatdServer& server, std::string_view room,
                                      std::string_view name, const JoinOptions& options = {});
  static std::optional<Member> join(const ChatdServer& server, std::string_view room,
                                    std::string_view name, const JoinOptions& options = {});

  const std::string& name() const { return name_; }
  const std::string& room() const { return room_; }
  const std::string& token() const { return token_; }
  UdpPeer& socket() { return socket_; }
  const SocketAddress& server() const { return server_; }

  // A message with this text; returns the payload as it went out.
  std::string say(std::string_view text);
  void send_payload(std::string_view payload);
  void heartbeat() { send_payload(""); }
  void leave() { send_payload(leave_payload(name_)); }

  // The next payload from the server, without its 00 00. The test fails when a datagram does not
  // begin with that or comes from somewhere else. Nothing at the deadline.
  std::optional<std::string> hear(Deadline deadline = kPatience);
  // Whether the next payload is this one, byte for byte.
  testing::AssertionResult hears(std::string_view payload);
  // Whether the next payload tells that `username` joined, left, or that this member was removed.
  testing::AssertionResult hears_joined(std::string_view username);
  testing::AssertionResult hears_left(std::string_view username);
  testing::AssertionResult hears_own_removal(std::string_view text = "You have been disconnected");
  // Whether nothing arrives before two messages that `sender`, a member of the same room, says
  // now. The second one shows that the server was done with the first one for everybody.
  testing::AssertionResult hears_nothing_before(Member& sender);

 private:
  Member(UdpPeer socket, SocketAddress server, std::string_view room, std::string_view name,
         std::string token);
  static std::optional<Member> enter(std::uint8_t operation, const ChatdServer& server,
                                     std::string_view room, std::string_view name,
                                     const JoinOptions& options);
  testing::AssertionResult hears_notice(int operation, std::string_view username,
                                        std::string_view message);

  UdpPeer socket_;
  SocketAddress server_;
  std::string room_;
  std::string name_;
  std::string token_;
};

// Creates `room` with the first name as its host and lets the others join. The join notices have
// been heard (and checked) on return. Empty when anything went wrong; the test has failed then.
std::vector<Member> make_room(const ChatdServer& server, std::string_view room,
                              const std::vector<std::string>& names,
                              const JoinOptions& options = {});

// Whether nobody in the room has anything left to hear: the last and then the first member say
// something, and that is what everybody else hears next.
testing::AssertionResult all_is_heard(std::vector<Member>& room);

}  // namespace chatd::test
