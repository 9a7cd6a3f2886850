// What has happened to rooms, for a log: effects as data, like everything that leaves the core. Who
// drives the relay takes them out between two turns; if nobody does, or too much happens at once,
// they are only counted. Thread: one at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ip_address.h"

namespace chatd {

struct RoomEvent {
  enum class Kind : std::uint8_t { kOpened, kClosed };

  Kind kind = Kind::kOpened;
  std::string room;
  IpAddress creator;
  std::uint32_t members = 0;  // who lost it
};

class RoomEvents {
 public:
  void add(RoomEvent::Kind kind, std::string_view room, const IpAddress& creator,
           std::size_t members) {
    if (events_.size() == kMaxEvents) {
      ++omitted_[static_cast<std::size_t>(kind)];
      return;
    }
    events_.push_back({.kind = kind,
                       .room = std::string(room),
                       .creator = creator,
                       .members = static_cast<std::uint32_t>(members)});
  }

  const std::vector<RoomEvent>& events() const { return events_; }
  // Those for which there was no room in the list since the last clear().
  std::uint64_t omitted(RoomEvent::Kind kind) const {
    return omitted_[static_cast<std::size_t>(kind)];
  }
  void clear() {
    events_.clear();
    omitted_ = {};
  }

 private:
  static constexpr std::size_t kMaxEvents = 64;

  std::vector<RoomEvent> events_;
  std::array<std::uint64_t, 2> omitted_{};  // by kind
};

}  // namespace chatd
