// The model's view of who has a session of protocol v2: how they begin and end.
#include <algorithm>
#include <string>
#include <utility>

#include "tests/sim/model.h"

namespace chatd::sim {

void Model::on_granted(MemberNumber number, const client::SessionInfo& info) {
  Membership& member = members_[number];
  ModelRoom& room = members_.rooms[member.room];
  const SealedSession* const before = member.session;
  if (sessions_.find(info.id) != nullptr) return world_.fail("a session's id is used again");
  if (!room.log) room.log = std::make_shared<RoomLogModel>(info.next_entry);
  SealedSession& session = sessions_.add(info);
  session.generation = generation_;
  session.shard = member.shard;
  session.member = number;
  session.log = room.log;
  session.cursor = room.log->head();
  session.first_readable = session.cursor;
  if (before != nullptr) {
    session.first_readable = before->first_readable;
  } else {
    const std::uint64_t history =
        member.came_at == 0 ? 0 : std::min<std::uint64_t>(member.came_at - 1, room.history);
    if (history > 0) session.first_readable = member.came_at - history;
    room.log->keep(limits_.history_entries, limits_.history_bytes);
  }
  member.session = &session;
  check_grant(member, session, info);
}

void Model::check_grant(const Membership& member, const SealedSession& session,
                        const client::SessionInfo& info) {
  const ModelRoom& room = members_.rooms[member.room];
  bool is_right = info.next_entry == session.cursor && info.member == member.id &&
                  info.oldest_entry >= session.first_readable &&
                  info.oldest_entry <= info.next_entry && info.id.shard() == member.shard &&
                  info.id.slot() == member.token.slot() &&
                  info.roster.size() == room.members.size();
  if (world_.scenario.store_blocks == kMessageStoreBlocks &&
      info.oldest_entry > session.first_readable &&
      !session.log->may_be_gone(info.oldest_entry - 1)) {
    is_right = false;
  }
  for (const MemberNumber number : room.members) {
    const Membership& present = members_[number];
    is_right =
        is_right &&
        std::any_of(info.roster.begin(), info.roster.end(), [&](const client::RosterMember& one) {
          return one.id == present.id && one.name == world_.client_names[present.name] &&
                 one.is_host == (room.host == number);
        });
  }
  if (!is_right) {
    world_.fail("member " + std::to_string(member.number) + " is told a room that is not so");
  }
}

// It is told where it is, and unknown from then on.
void Model::close_session(Membership& member, v2::CloseReason reason, bool is_certain) {
  member.session->state = SealedSession::State::kOver;
  if (member.port == kNoPort) return;
  sealed_.expect(*member.session, network_.endpoint(member.port),
                 SealedExpectations::Closing{reason}, is_certain);
}

// Its room is over: what was said comes first, then a word.
void Model::end_session(Membership& member) {
  if (!member.is_sealed) return;
  member.session->state = SealedSession::State::kRoomEnded;
  member.session->port = member.port;
  if (member.port != kNoPort) {
    ended_sessions_.push_back(member.session);
    return;
  }
  member.session->state = SealedSession::State::kOver;
  ++expected(member.shard, Counter::kNoticesDropped);
}

// It begins again in all but its id and its token.
void Model::take_sealed_seat(TimeMs now_ms, const RequestSpec& spec) {
  world_.seen.saw(Sight::kSealedSeatTaken);
  Membership& member = members_[spec.seat];
  close_session(member, v2::CloseReason::kMoved);
  if (member.port != kNoPort) std::erase(at_port_[member.port], member.number);
  member.port = kNoPort;
  member.host = spec.host;
  member.last_heard_ms = now_ms;
  member.refusals = 0;
  ++expected(member.shard, Counter::kMembersReturned);
}

}  // namespace chatd::sim
