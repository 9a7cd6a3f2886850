#include "server/log/rate_limited_log.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/base/json_writer.h"
#include "core/base/utf8.h"

namespace chatd {
namespace {

constexpr std::size_t kMaxNameInLogBytes = 64;
constexpr TokenRate kRate{.units = 1, .per_ms = 1000, .burst_ms = 20'000};

}  // namespace

bool RateLimitedLog::is_logged(spdlog::level::level_enum level) {
  return spdlog::should_log(level);
}

void RateLimitedLog::write(spdlog::level::level_enum level, const std::string& text,
                           std::uint64_t omitted) {
  if (omitted == 0) return spdlog::log(level, "{}", text);
  spdlog::log(level, "{} ({} more of these were left out)", text, omitted);
}

std::uint64_t RateLimitedLog::take(TimeMs now_ms, Reason reason) {
  Line& line = this->line(reason);
  if (line.rate.take(now_ms, kRate)) return std::exchange(line.omitted, 0);
  ++line.omitted;
  return kNotNow;
}

void RateLimitedLog::say(TimeMs now_ms, RoomEvents& rooms) {
  for (const RoomEvent& event : rooms.events()) {
    if (event.kind == RoomEvent::Kind::kOpened) {
      say(now_ms, Reason::kRoomOpened, spdlog::level::info, "room {} opened from {}",
          chatd::quoted(event.room), event.creator);
    } else {
      say(now_ms, Reason::kRoomClosed, spdlog::level::info, "room {} closed, {} members with it",
          chatd::quoted(event.room), event.members);
    }
  }
  line(Reason::kRoomOpened).omitted += rooms.omitted(RoomEvent::Kind::kOpened);
  line(Reason::kRoomClosed).omitted += rooms.omitted(RoomEvent::Kind::kClosed);
  rooms.clear();
}

void RateLimitedLog::close() {
  std::uint64_t omitted = 0;
  for (Line& line : lines_) omitted += std::exchange(line.omitted, 0);
  if (omitted > 0) spdlog::info("{} lines about rooms and connections were left out", omitted);
}

std::string quoted(std::string_view name) {
  std::size_t size_bytes = std::min(name.size(), kMaxNameInLogBytes);
  // Not in the middle of a character of UTF-8.
  while (size_bytes < name.size() && size_bytes > 0 && (name[size_bytes] & 0xc0) == 0x80) {
    --size_bytes;
  }
  JsonWriter json;
  json.value(name.substr(0, size_bytes));
  return escape_hidden(json.take()) + (size_bytes < name.size() ? "..." : "");
}

}  // namespace chatd
