#include "tests/sim/model.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

namespace chatd::sim {
namespace {

constexpr TimeMs kNever = std::numeric_limits<TimeMs>::max();
constexpr std::size_t kAnswerBytes = 59;
constexpr std::size_t kLargestDatagram = 4096;
constexpr std::uint32_t kRefusalsForgiven = 3;

}  // namespace

Model::Model(World& world, const Network& network)
    : world_(world),
      network_(network),
      limits_(world.scenario.limits),
      roll_(world.room_names.size()),
      debts_(roll_),
      addresses_(world) {}

void Model::restart(const ShardMap& shards) {
  shards_ = shards;
  expected_.assign(shards.count(), {});
  nobody_expires_before_ms_.assign(shards.count(), kNever);
  at_port_.clear();
  addresses_.forget_all();
  debts_.forget_all();
  for (std::uint32_t i = 0; i < roll_.rooms.size(); ++i) {
    roll_.rooms[i].shard = shards.of_room(world_.room_names[i]);
  }
}

// --- Requests ------------------------------------------------------------------------------------

std::optional<int> Model::on_request(TimeMs now_ms, std::uint8_t shard, Ask& ask) {
  const bool may_ask = addresses_.may_ask(now_ms, ask.host);
  int status = 0;
  if (ask.kind == Ask::Kind::kBadFrame) {
    status = 400;
  } else if (!may_ask) {
    world_.seen.saw(Sight::kTold429Requests);
    ++expected(shard, Counter::kRequestsOverLimit);
    status = 429;
  } else if (ask.kind == Ask::Kind::kBadContent) {
    status = 400;
  } else if (ask.kind == Ask::Kind::kList) {
    ++expected(shard, Counter::kRequestsCompleted);
    return 200;
  }
  if (status != 0) {
    ++expected(shard, Counter::kRequestsRefused);
    return status;
  }
  if (ask.kind == Ask::Kind::kCreate) {
    ask.room_is_counted = addresses_.may_open_room(ask.host);
    if (ask.room_is_counted) addresses_.open_room(ask.host);
  }
  return std::nullopt;
}

Model::Admission Model::on_admission(TimeMs now_ms, const Ask& ask, bool was_kept_back) {
  now_ms_ = now_ms;
  const bool is_create = ask.kind == Ask::Kind::kCreate;
  const int status = is_create ? create_status(ask) : join_status(now_ms, ask, was_kept_back);
  world_.note(Step::kEnters, ask.name, ask.room, static_cast<std::uint64_t>(status));
  if (status != 201) return {.status = status, .member = kNobody};

  ModelRoom& room = roll_.rooms[ask.room];
  if (is_create) {
    room.exists = true;
    room.creator_host = ask.host;
    room.password = ask.password;
    room.notices = {};
    room.accepted = 0;
    ++rooms_;
    ++expected(room.shard, Counter::kRoomsCreated);
  } else {
    settle(ask.room);
  }
  const Membership& member = enter(now_ms, ask);
  if (is_create) room.host = member.number;
  return {.status = status, .member = member.number};
}

int Model::create_status(const Ask& ask) const {
  if (roll_.rooms[ask.room].exists) return 409;
  if (!ask.room_is_counted) {
    world_.seen.saw(Sight::kTold429Rooms);
    return 429;
  }
  if (rooms_ >= limits_.max_rooms) {
    world_.seen.saw(Sight::kTold503Rooms);
    return 503;
  }
  if (members_ >= limits_.max_members) {
    world_.seen.saw(Sight::kTold503Members);
    return 503;
  }
  return 201;
}

int Model::join_status(TimeMs now_ms, const Ask& ask, bool was_kept_back) {
  const ModelRoom& room = roll_.rooms[ask.room];
  if (!room.exists) return 404;
  const int refusal = password_status(now_ms, ask, was_kept_back);
  if (refusal != 0) return refusal;
  if (is_name_taken(room, ask.name)) return 409;
  if (room.members.size() >= limits_.max_room_members) {
    world_.seen.saw(Sight::kTold503RoomMembers);
    return 503;
  }
  if (members_ >= limits_.max_members) {
    world_.seen.saw(Sight::kTold503Members);
    return 503;
  }
  return 201;
}

// 0: the password is no obstacle.
int Model::password_status(TimeMs now_ms, const Ask& ask, bool was_kept_back) {
  const ModelRoom& room = roll_.rooms[ask.room];
  if (room.password == 0) return 0;
  if (ask.password == 0) return 401;
  const bool may_guess = addresses_.may_guess(now_ms, ask.host, ask.room);
  if (!may_guess || was_kept_back) {
    if (may_guess && !addresses_.has_another_guessed(now_ms, ask.host, ask.room)) {
      world_.fail("a password was not looked at, though nobody has guessed");
    }
    world_.seen.saw(Sight::kTold429Passwords);
    ++expected(room.shard, Counter::kPasswordAttemptsOverLimit);
    return 429;
  }
  if (room.password == ask.password) return 0;
  addresses_.guessed_wrong(now_ms, ask.host, ask.room);
  ++expected(room.shard, Counter::kPasswordsWrong);
  return 401;
}

bool Model::is_name_taken(const ModelRoom& room, std::uint32_t name) const {
  return std::any_of(room.members.begin(), room.members.end(),
                     [&](MemberNumber number) { return roll_[number].name == name; });
}

Membership& Model::enter(TimeMs now_ms, const Ask& ask) {
  Membership& member = roll_.add(ask.room);
  const std::uint8_t shard = roll_.rooms[ask.room].shard;
  member.shard = shard;
  member.name = ask.name;
  member.host = ask.host;
  member.last_heard_ms = now_ms;
  if (ask.port != kNoPort) bind(member, ask.port);
  ++members_;
  ++expected(shard, Counter::kMembersJoined);
  nobody_expires_before_ms_[shard] =
      std::min(nobody_expires_before_ms_[shard], now_ms + limits_.idle_timeout_ms);
  tell_others(Notice::kJoined, member);
  return member;
}

void Model::on_outcome(std::uint8_t shard, const Ask& ask, int status) {
  ++expected(shard, status == 201 ? Counter::kRequestsCompleted : Counter::kRequestsRefused);
  if (status != 201 && ask.room_is_counted) addresses_.close_room(ask.host);
}

void Model::on_room_ended(const IpAddress& creator) {
  for (std::uint32_t host = 0; host < world_.hosts.size(); ++host) {
    if (world_.hosts[host].ip == creator) return addresses_.close_room(host);
  }
  world_.fail("a shard was told that a room has ended whose creator is nobody");
}

// --- Datagrams -----------------------------------------------------------------------------------

Counter Model::on_datagram(TimeMs now_ms, std::uint8_t shard, const Endpoint& from,
                           const Claim& claim, std::size_t size_bytes) {
  now_ms_ = now_ms;
  const Counter outcome = judge(now_ms, shard, from, claim, size_bytes);
  ++expected(shard, Counter::kDatagramsReceived);
  ++expected(shard, outcome);
  return outcome;
}

Counter Model::judge(TimeMs now_ms, std::uint8_t shard, const Endpoint& from, const Claim& claim,
                     std::size_t size_bytes) {
  if (size_bytes > kLargestDatagram) return Counter::kDroppedTooLarge;
  if (claim.header == Claim::Header::kMalformed) return Counter::kDroppedMalformed;

  Membership* const member = roll_.find(claim.member);
  std::optional<Counter> objection;
  if (member == nullptr || !member->is_in || member->shard != shard) {
    objection = Counter::kDroppedUnknownToken;
  } else if (!claim.is_right_room) {
    objection = Counter::kDroppedWrongRoom;
  } else if (!comes_from_there(*member, from)) {
    objection = Counter::kDroppedWrongAddress;
  }
  if (objection) {
    expect_answer(now_ms, shard, from, size_bytes);
    return *objection;
  }

  member->refusals = 0;
  switch (claim.payload) {
    case Claim::Payload::kHeartbeat:
      member->last_heard_ms = now_ms;
      return Counter::kHeartbeats;
    case Claim::Payload::kMessage:
      member->last_heard_ms = now_ms;
      say(*member, claim);
      return Counter::kMessagesAccepted;
    case Claim::Payload::kLeave:
      go(*member, Counter::kMembersLeft);
      return Counter::kLeaves;
    case Claim::Payload::kWrongSender:
      return Counter::kDroppedWrongSender;
    case Claim::Payload::kBad:
      break;
  }
  return Counter::kDroppedBadPayload;
}

// A pending member is where its first datagram comes from, if that is the address that TCP has
// proven; if members may roam, they are so ever again.
bool Model::comes_from_there(Membership& member, const Endpoint& from) {
  if (member.port != kNoPort && from == network_.endpoint(member.port)) return true;
  if (member.port != kNoPort && !limits_.roaming_same_ip) return false;
  if (from.ip != world_.hosts[member.host].ip || from.port == 0) return false;
  const auto port = network_.find_port(from);
  if (!port) {
    world_.fail("a datagram with a good token from a port that the simulator does not know");
    return false;
  }
  world_.seen.saw(member.port == kNoPort ? Sight::kPendingBound : Sight::kRoamFollowed);
  settle(member.room);
  bind(member, *port);
  return true;
}

// Members at one endpoint are asked in the order in which the relay lists them: the first, then the
// others, newest first.
void Model::bind(Membership& member, std::uint32_t port) {
  if (member.port != kNoPort) moved_.push_back({member.number, member.port});
  member.port = port;
  if (at_port_.size() <= port) at_port_.resize(port + 1);
  auto& there = at_port_[port];
  const auto first = std::find_if(there.begin(), there.end(), [&](MemberNumber number) {
    const Membership& other = roll_[number];
    return other.is_in && other.port == port && other.shard == member.shard;
  });
  there.insert(first == there.end() ? first : first + 1, member.number);
}

// Who says too much is told so now and then, and what is too much goes to nobody.
void Model::say(Membership& member, const Claim& claim) {
  const AbuseLimits& limits = limits_.abuse;
  const std::size_t receivers = roll_.rooms[member.room].members.size() - 1;
  const Bucket::Rate messages{.units = limits.max_member_messages_per_s, .burst_ms = 2000};
  const Bucket::Rate bytes{.units = limits.max_member_bytes_per_s, .burst_ms = 2000};
  const Bucket::Rate warnings{.units = 1, .per_ms = 5000, .burst_ms = 5000};
  if (!member.messages.take(now_ms_, messages) ||
      !member.bytes.take(now_ms_, bytes, claim.payload_bytes * receivers)) {
    ++expected(member.shard, Counter::kMessagesOverLimit);
    expected(member.shard, Counter::kDroppedOverLimit) += receivers;
    if (!member.warnings.take(now_ms_, warnings)) return;
    ++expected(member.shard, Counter::kOverLimitWarnings);
    expectations_.expect(Notice::kTooFast, "");
    return expectations_.to(network_.endpoint(member.port));
  }
  const Debts::Accepted sum = debts_.accept(member, claim.message);
  expected(member.shard, Counter::kDeliveriesPlanned) += sum.planned;
  expected(member.shard, Counter::kDroppedPendingMember) += sum.pending;
}

// Of several members at one endpoint, it is for the one who then misses least; of several such, for
// the one to whom it has been owed longest (a message may have been accepted twice).
bool Model::pay(std::uint8_t shard, const Endpoint& to, std::span<const MessageId> messages) {
  const auto port = network_.find_port(to);
  if (!port || *port >= at_port_.size()) return false;
  const std::vector<MemberNumber>& there = at_port_[*port];
  if (there.size() == 1) {
    Membership& member = roll_[there.front()];
    return member.shard == shard && debts_.pay(member, *port, messages);
  }
  Membership* creditor = nullptr;
  Debts::Fit best;
  for (const MemberNumber number : there) {
    Membership& member = roll_[number];
    if (member.shard != shard) continue;
    const Debts::Fit fit = Debts::fit(member, *port, messages);
    const bool is_better =
        std::tie(fit.missed, fit.accepted) < std::tie(best.missed, best.accepted);
    if (!fit.is_owed || (creditor != nullptr && !is_better)) continue;
    creditor = &member;
    best = fit;
  }
  return creditor != nullptr && debts_.pay(*creditor, *port, messages);
}

// Who is not authenticated may be told so, if what it sent was no shorter than the answer.
void Model::expect_answer(TimeMs now_ms, std::uint8_t shard, const Endpoint& from,
                          std::size_t size_bytes) {
  if (size_bytes < kAnswerBytes || from.port == 0 || !from.ip.is_unicast()) return;
  if (world_.server_sockets.contains(from)) return;
  if (!addresses_.may_answer(now_ms, shard, from.ip)) {
    ++expected(shard, Counter::kUnauthenticatedUnanswered);
    return;
  }
  answer_to_ = from.ip;
  expectations_.expect_answer(from);
}

bool Model::on_answer_withheld() {
  ++expected(shard_, Counter::kUnauthenticatedUnanswered);
  return addresses_.has_answered_another(now_ms_, shard_, answer_to_);
}

void Model::on_answer() {
  addresses_.answered(now_ms_, shard_, answer_to_);
  ++expected(shard_, Counter::kUnauthenticatedAnswers);
}

void Model::on_refused(TimeMs now_ms, std::uint8_t shard, const Endpoint& destination) {
  now_ms_ = now_ms;
  const auto port = network_.find_port(destination);
  if (!port || *port >= at_port_.size()) return;
  for (const MemberNumber number : at_port_[*port]) {
    Membership& member = roll_[number];
    if (member.shard != shard || ++member.refusals <= kRefusalsForgiven) continue;
    tell(member);
    return go(member, Counter::kMembersRefused);
  }
}

}  // namespace chatd::sim
