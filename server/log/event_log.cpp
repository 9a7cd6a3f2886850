#include "server/log/event_log.h"

#include "core/wire/json_writer.h"

namespace chatd {
namespace {

constexpr TokenRate kRate{.units = 1, .per_ms = 1000, .burst_ms = 20'000};

}  // namespace

std::uint64_t EventLog::take(TimeMs now_ms, Reason reason) {
  Line& line = this->line(reason);
  if (line.rate.take(now_ms, kRate)) return std::exchange(line.omitted, 0);
  ++line.omitted;
  return kNotNow;
}

void EventLog::say(TimeMs now_ms, RoomEvents& rooms) {
  for (const RoomEvent& event : rooms.events()) {
    if (event.kind == RoomEvent::Kind::kOpened) {
      say(now_ms, Reason::kRoomOpened, spdlog::level::info, "room {} opened from {}",
          quoted(event.room), event.creator);
    } else {
      say(now_ms, Reason::kRoomClosed, spdlog::level::info, "room {} closed, {} members with it",
          quoted(event.room), event.members);
    }
  }
  line(Reason::kRoomClosed).omitted += rooms.omitted();
  rooms.clear();
}

std::string quoted(std::string_view name) {
  JsonWriter json;
  json.value(name);
  return json.take();
}

}  // namespace chatd
