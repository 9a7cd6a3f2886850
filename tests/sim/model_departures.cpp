// How members go, and what must have happened by then.
#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "tests/sim/model.h"

namespace chatd::sim {
namespace {

v2::CloseReason reason_of(Counter why) {
  switch (why) {
    case Counter::kMembersLeft:
      return v2::CloseReason::kLeft;
    case Counter::kMembersTimedOut:
      return v2::CloseReason::kSilent;
    default:
      return v2::CloseReason::kRemoved;
  }
}

}  // namespace

void Model::begin_call(std::uint8_t shard) {
  shard_ = shard;
  is_order_open_ = false;
  expectations_.clear();
  sealed_.clear();
  logged_rooms_.clear();
}

// Who has gone and got everything is forgotten.
void Model::end_call() {
  std::erase_if(gone_, [this](MemberNumber number) {
    const Membership& member = members_[number];
    if (!member.expected.empty()) return false;
    if (member.port != kNoPort) std::erase(at_port_[member.port], number);
    return true;
  });
}

void Model::on_nothing_waits(std::uint8_t shard) {
  for (const MemberNumber number : gone_) {
    if (members_[number].shard == shard) expected_.write_off(members_[number]);
  }
  for (ModelRoom& room : members_.rooms) {
    if (room.shard != shard || room.accepted == 0) continue;
    for (const MemberNumber number : room.members) {
      const Membership& member = members_[number];
      expected_.write_off(members_[number]);
      if (!member.is_sealed || member.port == kNoPort) continue;
      if (member.session->cursor == room.log->head()) continue;
      world_.fail("member " + std::to_string(number) + " was not sent entry " +
                  std::to_string(member.session->cursor) + ", and nothing waits");
    }
    room.may_hear_of_drain = false;
    room.accepted = 0;
  }
  std::erase_if(ended_rooms_, [shard](const EndedRoom& ended) { return ended.shard == shard; });
  for (const SealedSession* const session : ended_sessions_) {
    if (session->shard != shard || session->state == SealedSession::State::kOver) continue;
    world_.fail("member " + std::to_string(session->member) +
                " was not told that its room is over");
  }
  std::erase_if(ended_sessions_,
                [shard](const SealedSession* session) { return session->shard == shard; });
}

void Model::on_waiting_dropped(std::uint8_t shard) {
  for (const MemberNumber number : gone_) {
    if (members_[number].shard == shard) expected_.abandon(members_[number]);
  }
  for (const ModelRoom& room : members_.rooms) {
    if (room.shard != shard) continue;
    for (const MemberNumber number : room.members) {
      expected_.abandon(members_[number]);
      if (members_[number].is_sealed) members_[number].session->cursor = room.log->head();
    }
  }
  for (SealedSession* const session : ended_sessions_) {
    if (session->shard == shard) session->cursor = session->log->head();
  }
}

// Notices of one text are one, as messages of one number are.
MessageId Model::notice_id(Notice notice, std::string_view username) {
  const auto [entry, is_new] =
      notice_ids_.try_emplace(notice_text(notice, username), kNoticeBit | notice_ids_.size());
  return entry->second;
}

std::optional<MessageId> Model::find_notice(std::string_view datagram) const {
  const auto found = notice_ids_.find(datagram);
  if (found == notice_ids_.end()) return std::nullopt;
  return found->second;
}

void Model::owe(Membership& member, MessageId notice, ExpectedDelivery::Certainty certainty,
                bool is_farewell) {
  if (member.is_sealed) return;
  if (member.port == kNoPort) {
    ++expected(member.shard, Counter::kNoticesDropped);
  } else {
    expected_.accept_notice(member, notice, certainty, is_farewell);
  }
}

// It is out, and is told so when it has got all that was for it.
void Model::tell(Membership& member) {
  expected_.begin_notice();
  owe(member, notice_id(Notice::kDisconnected, world_.client_names[member.name]),
      ExpectedDelivery::Certainty::kCertain, /*is_farewell=*/true);
}

// Large rooms hear nothing of arrivals and departures, others only so many.
bool Model::may_tell(ModelRoom& room, std::size_t size, bool is_host) {
  if (size < 2 || size > limits_.max_notified_members) return false;
  if (is_host) return true;  // its end comes once
  const Bucket::Rate rate{.units = limits_.abuse.max_room_notices_per_s, .burst_ms = 5000};
  if (room.notices.take(now_ms_, rate)) return true;
  ++expected(room.shard, Counter::kNoticesOverLimit);
  return false;
}

void Model::tell_others(Notice notice, const Membership& about) {
  ModelRoom& room = members_.rooms[about.room];
  const auto kind = notice == Notice::kJoined ? v2::EntryKind::kJoined : v2::EntryKind::kLeft;
  if (room.members.size() > 1) {
    log(about.room, {.kind = kind, .member = about.id, .bytes = world_.client_names[about.name]});
    if (room.log) ++room.accepted;
  }
  if (!may_tell(room, room.members.size(), room.host == about.number)) return;
  expected_.begin_notice();
  ++room.accepted;
  const MessageId id = notice_id(notice, world_.client_names[about.name]);
  for (const MemberNumber number : room.members) {
    if (number != about.number) owe(members_[number], id, ExpectedDelivery::Certainty::kCertain);
  }
}

// One member goes: the others hear of it; if it was the host, the room ends.
void Model::go(Membership& member, Counter why) {
  const std::uint32_t room = member.room;
  world_.note(Step::kGoes, member.number, room, static_cast<std::uint64_t>(why));
  ++expected(member.shard, why);
  if (member.is_sealed) close_session(member, reason_of(why));
  tell_others(Notice::kLeft, member);
  const bool was_host = members_.rooms[room].host == member.number;
  take_out(member);
  if (was_host) {
    world_.seen.saw(Sight::kHostLeaves);
    end_room(room);
  }
}

void Model::take_out(Membership& member) {
  std::erase(members_.rooms[member.room].members, member.number);
  member.is_in = false;
  gone_.push_back(member.number);
  --member_count_;
}

void Model::end_room(std::uint32_t number) {
  ModelRoom& room = members_.rooms[number];
  while (!room.members.empty()) {
    Membership& member = members_[room.members.back()];
    world_.note(Step::kGoes, member.number, number,
                static_cast<std::uint64_t>(Counter::kMembersDisconnected));
    ++expected(member.shard, Counter::kMembersDisconnected);
    end_session(member);
    tell(member);
    take_out(member);
  }
  room.exists = false;
  room.log.reset();
  ended_rooms_.push_back({.shard = room.shard, .address = world_.hosts[room.creator_host].group});
  --rooms_;
  ++expected(room.shard, Counter::kRoomsClosed);
  const bool is_counted_here =
      shards_.count() == 1 || shards_.of_address(world_.hosts[room.creator_host].ip) == room.shard;
  if (is_counted_here) addresses_.close_room(room.creator_host);
}

void Model::on_deadline(TimeMs now_ms, std::uint8_t shard, const IsGone* stopped_early) {
  now_ms_ = now_ms;
  TimeMs& earliest_ms = nobody_expires_before_ms_[shard];
  if (now_ms < earliest_ms) return;
  earliest_ms = std::numeric_limits<TimeMs>::max();
  std::vector<MemberNumber> silent;
  for (std::uint32_t i = 0; i < members_.rooms.size(); ++i) {
    const ModelRoom& room = members_.rooms[i];
    if (!room.exists || room.shard != shard) continue;
    silent.clear();
    for (const MemberNumber number : room.members) {
      const Membership& member = members_[number];
      const TimeMs deadline_ms = member.last_heard_ms + limits_.idle_timeout_ms;
      const bool is_due = deadline_ms <= now_ms;
      if (is_due && (stopped_early == nullptr || (*stopped_early)(member))) {
        silent.push_back(number);
      } else {
        earliest_ms = std::min(earliest_ms, deadline_ms);
      }
    }
    if (!silent.empty()) expire(i, silent);
  }
}

void Model::expire(std::uint32_t number, const std::vector<MemberNumber>& silent) {
  if (silent.size() == 1) {
    Membership& member = members_[silent.front()];
    go(member, Counter::kMembersTimedOut);
    return tell(member);
  }
  // Who goes later may hear that the first ones went; those who stay hear of all, in any order, if
  // the room is told at all.
  is_order_open_ = true;
  ModelRoom& room = members_.rooms[number];
  for (const MemberNumber one : silent) {
    ++room.accepted;
    const MessageId left = notice_id(Notice::kLeft, world_.client_names[members_[one].name]);
    for (const MemberNumber other : room.members) {
      if (other != one && members_[other].port != kNoPort) {
        owe(members_[other], left, ExpectedDelivery::Certainty::kOptional);
      }
    }
  }
  // If the host is among them, who had not gone by then has lost its room instead.
  const bool host_is_silent = std::find(silent.begin(), silent.end(), room.host) != silent.end();
  if (room.log) {
    std::vector<LogEntry> left;
    for (const MemberNumber one : silent) left.push_back(left_entry(members_[one]));
    room.log->last_entry_ms = now_ms_;
    if (host_is_silent) {
      room.log->append_some(std::move(left));
    } else {
      room.log->append_in_any_order(std::move(left));
      logged_rooms_.push_back(number);
    }
  }
  for (const MemberNumber one : silent) {
    Membership& member = members_[one];
    if (member.is_sealed) {
      close_session(member, v2::CloseReason::kSilent, /*is_certain=*/!host_is_silent);
      if (host_is_silent) end_session(member);
    }
    world_.note(Step::kGoes, one, number, static_cast<std::uint64_t>(Counter::kMembersTimedOut));
    ++expected(member.shard, Counter::kMembersTimedOut);
    tell(member);
    take_out(member);
  }
  if (host_is_silent) return end_room(number);
  for (std::size_t i = 0; i < silent.size(); ++i)
    may_tell(room, room.members.size() + i + 1, false);
}

// That a shard has ended, and its rooms with it, the others do not hear: for their limits what it
// had counts on.
void Model::on_disconnect_all(std::uint8_t shard, const IsGone& is_gone) {
  stale_rooms_ += rooms_;
  stale_members_ += member_count_;
  for (std::uint32_t i = 0; i < members_.rooms.size(); ++i) {
    const ModelRoom& room = members_.rooms[i];
    if (room.exists && room.shard == shard && is_gone(members_[room.host])) end_room(i);
  }
  stale_rooms_ -= rooms_;
  stale_members_ -= member_count_;
}

}  // namespace chatd::sim
