// A member's side of the data plane: what it sends, when it must send something, and when it has to
// conclude that the server is gone.
//
// The server forgets a member that is silent for too long, so a heartbeat goes out when nothing
// else has for `heartbeat_ms`. The first one is due at once: behind NAT the server does not know
// where to send to until a datagram has come. That one may be lost, so two more follow soon.
//
// UDP has no connection to lose. What the client notices is an ICMP refusal of something it sent,
// once per datagram and possibly by mistake (a server that restarts). So after a refusal it asks
// again every second, and gives up after kRefusalsUntilGone in a row.
//
// Thread: none of its own; no I/O. Times are milliseconds of any steady clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "client/error.h"
#include "core/wire/token.h"

namespace chatd::client {

inline constexpr int kRefusalsUntilGone = 3;
inline constexpr std::int64_t kProbeIntervalMs = 1000;
inline constexpr int kEarlyHeartbeats = 2;  // after the first one

struct ConversationConfig {
  std::string room;
  std::string username;
  Token token;
  std::int64_t heartbeat_ms = 60'000;
};

class Conversation {
 public:
  Conversation(ConversationConfig config, std::int64_t now_ms);

  const std::string& room() const { return config_.room; }
  const std::string& username() const { return config_.username; }

  // Datagrams to send. A message that is not UTF-8, or whose datagram would be larger than
  // kMaxDatagramBytes, is kNotSendable.
  tl::expected<std::string, Error> message(std::string_view text) const;
  std::string heartbeat() const;
  std::string leave() const;

  // When a heartbeat is due.
  std::int64_t next_heartbeat_ms() const { return next_heartbeat_ms_; }
  void on_sent(std::int64_t now_ms);
  void on_received() { refusals_ = 0; }
  // Whether that which was sent last is known not to have arrived.
  bool last_was_refused() const { return refused_since_sent_; }
  // True when the server is to be taken for gone.
  bool on_refused(std::int64_t now_ms);

 private:
  std::string datagram(std::string_view payload) const;

  ConversationConfig config_;
  std::int64_t next_heartbeat_ms_;
  std::int64_t sent_at_ms_;
  int refusals_ = 0;
  int early_heartbeats_left_ = kEarlyHeartbeats;
  bool refused_since_sent_ = false;
};

}  // namespace chatd::client
