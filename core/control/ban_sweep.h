// Takes members out whom a new list of bans hits, some of them a turn, so that a relay with a
// million members goes on relaying meanwhile. Whoever asks to be let in while it goes on has the
// new list already (core/control/room_service.h), so nobody slips through. Thread: one at a time.
#pragma once

#include <cstdint>

#include "core/base/time.h"
#include "core/control/ban_list.h"
#include "core/room/membership.h"
#include "core/room/outbox.h"
#include "core/room/roster.h"

namespace chatd {

class BanSweep {
 public:
  BanSweep(const Roster& roster, Membership& membership)
      : roster_(roster), membership_(membership) {}

  // From the first member on.
  void begin() { next_slot_ = 0; }
  bool is_pending() const { return next_slot_ != kDone; }

  // A turn's share.
  void go_on(TimeMs now_ms, const BanList& bans, Outbox& out) {
    for (std::uint32_t looked = 0; looked < kMembersPerTurn && !out.is_full(); ++looked) {
      if (next_slot_ >= roster_.members().slot_end()) {
        next_slot_ = kDone;
        return;
      }
      const std::uint32_t slot = next_slot_++;
      const Member* const member = roster_.members().find(slot);
      if (member == nullptr) continue;
      const Ban* const ban = bans.find(now_ms, member->tcp_peer, member->username);
      if (ban != nullptr) membership_.ban(now_ms, slot, ban_text(*ban), out);
    }
  }

 private:
  static constexpr std::uint32_t kMembersPerTurn = 2'048;
  static constexpr std::uint32_t kDone = UINT32_MAX;

  const Roster& roster_;
  Membership& membership_;
  std::uint32_t next_slot_ = kDone;
};

}  // namespace chatd
