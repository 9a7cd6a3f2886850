// A server that is not chatd, but the test itself: it answers what no chatd would, or not at all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/os/unique_fd.h"
#include "tests/e2e/chat/chat_program.h"
#include "tests/support/deadline.h"
#include "tests/support/udp_peer.h"
#include "tests/support/wire.h"

namespace chatd::test {

class Impostor {
 public:
  Impostor();

  // chat join kitchen --name bob --v1
  Process start_client(const Arguments& flags = {"--connect-timeout", "300ms"}) const;
  std::uint16_t tcp_port() const;
  UdpPeer& udp() { return udp_; }
  // The next connection; a failure when none comes.
  UniqueFd accept(Deadline deadline = kPatience) const;
  // Connections are refused from here on.
  void stop_listening() { listener_.reset(); }

 private:
  UniqueFd listener_;
  UdpPeer udp_;
};

inline constexpr std::string_view kToken = "000102030405060708090a0b0c0d0e0f";

void answer(const UniqueFd& connection, std::string_view bytes);
// The last frame of an answer, with this payload.
std::string outcome(std::string_view payload);
std::string refusal(int status, std::string_view message);
// «You are in», as an older server says it, and as one that answers heartbeats.
std::string admission();
std::string admission(std::string_view idle_timeout);

// Waits until the client has sent a whole frame. Nothing when it closes, or at the deadline.
std::optional<Frame> read_request(const UniqueFd& connection, Deadline deadline = kPatience);

}  // namespace chatd::test
