// What clients cause, in the log: rooms that open and close, connections that come and are refused.
//
// Clients decide how often that happens, so each reason has its own rate: some twenty lines at once
// and one a second from then on. Names are cut, so that is some 30 MB a day at most for each reason
// and shard, whatever an attacker does. What is left out is counted, and the next line of its kind
// says how much that was, or the end of the log. Nothing is written for a message. Thread: the
// shard's; each shard has one.
#pragma once

#include <fmt/format.h>
#include <spdlog/common.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/time.h"
#include "core/ratelimit/token_bucket.h"
#include "core/room/room_events.h"
#include "server/os/socket_address.h"

namespace chatd {

class RateLimitedLog {
 public:
  enum class Reason : std::uint8_t {
    kRoomOpened,
    kRoomClosed,
    kConnectionAccepted,
    kConnectionOverLimit,
    kConnectionOverAddressLimit,
    kConnectionShed,
    kConnectionTimedOut,
    kConnectionBroken,
    kTlsOnPlainPort,
    kTlsHandshakeFailed,
    kTlsHandshakeOverLimit,
    kFrameTooLarge,
    kAcceptFailed,
    kCount,
  };

  template <class... Args>
  void say(TimeMs now_ms, Reason reason, spdlog::level::level_enum level,
           fmt::format_string<Args...> format, Args&&... args) {
    if (!is_logged(level)) return;
    const std::uint64_t omitted = take(now_ms, reason);
    if (omitted == kNotNow) return;
    write(level, fmt::format(format, std::forward<Args>(args)...), omitted);
  }

  void say(TimeMs now_ms, RoomEvents& rooms);

  // At the end: how many lines were left out since the last one of their kind.
  void close();

 private:
  static constexpr std::uint64_t kNotNow = UINT64_MAX;

  struct Line {
    TokenBucket rate;
    std::uint64_t omitted = 0;
  };

  // Not here, for the logger's headers are large, and every shard's file reads this one.
  static bool is_logged(spdlog::level::level_enum level);
  static void write(spdlog::level::level_enum level, const std::string& text,
                    std::uint64_t omitted);
  // How many were left out before this one; or that it is left out, too.
  std::uint64_t take(TimeMs now_ms, Reason reason);
  Line& line(Reason reason) { return lines_[static_cast<std::size_t>(reason)]; }

  std::array<Line, static_cast<std::size_t>(Reason::kCount)> lines_;
};

// A name that a user has chosen, in quotation marks and with what is hidden in it escaped, so that
// nothing in it passes for chatd's own words or turns them around; cut after 64 bytes.
std::string quoted(std::string_view name);

}  // namespace chatd

// Addresses are written only in lines that are: that is for say() to decide.
template <>
struct fmt::formatter<chatd::IpAddress> : fmt::formatter<std::string> {
  auto format(const chatd::IpAddress& ip, fmt::format_context& context) const {
    return fmt::formatter<std::string>::format(chatd::to_text(ip), context);
  }
};
