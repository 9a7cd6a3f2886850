// A member's side of the data plane as bytes: what the server's datagrams mean to it, what it
// sends, and which answers are to its own heartbeats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "client/lib/error.h"
#include "client/lib/event.h"
#include "client/lib/liveness.h"
#include "core/wire/v1/token.h"

namespace chatd::client {

// What a datagram from the server means to this member.
Event parse_event(std::string_view datagram, std::string_view own_username);
// The same without the datagram's head: an entry of protocol v2 can have such a payload.
Event parse_payload(std::string_view payload, std::string_view own_username);

// A member's side of the data plane as bytes: what it sends, and which answers are to its own
// heartbeats. When to send them, and what silence means, is Liveness's.
//
// A heartbeat that asks carries a number that nobody can guess who does not see it: the server's
// answer brings it back, and so cannot be forged from elsewhere.
struct MemberSessionConfig {
  std::string room;
  std::string username;
  Token token;
  std::int64_t heartbeat_ms = kDefaultHeartbeatMs;
  // As the server has told it.
  std::optional<std::int64_t> idle_timeout_ms = {};
  // Random: heartbeats are numbered from here on.
  std::uint64_t secret = 0;
};

class MemberSession {
 public:
  MemberSession(MemberSessionConfig config, std::int64_t now_ms);

  const std::string& room() const { return config_.room; }
  const std::string& username() const { return config_.username; }
  const Token& token() const { return config_.token; }

  // Datagrams to send. A message that is not UTF-8, or whose datagram would be larger than
  // kMaxDatagramBytes, is kNotSendable.
  tl::expected<std::string, Error> message(std::string_view text) const;
  // Is to be reported by liveness().on_heartbeat_sent().
  std::string heartbeat() const;
  std::string leave() const;

  // `text` came back as the heartbeat of an answer.
  void on_answer(std::string_view text);

  Liveness& liveness() { return liveness_; }
  const Liveness& liveness() const { return liveness_; }

 private:
  std::string datagram(std::string_view payload) const;

  MemberSessionConfig config_;
  Liveness liveness_;
};

}  // namespace chatd::client
