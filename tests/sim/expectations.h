// What the server itself says, and an answer that may come, in one call of the relay. The texts are
// written here a second time, from docs/reference/protocol.md. Most notices have their place in a
// room's log, and are expected by members (tests/sim/expected_deliveries.h); who says too much is
// told at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/endpoint.h"
#include "core/wire/v2/datagram.h"

namespace chatd::sim {

enum class Notice : std::uint8_t { kJoined, kLeft, kDisconnected, kTooFast, kDraining };

// A whole datagram.
std::string notice_text(Notice notice, std::string_view username);

class Expectations {
 public:
  void clear() {
    warning_to_.reset();
    answer_.reset();
    echo_.reset();
    reset_.clear();
  }

  void expect_warning(const Endpoint& to) { warning_to_ = to; }
  void expect_answer(const Endpoint& to) { answer_ = to; }
  // Whether it was expected; then it is not any more.
  bool take_warning(const Endpoint& to) { return take(warning_to_, to); }
  bool take_answer(const Endpoint& to) { return take(answer_, to); }
  // The same for who shows a session that is not known: by a datagram with this header, and with
  // this token, if that is known.
  void expect_reset(const Endpoint& to, std::string_view header, const v2::ResetToken* token);
  bool expects_reset() const { return !reset_.empty(); }
  bool take_reset(const Endpoint& to, std::string_view datagram);
  bool has_warning() const { return warning_to_.has_value(); }
  bool has_answer() const { return answer_.has_value(); }

  // A heartbeat that asks comes back as it was.
  void expect_echo(const Endpoint& to, std::size_t payload_bytes) { echo_ = {to, payload_bytes}; }
  bool take_echo(const Endpoint& to, std::string_view datagram);
  bool has_echo() const { return echo_.has_value(); }

 private:
  static bool take(std::optional<Endpoint>& expected, const Endpoint& to) {
    if (expected != to) return false;
    expected.reset();
    return true;
  }

  struct Echo {
    Endpoint to;
    std::size_t payload_bytes;
  };

  std::optional<Endpoint> warning_to_;
  std::optional<Endpoint> answer_;
  std::optional<Echo> echo_;
  std::string reset_;  // as much of it as is known
};

}  // namespace chatd::sim
