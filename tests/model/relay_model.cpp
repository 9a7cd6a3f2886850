#include "tests/model/relay_model.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "core/base/names.h"
#include "core/wire/v1/datagram.h"
#include "tests/model/payload_oracle.h"
#include "tests/model/require.h"

namespace chatd::test {
namespace {

constexpr unsigned kRefusalsAllowed = 3;

bool is_in(const Roster& roster, const ModelMember& member) {
  const std::uint32_t slot = member.token.slot();
  return roster.members().contains(slot) && roster.members()[slot].token == member.token;
}

}  // namespace

std::string RelayModel::key_of(const Endpoint& endpoint) {
  const auto& ip = endpoint.ip.bytes();
  return std::string(ip.begin(), ip.end()) + std::to_string(endpoint.port);
}

ModelMember* RelayModel::find(std::uint8_t shard, const Token& token) {
  const auto found = std::find_if(members_.begin(), members_.end(), [&](const ModelMember& one) {
    return one.shard == shard && one.token == token;
  });
  return found == members_.end() ? nullptr : &*found;
}

const ModelMember* RelayModel::find(std::string_view room, std::string_view username) const {
  const std::string room_look = folded_name(room);  // fuzz_identity looks after the folding
  const std::string username_look = folded_name(username);
  const auto found = std::find_if(members_.begin(), members_.end(), [&](const ModelMember& one) {
    return one.room_look == room_look && one.username_look == username_look;
  });
  return found == members_.end() ? nullptr : &*found;
}

std::size_t RelayModel::size_of(std::string_view room) const {
  const std::string look = folded_name(room);
  return static_cast<std::size_t>(
      std::count_if(members_.begin(), members_.end(),
                    [&look](const ModelMember& one) { return one.room_look == look; }));
}

bool RelayModel::has_asked(const Endpoint& endpoint) const {
  return std::find(asked_.begin(), asked_.end(), endpoint) != asked_.end();
}

RelayModel::Verdict RelayModel::on_datagram(TimeMs now_ms, std::uint8_t shard, const Endpoint& from,
                                            std::string_view datagram, bool is_over_limit,
                                            bool is_under_way) {
  if (datagram.size() > kMaxDatagramBytes) return {.outcome = Counter::kDroppedTooLarge};
  const auto parsed = parse_client_datagram(datagram);  // fuzz_datagram looks after it
  if (!parsed) return {.outcome = Counter::kDroppedMalformed};
  ModelMember* const member = find(shard, parsed->token);
  if (member == nullptr) return {.outcome = Counter::kDroppedUnknownToken};
  if (member->room != parsed->room) return {.outcome = Counter::kDroppedWrongRoom};
  if (!accepts_address(*member, from, is_under_way))
    return {.outcome = Counter::kDroppedWrongAddress};
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

bool RelayModel::accepts_address(ModelMember& member, const Endpoint& from, bool is_under_way) {
  const bool is_pending = member.endpoint.port == 0;
  if (!is_pending && member.endpoint == from) return true;
  if (!is_pending && !limits_.roaming_same_ip) return false;
  if (from.ip != member.peer || from.port == 0 || from == own_socket_) return false;
  if (!is_pending) move_debts(member, from, is_under_way);
  member.endpoint = from;
  asked_.push_back(from);
  return true;
}

namespace {

// What a member has still to get follows it. What lies in an outbox goes where it was; and of two
// members at one place nobody can tell who has got what.
template <typename Debts>
void move_debts(Debts& before, Debts& after, const Token& receiver, const std::string& from,
                const std::string& to, bool is_certain) {
  for (auto& debt : before) {
    if (debt.receiver != receiver) {
      debt.other_places.push_back(to);
    } else {
      after.push_back(debt);
      if (!is_certain) after.back().other_places.push_back(from);
    }
  }
  std::erase_if(before, [&](const auto& debt) { return debt.receiver == receiver; });
}

template <typename Debts>
bool has_two_receivers(const Debts& debts) {
  return std::any_of(debts.begin(), debts.end(),
                     [&](const auto& debt) { return debt.receiver != debts.front().receiver; });
}

}  // namespace

void RelayModel::move_debts(const ModelMember& member, const Endpoint& to, bool is_under_way) {
  const std::string before = key_of(member.endpoint);
  const std::string after = key_of(to);
  const bool is_certain = !is_under_way && !shared_.contains(before);
  test::move_debts(debts_[before], debts_[after], member.token, before, after, is_certain);
  test::move_debts(notices_[before], notices_[after], member.token, before, after, is_certain);
  const bool is_shared = has_two_receivers(debts_[after]) || has_two_receivers(notices_[after]);
  if (is_shared || !is_certain) shared_.insert(after);
}

void RelayModel::owe(std::uint8_t shard, std::string_view datagram) {
  const auto parsed = parse_client_datagram(datagram);
  const ModelMember& sender = *find(shard, parsed->token);
  for (const ModelMember& one : members_) {
    if (one.room != sender.room || &one == &sender || one.endpoint.port == 0) continue;
    const std::string place = key_of(one.endpoint);
    debts_[place].push_back({.receiver = one.token,
                             .sender = sender.token,
                             .payload = std::string(parsed->payload),
                             .other_places = {}});
    if (debts_[place].front().receiver != one.token) shared_.insert(place);
  }
}

// Exactly what was said, to exactly whom it was said to, once, and in the order of its sender.
void RelayModel::on_delivery(const Endpoint& to, std::string_view payload) {
  const std::string place = key_of(to);
  if (pay(place, place, payload)) return;
  const bool is_paid = std::any_of(debts_.begin(), debts_.end(), [&](const auto& other) {
    return pay(other.first, place, payload);
  });
  require(is_paid, "each delivery is of a message that was said to this member");
}

// Of what is owed at one place, something that may arrive at another.
bool RelayModel::pay(const std::string& owed_at, const std::string& place,
                     std::string_view payload) {
  std::deque<Debt>& debts = debts_[owed_at];
  const auto paid = std::find_if(debts.begin(), debts.end(), [&](const Debt& debt) {
    return !debt.is_overtaken && debt.payload == payload &&
           (owed_at == place || contains(debt.other_places, place));
  });
  if (paid == debts.end()) return false;
  for (auto earlier = debts.begin(); earlier != paid; ++earlier) {
    if (shared_.contains(owed_at)) break;
    if (earlier->receiver == paid->receiver && earlier->sender == paid->sender) {
      earlier->is_overtaken = true;
    }
  }
  debts.erase(paid);
  return true;
}

std::uint64_t RelayModel::forgive_debts() {
  std::uint64_t count = 0;
  for (const auto& [endpoint, debts] : debts_) count += debts.size();
  debts_.clear();
  shared_.clear();
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

void RelayModel::admit(const JoinCommand& request, const ModelMember& member, bool is_over_limit) {
  for (const ModelMember& other : members_) {
    require(!(other.token == member.token), "every token is another one");
  }
  if (member.is_host) passwords_[request.room] = request.join.password;
  if (member.endpoint.port != 0) {
    require(member.endpoint.ip == request.peer, "only a proven address is spoken to at once");
    asked_.push_back(member.endpoint);
  }
  members_.push_back(member);
  members_.back().room_look = folded_name(member.room);
  members_.back().username_look = folded_name(member.username);
  if (!is_over_limit) owe_to_others(member, OwedNotice::Kind::kJoined, /*is_certain=*/true);
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
    const Endpoint endpoint = endpoint_of(request);
    if (one.endpoint.port != 0 && one.endpoint != endpoint) {
      owe_notice(one, OwedNotice::Kind::kOut, one.username, /*is_certain=*/true);
      shared_.insert(key_of(one.endpoint));  // by those that it was and will be
    }
    one.endpoint = endpoint;
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
      return member.room_look == folded_name(why.room);
    case Departure::Kind::kShutdown:
      return true;
  }
  return false;
}

void RelayModel::remove_gone(TimeMs now_ms, std::uint8_t shard, const Roster& roster,
                             const Departure& why, bool is_over_limit) {
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
  std::vector<ModelMember> gone;
  std::copy_if(members_.begin(), members_.end(), std::back_inserter(gone), is_gone);
  owe_departures(now_ms, gone, why, is_over_limit);
  std::erase_if(members_, is_gone);
  for (const std::string& room : ended) passwords_.erase(room);
}

void RelayModel::compare(TimeMs now_ms, std::uint8_t shard, const Roster& roster,
                         const Departure& why, bool is_over_limit) {
  remove_gone(now_ms, shard, roster, why, is_over_limit);
  std::size_t count = 0;
  std::size_t hosts = 0;
  for (const ModelMember& one : members_) {
    if (one.shard != shard) continue;
    ++count;
    if (one.is_host) ++hosts;
    const bool has_to_go =
        ((why.kind == Departure::Kind::kLeave || why.kind == Departure::Kind::kKick) &&
         one.token == why.token) ||
        (why.kind == Departure::Kind::kClose && one.room_look == folded_name(why.room));
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

}  // namespace chatd::test
