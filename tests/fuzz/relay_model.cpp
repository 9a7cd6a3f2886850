#include "tests/fuzz/relay_model.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "core/base/names.h"
#include "core/wire/v1/datagram.h"
#include "tests/fuzz/payload_oracle.h"
#include "tests/fuzz/targets.h"

namespace chatd::fuzz {
namespace {

constexpr unsigned kRefusalsAllowed = 3;

std::string key_of(const Endpoint& endpoint) {
  const auto& ip = endpoint.ip.bytes();
  return std::string(ip.begin(), ip.end()) + std::to_string(endpoint.port);
}

// fuzz_identity looks after the folding.
bool look_alike(std::string_view a, std::string_view b) {
  return folded_name(a) == folded_name(b);
}

bool is_in(const Roster& roster, const ModelMember& member) {
  const std::uint32_t slot = member.token.slot();
  return roster.members().contains(slot) && roster.members()[slot].token == member.token;
}

}  // namespace

ModelMember* RelayModel::find(std::uint8_t shard, const Token& token) {
  const auto found = std::find_if(members_.begin(), members_.end(), [&](const ModelMember& one) {
    return one.shard == shard && one.token == token;
  });
  return found == members_.end() ? nullptr : &*found;
}

const ModelMember* RelayModel::find(std::string_view room, std::string_view username) const {
  const auto found = std::find_if(members_.begin(), members_.end(), [&](const ModelMember& one) {
    return look_alike(one.room, room) && look_alike(one.username, username);
  });
  return found == members_.end() ? nullptr : &*found;
}

std::size_t RelayModel::size_of(std::string_view room) const {
  return static_cast<std::size_t>(
      std::count_if(members_.begin(), members_.end(),
                    [room](const ModelMember& one) { return look_alike(one.room, room); }));
}

bool RelayModel::has_asked(const Endpoint& endpoint) const {
  return std::find(asked_.begin(), asked_.end(), endpoint) != asked_.end();
}

RelayModel::Verdict RelayModel::on_datagram(TimeMs now_ms, std::uint8_t shard, const Endpoint& from,
                                            std::string_view datagram, bool is_over_limit) {
  if (datagram.size() > kMaxDatagramBytes) return {.outcome = Counter::kDroppedTooLarge};
  const auto parsed = parse_client_datagram(datagram);  // fuzz_datagram looks after it
  if (!parsed) return {.outcome = Counter::kDroppedMalformed};
  ModelMember* const member = find(shard, parsed->token);
  if (member == nullptr) return {.outcome = Counter::kDroppedUnknownToken};
  if (member->room != parsed->room) return {.outcome = Counter::kDroppedWrongRoom};
  if (!accepts_address(*member, from)) return {.outcome = Counter::kDroppedWrongAddress};
  member->refusals = 0;
  if (parsed->payload.empty()) {
    member->last_heard_ms = now_ms;
    return {.outcome = Counter::kHeartbeats};
  }
  // Beyond the rate nobody reads it.
  const PayloadKind kind =
      is_over_limit ? PayloadKind::kMessage : expected_kind(parsed->payload, member->username);
  switch (kind) {
    case PayloadKind::kMalformed:
      return {.outcome = Counter::kDroppedBadPayload};
    case PayloadKind::kWrongSender:
      return {.outcome = Counter::kDroppedWrongSender};
    case PayloadKind::kHeartbeat:
      member->last_heard_ms = now_ms;
      return {.outcome = Counter::kHeartbeats, .asks = true};
    case PayloadKind::kLeave:
      return {.outcome = Counter::kLeaves,
              .departure = {.kind = Departure::Kind::kLeave, .token = parsed->token}};
    case PayloadKind::kMessage:
      break;
  }
  member->last_heard_ms = now_ms;
  Verdict verdict{.outcome = Counter::kMessagesAccepted};
  for (const ModelMember& one : members_) {
    if (one.room == member->room && &one != member) {
      ++(one.endpoint.port == 0 ? verdict.pending : verdict.planned);
    }
  }
  return verdict;
}

bool RelayModel::accepts_address(ModelMember& member, const Endpoint& from) {
  const bool is_pending = member.endpoint.port == 0;
  if (!is_pending && member.endpoint == from) return true;
  if (!is_pending && !limits_.roaming_same_ip) return false;
  if (from.ip != member.peer || from.port == 0 || from == own_socket_) return false;
  // What it has still to get follows it.
  if (!is_pending) {
    std::deque<Debt>& before = debts_[key_of(member.endpoint)];
    std::deque<Debt>& after = debts_[key_of(from)];
    std::copy_if(before.begin(), before.end(), std::back_inserter(after),
                 [&](const Debt& debt) { return debt.receiver == member.token; });
    std::erase_if(before, [&](const Debt& debt) { return debt.receiver == member.token; });
  }
  member.endpoint = from;
  asked_.push_back(from);
  return true;
}

void RelayModel::owe(std::uint8_t shard, std::string_view datagram) {
  const auto parsed = parse_client_datagram(datagram);
  const ModelMember& sender = *find(shard, parsed->token);
  for (const ModelMember& one : members_) {
    if (one.room != sender.room || &one == &sender || one.endpoint.port == 0) continue;
    debts_[key_of(one.endpoint)].push_back(
        {.receiver = one.token, .sender = sender.token, .payload = std::string(parsed->payload)});
  }
}

// Exactly what was said, to exactly whom it was said to, once, and in the order of its sender.
void RelayModel::on_delivery(const Endpoint& to, std::string_view payload) {
  std::deque<Debt>& debts = debts_[key_of(to)];
  const auto paid = std::find_if(debts.begin(), debts.end(), [&](const Debt& debt) {
    return !debt.is_overtaken && debt.payload == payload;
  });
  require(paid != debts.end(), "each delivery is of a message that was said to this member");
  for (auto earlier = debts.begin(); earlier != paid; ++earlier) {
    if (earlier->receiver == paid->receiver && earlier->sender == paid->sender) {
      earlier->is_overtaken = true;
    }
  }
  debts.erase(paid);
}

std::uint64_t RelayModel::forgive_debts() {
  std::uint64_t count = 0;
  for (const auto& [endpoint, debts] : debts_) count += debts.size();
  debts_.clear();
  return count;
}

Status RelayModel::status_of(const JoinCommand& request) const {
  if (is_draining_) return Status::kUnavailable;
  const std::size_t members_in_room = size_of(request.room);
  if (request.join.token) {
    const auto room = passwords_.find(request.room);
    if (room == passwords_.end()) return Status::kNotFound;
    const std::string& password = room->second;
    if (!password.empty() && password != request.join.password) return Status::kUnauthorized;
    const ModelMember* const seat = find(request.room, request.join.username);
    const bool is_right = seat != nullptr && seat->username == request.join.username &&
                          seat->token == *request.join.token &&
                          (request.operation == Operation::kJoin || seat->is_host);
    return is_right ? Status::kCreated : Status::kNotFound;
  }
  if (request.operation == Operation::kCreate) {
    if (members_in_room > 0) return Status::kConflict;
    if (!request.room_is_counted) return Status::kTooMany;
    if (passwords_.size() >= limits_.max_rooms) return Status::kUnavailable;
  } else {
    const auto room = passwords_.find(request.room);
    if (room == passwords_.end()) return Status::kNotFound;  // also when one only looks like it
    const std::string& password = room->second;
    if (!password.empty() && password != request.join.password) return Status::kUnauthorized;
    if (find(request.room, request.join.username) != nullptr) return Status::kConflict;
    if (members_in_room >= limits_.max_room_members) return Status::kUnavailable;
  }
  return members_.size() >= limits_.max_members ? Status::kUnavailable : Status::kCreated;
}

void RelayModel::admit(const JoinCommand& request, const ModelMember& member) {
  for (const ModelMember& other : members_) {
    require(!(other.token == member.token), "every token is another one");
  }
  if (member.is_host) passwords_[request.room] = request.join.password;
  if (member.endpoint.port != 0) {
    require(member.endpoint.ip == request.peer, "only a proven address is spoken to at once");
    asked_.push_back(member.endpoint);
  }
  members_.push_back(member);
}

Endpoint RelayModel::endpoint_of(const JoinCommand& request) {
  const bool is_open = request.join.ip == IpAddress{};
  const bool is_proven = is_open || request.join.ip == request.peer;
  if (!is_proven || request.join.port == 0) return {};
  return {.ip = request.peer, .port = request.join.port};
}

void RelayModel::take_seat(TimeMs now_ms, const JoinCommand& request) {
  for (ModelMember& one : members_) {
    if (one.room != request.room || one.username != request.join.username) continue;
    one.endpoint = endpoint_of(request);
    one.peer = request.peer;
    one.last_heard_ms = now_ms;
    one.refusals = 0;
    if (one.endpoint.port != 0) asked_.push_back(one.endpoint);
  }
}

void RelayModel::on_unreachable(std::uint8_t shard, const Endpoint& destination) {
  for (ModelMember& one : members_) {
    if (one.shard == shard && one.endpoint == destination) ++one.refusals;
  }
}

bool RelayModel::may_go(TimeMs now_ms, const ModelMember& member, const Departure& why) const {
  switch (why.kind) {
    case Departure::Kind::kNone:
      return false;
    case Departure::Kind::kLeave:
    case Departure::Kind::kKick:
      return member.token == why.token;
    case Departure::Kind::kSilence:
      return member.last_heard_ms + limits_.idle_timeout_ms <= now_ms;
    case Departure::Kind::kRefusal:
      return member.refusals > kRefusalsAllowed;
    case Departure::Kind::kClose:
      return look_alike(member.room, why.room);
    case Departure::Kind::kShutdown:
      return true;
  }
  return false;
}

void RelayModel::remove_gone(TimeMs now_ms, std::uint8_t shard, const Roster& roster,
                             const Departure& why) {
  const auto is_gone = [&](const ModelMember& one) {
    return one.shard == shard && !is_in(roster, one);
  };
  std::vector<std::string> ended;
  for (const ModelMember& one : members_) {
    if (!is_gone(one) || !one.is_host) continue;
    require(may_go(now_ms, one, why), "a host goes for a reason");
    ended.push_back(one.room);
  }
  const auto has_ended = [&ended](const ModelMember& one) {
    return std::find(ended.begin(), ended.end(), one.room) != ended.end();
  };
  for (const ModelMember& one : members_) {
    if (has_ended(one)) {
      require(is_gone(one), "a room ends with its host");
    } else if (is_gone(one)) {
      require(may_go(now_ms, one, why), "a member goes for a reason");
    }
  }
  std::erase_if(members_, is_gone);
  for (const std::string& room : ended) passwords_.erase(room);
}

void RelayModel::compare(TimeMs now_ms, std::uint8_t shard, const Roster& roster,
                         const Departure& why) {
  remove_gone(now_ms, shard, roster, why);
  std::size_t count = 0;
  std::size_t hosts = 0;
  for (const ModelMember& one : members_) {
    if (one.shard != shard) continue;
    ++count;
    if (one.is_host) ++hosts;
    const bool has_to_go =
        ((why.kind == Departure::Kind::kLeave || why.kind == Departure::Kind::kKick) &&
         one.token == why.token) ||
        (why.kind == Departure::Kind::kClose && look_alike(one.room, why.room));
    require(!has_to_go, "who leaves, or is sent away, is gone");
    const Member& member = roster.members()[one.token.slot()];
    const Room& room = roster.rooms()[member.room];
    require(member.username == one.username && room.name == one.room, "everyone is who they are");
    require(roster.endpoint_of(member) == one.endpoint, "everyone is where they are bound");
    require((room.host == one.token.slot()) == one.is_host, "the host is the host");
  }
  require(roster.members().size() == count, "nobody is there who was not let in");
  require(roster.rooms().size() == hosts, "each room has its host");
}

}  // namespace chatd::fuzz
