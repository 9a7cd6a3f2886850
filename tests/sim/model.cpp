#include "tests/sim/model.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "tests/sim/words.h"

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
      limits_(world.limits),
      members_(world.room_names.size()),
      expected_(members_),
      addresses_(world) {}

void Model::restart(const ShardMap& shards) {
  shards_ = shards;
  ++generation_;
  expected_counters_.assign(shards.count(), {});
  nobody_expires_before_ms_.assign(shards.count(), kNever);
  is_draining_ = false;
  stale_rooms_ = stale_members_ = 0;
  at_port_.clear();
  addresses_.forget_all();
  expected_.forget_all();
  sessions_.for_each([](SealedSession& session) { session.state = SealedSession::State::kOver; });
  ended_sessions_.clear();
  gone_.clear();
  ended_rooms_.clear();
  for (std::uint32_t i = 0; i < members_.rooms.size(); ++i) {
    members_.rooms[i].shard = shards.of_room(world_.room_names[i]);
  }
}

Counter Model::on_datagram(TimeMs now_ms, std::uint8_t shard, const Endpoint& from,
                           const Claim& claim, std::string_view bytes) {
  now_ms_ = now_ms;
  accepted_.clear();
  const Counter outcome = judge(now_ms, shard, from, claim, bytes);
  ++expected(shard, Counter::kDatagramsReceived);
  ++expected(shard, outcome);
  return outcome;
}

Counter Model::judge(TimeMs now_ms, std::uint8_t shard, const Endpoint& from, const Claim& claim,
                     std::string_view bytes) {
  if (bytes.size() > kLargestDatagram) return Counter::kDroppedTooLarge;
  if (claim.header == Claim::Header::kMalformed) return Counter::kDroppedMalformed;
  if (claim.header == Claim::Header::kSealed) return judge_sealed(shard, from, claim, bytes);

  Membership* const member = members_.find(claim.member);
  std::optional<Counter> objection;
  if (member == nullptr || !member->is_in || member->shard != shard || member->is_sealed) {
    objection = Counter::kDroppedUnknownToken;
  } else if (!claim.is_right_room) {
    objection = Counter::kDroppedWrongRoom;
  } else if (!comes_from_there(*member, from)) {
    objection = Counter::kDroppedWrongAddress;
  }
  if (objection) {
    expect_answer(now_ms, shard, from, bytes.size());
    return *objection;
  }

  member->refusals = 0;
  if (claim.payload == Claim::Payload::kHeartbeat) {
    member->last_heard_ms = now_ms;
    return Counter::kHeartbeats;
  }
  const bool is_within = is_within_rate(*member);
  if (!is_within && !(claim.looks_for_server && has_reserve(*member))) {
    return say_too_much(*member);
  }
  switch (claim.payload) {
    case Claim::Payload::kAsk:
      member->last_heard_ms = now_ms;
      answer(*member, claim, is_within);
      return Counter::kHeartbeats;
    case Claim::Payload::kMessage:
      return is_within ? say(*member, claim) : say_too_much(*member);
    case Claim::Payload::kLeave:
      go(*member, Counter::kMembersLeft);
      return Counter::kLeaves;
    case Claim::Payload::kWrongSender:
      return Counter::kDroppedWrongSender;
    case Claim::Payload::kHeartbeat:
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
  const bool was_pending = member.port == kNoPort;
  bind(member, *port);
  if (was_pending && members_.rooms[member.room].may_hear_of_drain) {
    owe(member, notice_id(Notice::kDraining, ""), ExpectedDelivery::Certainty::kOptional);
  }
  return true;
}

// What it has still to get goes where it is now. Members at one endpoint are asked in the order in
// which the relay lists them: the first, then the others, newest first.
void Model::bind(Membership& member, std::uint32_t port) {
  if (member.port != kNoPort) {
    std::erase(at_port_[member.port], member.number);
  } else {
    member.expects_from = expected_.accepted();
  }
  member.port = port;
  list_at_port(member);
}

void Model::list_at_port(Membership& member) {
  const std::uint32_t port = member.port;
  if (at_port_.size() <= port) at_port_.resize(port + 1);
  auto& there = at_port_[port];
  const auto first = std::find_if(there.begin(), there.end(), [&](MemberNumber number) {
    const Membership& other = members_[number];
    return other.is_in && other.port == port && other.shard == member.shard;
  });
  there.insert(first == there.end() ? first : first + 1, member.number);
}

// Each payload counts, whatever it turns out to be. Beyond the rate there is as much again for what
// looks like a leave or a heartbeat.
bool Model::is_within_rate(Membership& member) {
  return member.payloads.take(
      now_ms_,
      {.units = limits_.abuse.max_member_messages_per_s, .burst_ms = 4000, .kept_ms = 2000});
}

bool Model::has_reserve(Membership& member) {
  return member.payloads.take(now_ms_,
                              {.units = limits_.abuse.max_member_messages_per_s, .burst_ms = 4000});
}

bool Model::may_send(Membership& member, std::size_t payload_bytes, std::size_t receivers) {
  const Bucket::Rate rate{.units = limits_.abuse.max_member_bytes_per_s, .burst_ms = 2000};
  return member.bytes.take(now_ms_, rate, (payload_bytes + 100) * receivers);
}

// A heartbeat that asks costs as much as a message to oneself.
void Model::answer(Membership& member, const Claim& claim, bool is_within) {
  if (!is_within || !may_send(member, claim.payload_bytes, 1)) {
    ++expected(member.shard, Counter::kHeartbeatsUnanswered);
    return;
  }
  ++expected(member.shard, Counter::kHeartbeatsAnswered);
  expectations_.expect_echo(network_.endpoint(member.port), claim.payload_bytes);
}

Counter Model::say(Membership& member, const Claim& claim) {
  const std::size_t receivers = members_.rooms[member.room].members.size() - 1;
  if (!may_send(member, claim.payload_bytes, receivers)) return say_too_much(member);
  member.last_heard_ms = now_ms_;
  const ExpectedDeliveries::Accepted sum = expected_.accept(member, claim.message);
  accepted_.push_back(claim.message);
  if (members_.rooms[member.room].log) {
    std::string payload;
    append_message(payload, claim.message, world_.client_names[member.name]);
    log(member.room,
        {.member = member.id, .content_type = v2::ContentType::kV1Payload, .bytes = payload});
  }
  expected(member.shard, Counter::kDeliveriesPlanned) += sum.planned + sum.sealed;
  expected(member.shard, Counter::kDeliveriesLogged) += sum.sealed;
  expected(member.shard, Counter::kDroppedPendingMember) += sum.pending;
  return Counter::kMessagesAccepted;
}

// Who says too much is told so now and then, and what is too much goes to nobody.
Counter Model::say_too_much(Membership& member) {
  const Bucket::Rate warnings{.units = 1, .per_ms = 5000, .burst_ms = 5000};
  member.last_heard_ms = now_ms_;
  ++expected(member.shard, Counter::kMessagesOverLimit);
  expected(member.shard, Counter::kDroppedOverLimit) +=
      members_.rooms[member.room].members.size() - 1;
  if (member.warnings.take(now_ms_, warnings)) {
    ++expected(member.shard, Counter::kOverLimitWarnings);
    expectations_.expect_warning(network_.endpoint(member.port));
  }
  return Counter::kMessagesAccepted;
}

// Of several members at one endpoint, it is for the one who then misses least; of several such, for
// the one to whom nothing else that is as old is owed, and then for the one to whom it has been
// owed longest (a message may have been accepted twice).
bool Model::pay(std::uint8_t shard, const Endpoint& to, std::span<const MessageId> messages) {
  const auto port = network_.find_port(to);
  if (!port || *port >= at_port_.size()) return false;
  const std::vector<MemberNumber>& there = at_port_[*port];
  if (there.size() == 1) {
    Membership& member = members_[there.front()];
    return member.shard == shard && !member.is_sealed && expected_.pay(member, messages);
  }
  Membership* creditor = nullptr;
  ExpectedDeliveries::Fit best;
  for (const MemberNumber number : there) {
    Membership& member = members_[number];
    if (member.shard != shard || member.is_sealed) continue;
    const ExpectedDeliveries::Fit fit = ExpectedDeliveries::fit(member, messages);
    const bool is_better = std::tie(fit.missed, fit.passed_over, fit.accepted) <
                           std::tie(best.missed, best.passed_over, best.accepted);
    if (!fit.is_expected || (creditor != nullptr && !is_better)) continue;
    creditor = &member;
    best = fit;
  }
  // Two members of one room who share an endpoint are served at different places of the log, and
  // who got what cannot always be told. So nobody is taken to have missed what would have had to
  // come first, and a group that is not owed to one of them must be owed message by message.
  if (creditor != nullptr) {
    const auto order =
        best.missed == 0 ? ExpectedDeliveries::Order::kKept : ExpectedDeliveries::Order::kUnknown;
    return expected_.pay(*creditor, messages, order);
  }
  return messages.size() > 1 &&
         std::all_of(messages.begin(), messages.end(), [&](const MessageId& message) {
           return pay(shard, to, {&message, 1});
         });
}

// A turn of each busy address, and as many more for each room of its own address that is busy as
// well: the address has its turn again when the others have had theirs.
std::uint32_t Model::turns_before(std::uint32_t quiet) {
  const ModelRoom& room = members_.rooms[quiet];
  const std::uint32_t own = world_.hosts[room.creator_host].group;
  busy_rooms_.assign(world_.hosts.size() + 1, 0);
  for (const ModelRoom& other : members_.rooms) {
    if (&other == &room || other.shard != room.shard || other.accepted == 0) continue;
    ++busy_rooms_[world_.hosts[other.creator_host].group];
  }
  for (const EndedRoom& ended : ended_rooms_) {
    if (ended.shard == room.shard) ++busy_rooms_[ended.address];
  }
  const auto addresses =
      static_cast<std::uint32_t>(std::count_if(busy_rooms_.begin(), busy_rooms_.end(),
                                               [](std::uint32_t rooms) { return rooms > 0; }) -
                                 (busy_rooms_[own] > 0 ? 1 : 0));
  return (1 + addresses) * (1 + busy_rooms_[own]);
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

bool Model::on_answer_withheld(bool owes_farewells) {
  ++expected(shard_, Counter::kUnauthenticatedUnanswered);
  return owes_farewells || addresses_.has_answered_another(now_ms_, shard_, answer_to_);
}

void Model::on_answer(Counter counter) {
  addresses_.answered(now_ms_, shard_, answer_to_);
  ++expected(shard_, counter);
}

void Model::on_unreachable(TimeMs now_ms, std::uint8_t shard, const Endpoint& destination) {
  now_ms_ = now_ms;
  const auto port = network_.find_port(destination);
  if (!port || *port >= at_port_.size()) return;
  for (const MemberNumber number : at_port_[*port]) {
    Membership& member = members_[number];
    if (!member.is_in || member.shard != shard) continue;
    if (++member.refusals <= kRefusalsForgiven) continue;
    go(member, Counter::kMembersRefused);
    return tell(member);
  }
}

}  // namespace chatd::sim
