#include "core/control/room_service.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/wire/v2/roster.h"

namespace chatd {
namespace {

constexpr std::size_t kAttemptBuckets = 65'536;
constexpr std::uint32_t kMinuteMs = 60'000;

tl::unexpected<RequestError> refuse(Status status, std::string_view message) {
  return tl::unexpected(RequestError{status, message});
}

tl::unexpected<RequestError> refuse_look_alike(Status status, std::string_view message,
                                               const std::string& name) {
  return tl::unexpected(RequestError{status, message, '"' + name + '"'});
}

tl::unexpected<RequestError> server_is_full() {
  return refuse(Status::kUnavailable, "the server is full");
}

// It is of no use to speak protocol v2 without the roster.
tl::unexpected<RequestError> roster_is_too_long() {
  return refuse(Status::kUnavailable, "this room has too many members for protocol 2");
}

// An address that tries the passwords of a room, for the table of attempts.
std::string attempt_key(const Room& room, const IpAddress& peer) {
  return std::string(peer.rate_limit_key().key()).append(room.name);
}

}  // namespace

RoomService::RoomService(const Limits& limits, std::uint8_t shard, Cipher cipher, Roster& roster,
                         Membership& membership, const AddressLimiter& addresses,
                         Counters& counters, const BanListPointer& bans,
                         const KeyedHash::Key& hash_key, const ResetKey& reset_key,
                         RandomStream& random)
    : limits_(limits),
      shard_(shard),
      cipher_(cipher),
      roster_(roster),
      membership_(membership),
      addresses_(addresses),
      counters_(counters),
      bans_(bans),
      password_attempts_(kAttemptBuckets, hash_key),
      reset_key_(reset_key),
      random_(random) {}

JoinResult RoomService::enter(const Context& context, JoinCommand command) {
  return {.operation = command.operation,
          .peer = command.peer,
          .room_is_counted = command.room_is_counted,
          .took_seat = command.join.token.has_value(),
          .admission = let_in(context, command)};
}

RoomService::AdmissionOrError RoomService::let_in(const Context& context, JoinCommand& command) {
  if (const auto refusal = check_bans(context.now_ms, command)) return tl::unexpected(*refusal);
  if (is_draining_) {
    return refuse(Status::kUnavailable, "the server is about to stop and lets nobody in any more");
  }
  if (command.join.token) return take_seat(context, command);
  const bool is_new = command.operation == Operation::kCreate;
  const RoomOrError room = is_new ? create_room(context, command) : find_room(context, command);
  if (!room) return tl::unexpected(room.error());
  if (command.join.protocol == 2 &&
      roster_.rooms()[*room].members.size() >= v2::kMaxRosterMembers) {
    return roster_is_too_long();
  }
  const std::uint32_t slot = roster_.next_member_slot();
  Member member;
  member.username = std::move(command.join.username);
  member.token = Token(shard_, slot, random_.next<kTokenSecretBytes>());
  member.tcp_peer = command.peer;
  const Token token = member.token;
  if (is_new) roster_.rooms()[*room].host = slot;
  if (command.join.protocol == 1) {
    membership_.admit(context.now_ms, *room, std::move(member), endpoint_of(command));
    return Admission{token};
  }
  NewSession made = make_session(slot, command);
  Session& session = *made.session;
  const Room& entered = roster_.rooms()[*room];
  const std::uint64_t before = entered.log.head();  // it comes with an entry of its own
  membership_.admit(context.now_ms, *room, std::move(member), {}, std::move(made.session));
  const auto history = std::min<std::uint64_t>(before - 1, entered.history_entries);
  session.first_readable = history > 0 ? before - history : entered.log.head();
  describe_room(slot, session, *made.grant);
  return Admission{token, std::move(made.grant)};
}

// Here and not where the connection is: a request that was under way when the list changed finds
// the list by which the members of this shard were looked at (core/control/ban_sweep.h).
std::optional<RequestError> RoomService::check_bans(TimeMs now_ms, const JoinCommand& command) {
  const Ban* const ban = bans_->find(now_ms, command.peer, command.join.username);
  if (ban == nullptr) return std::nullopt;
  counters_.add(Counter::kRequestsBanned);
  return RequestError{Status::kForbidden, kBannedText, ban->reason};
}

RoomService::NewSession RoomService::make_session(std::uint32_t slot, const JoinCommand& command) {
  const auto random = random_.next<sizeof(std::uint32_t)>();
  std::uint32_t tail = 0;
  for (const std::uint8_t byte : random) tail = tail << 8 | byte;
  auto grant = std::make_shared<SessionGrant>();
  grant->id = v2::SessionId(shard_, slot, tail);
  grant->secret = random_.next<std::tuple_size_v<SessionSecret>>();
  grant->cipher = command.join.only_cipher.value_or(cipher_);
  grant->reset_token = reset_key_.token_of(grant->id);
  auto session = std::make_unique<Session>();
  session->id = grant->id;
  session->cipher = grant->cipher;
  session->send_key = PacketKey(grant->secret, Direction::kToClient);
  session->receive_key = PacketKey(grant->secret, Direction::kToServer);
  return {std::move(session), std::move(grant)};
}

void RoomService::describe_room(std::uint32_t slot, const Session& session,
                                SessionGrant& grant) const {
  const Member& member = roster_.members()[slot];
  const Room& room = roster_.rooms()[member.room];
  grant.member = member.id;
  grant.next_entry = room.log.head();
  grant.oldest_entry = std::max(session.first_readable, room.log.oldest());
  grant.roster.reserve(room.members.size());
  for (const std::uint32_t each : room.members) {
    const Member& present = roster_.members()[each];
    grant.roster.push_back(
        {.id = present.id, .name = present.username, .is_host = each == room.host});
  }
}

// A room without members yet.
RoomService::RoomOrError RoomService::create_room(const Context& context, JoinCommand& command) {
  if (const auto other = roster_.find_room(command.room)) {
    const std::string& name = roster_.rooms()[*other].name;
    if (name == command.room) {
      return refuse(Status::kConflict, "a room of this name exists already");
    }
    return refuse_look_alike(Status::kConflict, "a room whose name looks the same exists already",
                             name);
  }
  if (!command.room_is_counted) {
    return refuse(Status::kTooMany, "too many rooms from your address: close one first");
  }
  const Total in_use = total(context.peers);
  if (in_use.rooms >= limits_.max_rooms) {
    return refuse(Status::kUnavailable, "the server has no room left for rooms");
  }
  if (in_use.members >= limits_.max_members) return server_is_full();

  Room room;
  room.name = std::move(command.room);
  room.password = Password(command.join.password, random_.next<Password::kSaltBytes>());
  room.creator = command.peer;
  room.creation_order = context.peers.creation_order;
  room.history_entries = std::min(command.join.history_entries, limits_.history_entries);
  return membership_.open_room(std::move(room));
}

// A room is entered under its own name alone: the client's datagrams will name the room as the
// request does, and they are compared byte by byte.
//
// The password is asked first: who does not know it learns nothing about the members.
RoomService::RoomOrError RoomService::find_room(const Context& context,
                                                const JoinCommand& command) {
  const auto slot = roster_.find_room(command.room);
  if (!slot) return refuse(Status::kNotFound, "there is no room of this name");
  const Room& room = roster_.rooms()[*slot];
  if (room.name != command.room) {
    return refuse_look_alike(Status::kNotFound,
                             "no room has exactly this name, but one looks the same", room.name);
  }
  if (const auto refusal = check_password(context.now_ms, room, command)) {
    return tl::unexpected(*refusal);
  }
  if (const auto other = roster_.find_member(*slot, command.join.username)) {
    const std::string& username = roster_.members()[*other].username;
    if (username == command.join.username) {
      return refuse(Status::kConflict, "the username is taken in this room");
    }
    return refuse_look_alike(Status::kConflict,
                             "a username that looks the same is taken in this room", username);
  }
  if (room.members.size() >= limits_.max_room_members) {
    return refuse(Status::kUnavailable, "this room is full");
  }
  if (total(context.peers).members >= limits_.max_members) return server_is_full();
  return *slot;
}

// Whoever was in and has lost its way (its program crashed, its address is another one) comes back
// to its own seat: it shows the token, and what the room asks of everybody. Nobody is let in by
// this who was not in, so a member that was removed stays out.
RoomService::AdmissionOrError RoomService::take_seat(const Context& context,
                                                     const JoinCommand& command) {
  const auto room = roster_.find_room(command.room);
  if (!room || roster_.rooms()[*room].name != command.room) {
    return refuse(Status::kNotFound, "there is no room of this name");
  }
  if (const auto refusal = check_password(context.now_ms, roster_.rooms()[*room], command)) {
    return tl::unexpected(*refusal);
  }
  const auto seat = roster_.find_member(*room, command.join.username);
  const Member* const member = seat ? &roster_.members()[*seat] : nullptr;
  const bool is_there = member != nullptr && member->username == command.join.username &&
                        member->token == *command.join.token;
  const bool is_wanted =
      command.operation == Operation::kJoin || (seat && roster_.rooms()[*room].host == *seat);
  if (!is_there || !is_wanted) {
    return refuse(Status::kNotFound, "the token is for no seat of this name in this room");
  }
  const Session* const before = roster_.session_of(*member);
  if ((before != nullptr) != (command.join.protocol == 2)) {
    return refuse(Status::kConflict, "this seat was taken with another protocol: leave it first");
  }
  if (before == nullptr) {
    membership_.take_seat(context.now_ms, *seat, command.peer, endpoint_of(command), context.out);
    return Admission{*command.join.token};
  }
  if (roster_.rooms()[*room].members.size() > v2::kMaxRosterMembers) return roster_is_too_long();
  NewSession made = make_session(*seat, command);
  Session& session = *made.session;
  session.first_readable = before->first_readable;
  membership_.take_v2_seat(context.now_ms, *seat, command.peer, std::move(made.session),
                           context.out);
  describe_room(*seat, session, *made.grant);
  return Admission{*command.join.token, std::move(made.grant)};
}

// Who has guessed wrong too often has to wait, and what it offers meanwhile is not looked at, or a
// right guess would stand out. The right password costs nothing, so that honest people behind the
// same address are kept out only while somebody there guesses.
std::optional<RequestError> RoomService::check_password(TimeMs now_ms, const Room& room,
                                                        const JoinCommand& command) {
  if (!room.password.is_required()) return std::nullopt;
  const std::string_view offered = command.join.password;
  if (offered.empty()) return RequestError{Status::kUnauthorized, "this room asks for a password"};

  const bool is_exempt = addresses_.is_exempt(command.peer);
  const TokenRate rate{.units = is_exempt ? 0 : limits_.abuse.max_password_attempts_per_min,
                       .per_ms = kMinuteMs,
                       .burst_ms = kMinuteMs};
  TokenBucket& attempts = password_attempts_[attempt_key(room, command.peer)];
  if (!attempts.has(now_ms, rate)) {
    counters_.add(Counter::kPasswordAttemptsOverLimit);
    return RequestError{Status::kTooMany,
                        "too many wrong passwords from your address: try again later"};
  }
  if (room.password.accepts(offered)) return std::nullopt;
  attempts.take(now_ms, rate);
  counters_.add(Counter::kPasswordsWrong);
  return RequestError{Status::kUnauthorized, "the password is wrong"};
}

// TCP proves the peer's address. Only there may the member be bound at once; any other stated
// address could be a victim's, so nothing is sent until a datagram with the token has come from the
// peer's address (port 0: pending).
Endpoint RoomService::endpoint_of(const JoinCommand& command) {
  const JoinRequest& join = command.join;
  const bool is_proven = join.ip == IpAddress{} || join.ip == command.peer;
  return is_proven && join.port != 0 ? Endpoint{command.peer, join.port, command.via} : Endpoint{};
}

// The limits are those of the whole server. Two shards that decide at the same moment may pass one
// by as much as there are shards; requests that come one after another find it exact.
RoomService::Total RoomService::total(const PeerShards& peers) const {
  Total total{.rooms = roster_.rooms().size(), .members = roster_.members().size()};
  for (std::size_t shard = 0; shard < peers.figures.size(); ++shard) {
    if (shard == shard_) continue;
    total.rooms += peers.figures[shard].rooms;
    total.members += peers.figures[shard].members;
  }
  return total;
}

}  // namespace chatd
