// One room. Members' endpoints and cursors lie in arrays, in step with their slots, so that a
// sending is one walk through memory: first those with protocol v1, who share trains, then those
// with protocol v2, each of whom has a seal of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/endpoint.h"
#include "core/base/slot_pool.h"
#include "core/ratelimit/token_bucket.h"
#include "core/room/have_pace.h"
#include "core/room/name_key.h"
#include "core/room/password.h"
#include "core/room/room_log.h"
#include "core/room/session.h"

namespace chatd {

struct AddressQueue;

// A member that has gone, and has still to get what was said while it was there.
struct Leaver {
  std::uint32_t member = 0;  // the slot that was its own
  Endpoint endpoint;
  std::uint64_t cursor = 0;
  std::uint64_t end = 0;  // the number of the first entry that is not for it
  std::string farewell;   // what it is told in the end; empty: nothing
};

// In the order in which they went. Thread: one at a time.
class LeaverQueue {
 public:
  bool is_empty() const { return first_ == leavers_.size(); }
  std::uint32_t size() const { return static_cast<std::uint32_t>(leavers_.size() - first_); }
  Leaver& front() { return leavers_[first_]; }
  void push(Leaver leaver) { leavers_.push_back(std::move(leaver)); }
  void pop() {
    leavers_[first_++] = {};
    if (2 * first_ < leavers_.size()) return;
    leavers_.erase(leavers_.begin(), leavers_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  std::span<const Leaver> all() const { return std::span(leavers_).subspan(first_); }

 private:
  std::vector<Leaver> leavers_;
  std::size_t first_ = 0;
};

struct Room {
  std::string name;
  NameKey name_key;
  Password password;
  IpAddress creator;                 // the room counts against this address
  std::uint64_t creation_order = 0;  // grows with each room of the server: the order of lists
  std::uint32_t older = kNoSlot;     // the roster's rooms form a list in that order
  std::uint32_t newer = kNoSlot;
  std::uint32_t host = 0;             // member slot
  std::uint32_t pending_members = 0;  // those with protocol v1 whose endpoint has port 0
  std::uint32_t pending_v2 = 0;       // those with protocol v2
  v2::MemberId next_member_id = 1;
  TokenBucket notices;  // arrivals and departures that members with protocol v1 are told

  // What was said, and what has still to go out (core/room/dispatcher.h), and the position of the
  // member that is next.
  RoomLog log;
  std::uint32_t next_position = 0;
  std::uint32_t next_v2_position = 0;
  std::uint32_t v2_behind = 0;        // members with protocol v2 who have still to get something
  bool is_held = false;               // what is new can wait a moment: who has come and gone
  std::uint32_t history_entries = 0;  // before it came, that a late member may read
  TimeMs last_entry_at_ms = 0;        // when something was last said
  HavePace have_pace;
  std::uint32_t older_talk = kNoSlot;  // rooms that keep entries form a list, by when they talked
  std::uint32_t newer_talk = kNoSlot;
  LeaverQueue leavers;
  AddressQueue* turn_queue = nullptr;  // core/room/turn_order.h
  std::uint32_t next_in_queue = kNoSlot;
  std::uint32_t previous_in_queue = kNoSlot;

  // In step with each other.
  std::vector<std::uint32_t> members;  // slots
  std::vector<Endpoint> endpoints;     // where each is bound
  std::vector<std::uint64_t> cursors;  // the number of the entry that each has to get next
  // Of those with protocol v2; nothing before. Empty in a room that never had one.
  std::vector<std::unique_ptr<Session>> sessions;
  std::uint32_t first_v2 = 0;  // the position of the first of them

  std::uint32_t size() const { return static_cast<std::uint32_t>(members.size()); }
  bool is_bound(std::uint32_t position) const { return endpoints[position].port != 0; }
  bool is_v2(std::uint32_t position) const { return position >= first_v2; }
  bool has_v2() const { return first_v2 < members.size(); }
  // Whether there is something to send now: also a farewell before which all else has given way.
  bool is_waiting() const {
    return !is_held && (!log.is_empty() || !leavers.is_empty() || v2_behind > 0);
  }
  // Members with protocol v1 whose address is known.
  std::uint32_t readers() const { return first_v2 - pending_members; }
  // Those with protocol v2.
  std::uint32_t v2_readers() const { return size() - first_v2 - pending_v2; }
};

}  // namespace chatd
