#include "tests/sim/audit.h"

#include <algorithm>
#include <array>
#include <span>

#include "core/base/limits.h"
#include "core/wire/v1/notice.h"
#include "tests/sim/words.h"

namespace chatd::sim {
namespace {

// What the relay decides, and the model knows to the last one.
constexpr std::array kPredicted = {
    Counter::kDatagramsReceived,
    Counter::kHeartbeats,
    Counter::kMessagesAccepted,
    Counter::kLeaves,
    Counter::kDroppedMalformed,
    Counter::kDroppedTooLarge,
    Counter::kDroppedUnknownToken,
    Counter::kDroppedWrongRoom,
    Counter::kDroppedWrongAddress,
    Counter::kDroppedWrongSender,
    Counter::kDroppedBadPayload,
    Counter::kDroppedMailboxFull,
    Counter::kUnauthenticatedAnswers,
    Counter::kHeartbeatsAnswered,
    Counter::kHeartbeatsUnanswered,
    Counter::kDeliveriesPlanned,
    Counter::kDroppedPendingMember,
    Counter::kRoomsCreated,
    Counter::kRoomsClosed,
    Counter::kMembersJoined,
    Counter::kMembersReturned,
    Counter::kMembersLeft,
    Counter::kMembersTimedOut,
    Counter::kMembersRefused,
    Counter::kMembersKicked,
    Counter::kMembersBanned,
    Counter::kMembersDisconnected,
    Counter::kRequestsCompleted,
    Counter::kRequestsRefused,
    Counter::kUnauthenticatedUnanswered,
    Counter::kMessagesOverLimit,
    Counter::kOverLimitWarnings,
    Counter::kDroppedOverLimit,
    Counter::kNoticesOverLimit,
    Counter::kConnectionsOverAddressLimit,
    Counter::kRequestsOverLimit,
    Counter::kRequestsBanned,
    Counter::kPasswordsWrong,
    Counter::kPasswordAttemptsOverLimit,
    Counter::kSealedDatagrams,
    Counter::kMessagesSealed,
    Counter::kDroppedUnknownSession,
    Counter::kDroppedReplayed,
    Counter::kDroppedNotOpened,
    Counter::kSaysDuplicate,
    Counter::kSaysTooFarAhead,
    Counter::kSaysRefused,
    Counter::kHavesTaken,
    Counter::kHavesImpossible,
    Counter::kPathResponsesWrong,
    Counter::kFramesUnknown,
    Counter::kFramesMalformed,
    Counter::kLeavesSealed,
    Counter::kAnswersOverLimit,
    Counter::kResetsSent,
    Counter::kPathChallenges,
    Counter::kMtuProbesSent,
    Counter::kDeliveriesLogged,
    Counter::kDroppedNotForV1,
    Counter::kEntriesBundled,
    Counter::kEntriesRepaired,
    Counter::kEntriesLost,
    Counter::kHeadsSent,
};

constexpr std::array kSendDrops = {
    Counter::kDroppedSendRefused,     Counter::kDroppedSendTooBig,
    Counter::kDroppedSendUnreachable, Counter::kDroppedSendNoBuffers,
    Counter::kDroppedSendQueueFull,   Counter::kDroppedSendFailed,
    Counter::kDroppedSendAtStop,
};

}  // namespace

void Audit::begin(std::uint8_t shard, const Outbox& out, Call call) {
  shard_ = shard;
  call_ = call;
  first_group_ = out.groups().size();
  was_full_ = out.is_full();
  has_challenged_ = false;
  repair_bytes_ = 0;
  model_.begin_call(shard);
}

void Audit::end(const Relay& relay, const Outbox& out, std::size_t datagram_bytes) {
  sync_logs(relay);
  for (const Outbox::SendGroup& group : out.groups().subspan(first_group_)) {
    if (is_of_v2(out, group)) {
      check_sealed(out, group);
      continue;
    }
    switch (group.kind) {
      case Outbox::Kind::kMessage:
        check_messages(out, group);
        break;
      case Outbox::Kind::kNotice:
        check_notice(out, group);
        break;
      case Outbox::Kind::kAnswer:
        check_answer(out, group, datagram_bytes);
        break;
      case Outbox::Kind::kBundle:
      case Outbox::Kind::kLargeBundle:
      case Outbox::Kind::kProbe:
        world_.fail("a bundle that is not of protocol v2");
    }
  }
  if (model_.expectations().has_warning()) world_.fail("somebody is not told to slow down");
  if (model_.expectations().has_answer() && !model_.on_answer_withheld(relay.owes_farewells())) {
    world_.fail("a source that is not authenticated was not told so");
  }
  if (model_.expectations().has_echo()) world_.fail("a heartbeat that asks is not answered");
  const std::string not_told = model_.sealed().missing();
  if (!not_told.empty()) world_.fail(not_told);
  // The challenge that the same datagram has drawn may have taken the last room.
  const bool had_no_room = was_full_ || (has_challenged_ && out.is_full());
  if (model_.sealed().has_unanswered_repair() && !had_no_room) {
    world_.fail("somebody asks for what it misses, and gets nothing");
  }
  if (world_.scenario.store_blocks < kMessageStoreBlocks) {
    model_.on_not_stored_untold(relay.counters());
  }
  if (model_.is_order_open()) settle_open_order(relay);
  model_.end_call();
  check_losses(relay);
  check_size(out);
}

// Which of those who went in one call were timed out, and which lost their room.
void Audit::settle_open_order(const Relay& relay) {
  auto& timed_out = model_.expected(shard_, Counter::kMembersTimedOut);
  auto& disconnected = model_.expected(shard_, Counter::kMembersDisconnected);
  const std::uint64_t really = relay.counters()[Counter::kMembersTimedOut];
  if (really < timed_out) {
    disconnected += timed_out - really;
    timed_out = really;
  }
  model_.expected(shard_, Counter::kNoticesDropped) = 0;  // from here on it is only a lower bound
  model_.expected(shard_, Counter::kNoticesOverLimit) =
      relay.counters()[Counter::kNoticesOverLimit];
}

void Audit::check_messages(const Outbox& out, const Outbox::SendGroup& group) {
  messages_.clear();
  for (const Outbox::Train& train : out.trains(group)) {
    check_train(out, train, world_.scenario.trains.max_segment_bytes);
    for (std::string_view piece : out.pieces(train)) {
      while (!piece.empty()) {
        const std::string_view message = piece.substr(0, train.segment_bytes);
        check_message(message, group.destination_count);
        piece.remove_prefix(message.size());
      }
    }
  }
  for (const Endpoint& destination : out.destinations(group)) {
    if (model_.pay(shard_, destination, messages_)) continue;
    world_.fail(
        "messages (the last ones that the relay has delivered) go to port " +
        std::to_string(destination.port) +
        ", and one is not owed there: to an outsider, to its sender, twice, or out of order");
  }
  paid_[shard_] += messages_.size() * group.destination_count;
}

// What the kernel demands of a train (udp(7), UDP_SEGMENT).
void Audit::check_train(const Outbox& out, const Outbox::Train& train,
                        std::size_t max_segment_bytes) {
  std::size_t size_bytes = 0;
  for (const std::string_view piece : out.pieces(train)) size_bytes += piece.size();
  const std::size_t segments = (size_bytes + train.segment_bytes - 1) / train.segment_bytes;
  const TrainLimits& limits = world_.scenario.trains;
  const bool is_train = train.message_count > 1;
  if (segments != train.message_count || size_bytes > kMaxTrainBytes ||
      (is_train &&
       (train.message_count > limits.max_segments || train.segment_bytes > max_segment_bytes))) {
    world_.fail("a train of " + std::to_string(train.message_count) + " messages in " +
                std::to_string(size_bytes) + " bytes that no kernel would take");
  }
}

void Audit::check_message(std::string_view datagram, std::uint32_t copies) {
  const auto id = id_in(datagram);
  const Membership* const sender = id ? model_.members().find(sender_of(*id)) : nullptr;
  if (sender == nullptr) return world_.fail("a message goes out that nobody has said");
  wanted_.assign("\0\0", 2);
  append_message(wanted_, *id, world_.client_names[sender->name]);
  if (wanted_ != datagram) return world_.fail("a message goes out, but not as it was said");
  world_.note(Step::kDelivers, shard_, *id, copies);
  messages_.push_back(*id);
}

void Audit::check_notice(const Outbox& out, const Outbox::SendGroup& group) {
  const auto trains = out.trains(group);
  if (trains.size() != 1 || trains.front().message_count != 1) {
    return world_.fail("a notice that is not one datagram");
  }
  const std::string_view datagram = out.message(trains.front(), 0);
  const auto id = model_.find_notice(datagram);
  const bool is_warning = datagram == notice_text(Notice::kTooFast, "");
  for (const Endpoint& destination : out.destinations(group)) {
    const bool is_right = is_warning ? model_.expectations().take_warning(destination)
                                     : id && model_.pay(shard_, destination, {&*id, 1});
    if (is_right) continue;
    return world_.fail("a notice that nobody should have heard, or not they, or not now: " +
                       std::string(datagram.substr(2)));
  }
}

void Audit::check_answer(const Outbox& out, const Outbox::SendGroup& group,
                         std::size_t datagram_bytes) {
  const auto trains = out.trains(group);
  if (trains.size() == 1 && group.destination_count == 1) {
    const std::string_view datagram = out.message(trains.front(), 0);
    const Endpoint& to = out.destinations(group).front();
    if (datagram.size() <= datagram_bytes && model_.expectations().take_echo(to, datagram)) return;
  }
  const bool is_known = trains.size() == 1 && group.destination_count == 1 &&
                        out.message(trains.front(), 0) == kNotAuthenticatedDatagram;
  if (!is_known || kNotAuthenticatedDatagram.size() > datagram_bytes ||
      !model_.expectations().take_answer(out.destinations(group).front())) {
    return world_.fail("an answer to somebody who must not get one");
  }
  model_.on_answer(Counter::kUnauthenticatedAnswers);
}

void Audit::check_losses(const Relay& relay) {
  const std::uint64_t dropped = relay.counters()[Counter::kDroppedQueueFull];
  if (!relay.has_waiting()) model_.on_nothing_waits(shard_);
  const std::uint64_t lost = model_.expected().lost_by(shard_);
  if (lost > dropped || (!relay.has_waiting() && lost != dropped)) {
    world_.fail(std::to_string(lost) + " deliveries never came, and " + std::to_string(dropped) +
                " are in the books as dropped_queue_full");
  }
  if (model_.expected().has_lost_farewell()) world_.fail("somebody was not told that it is out");
  // A small store is short of room for everybody.
  const bool is_roomy = world_.scenario.store_blocks == kMessageStoreBlocks;
  if (is_roomy && model_.expected().has_lost_unfairly()) {
    world_.fail("a message was dropped in a room where little could be waiting");
  }
}

// One call adds a bounded amount beyond the limit: what a turn is worth.
void Audit::check_size(const Outbox& out) {
  const std::size_t bound =
      2 * std::size_t{world_.scenario.outbox_work} + kMaxTurnWork + 4 * world_.scenario.clients;
  if (out.groups().size() > bound) world_.fail("the outbox grows without bound");
}

void Audit::check(const Relay& relay, std::uint8_t shard, Counter counter) {
  const std::uint64_t wanted = model_.expected(shard, counter);
  if (relay.counters()[counter] == wanted) return;
  world_.fail(std::string(counter_name(counter)) + " is " +
              std::to_string(relay.counters()[counter]) + ", and should be " +
              std::to_string(wanted));
}

void Audit::check_counters(const Relay& relay, std::uint8_t shard) {
  for (const Counter counter : kPredicted) check(relay, shard, counter);
  // A farewell that finds nobody is counted when its room has its turn.
  if (!relay.has_waiting() && relay.counters()[Counter::kNoticesDropped] <
                                  model_.expected(shard, Counter::kNoticesDropped) +
                                      model_.expected().lost_notices_by(shard)) {
    world_.fail("notices that found nobody are not counted");
  }
}

void Audit::check_sent(const Relay& relay, std::uint8_t shard) {
  std::uint64_t sum = relay.counters()[Counter::kDeliveriesSent];
  for (const Counter counter : kSendDrops) sum += relay.counters()[counter];
  if (sum != paid_[shard]) {
    world_.fail(std::to_string(paid_[shard]) + " deliveries were put into the outbox, and " +
                std::to_string(sum) + " sent or dropped under a reason");
  }
  if (relay.counters()[Counter::kBundlesSent] + relay.counters()[Counter::kBundlesDropped] !=
      bundles_[shard]) {
    world_.fail("not as many bundles were sent or dropped as were put into the outbox");
  }
}

void Audit::check_dropped(const Relay& relay, std::uint8_t shard, std::uint64_t dropped) {
  model_.on_waiting_dropped(shard);
  paid_[shard] += dropped;
  const std::uint64_t abandoned = model_.expected().abandoned_by(shard);
  const std::uint64_t dropped_before = relay.counters()[Counter::kDroppedQueueFull];
  if (abandoned + model_.expected().lost_by(shard) != dropped + dropped_before) {
    world_.fail(std::to_string(dropped) + " deliveries were dropped at the stop, " +
                std::to_string(dropped_before) + " before, and members miss " +
                std::to_string(abandoned) + " and " +
                std::to_string(model_.expected().lost_by(shard)));
  }
  model_.tell_lost_from_abandoned(shard, dropped_before);
}

void Audit::compare(TimeMs now_ms, const Relay& relay, std::uint8_t shard) {
  std::uint32_t rooms = 0;
  std::size_t members = 0;
  TimeMs earliest_ms = ~TimeMs{0};
  for (std::uint32_t i = 0; i < world_.room_names.size(); ++i) {
    const ModelRoom& room = model_.members().rooms[i];
    if (room.shard != shard) continue;
    compare_room(relay, i);
    if (room.exists) ++rooms;
    members += room.members.size();
    for (const MemberNumber member : room.members) {
      earliest_ms = std::min(
          earliest_ms, model_.members()[member].last_heard_ms + world_.limits.idle_timeout_ms);
    }
  }
  if (relay.roster().rooms().size() != rooms || relay.roster().members().size() != members) {
    world_.fail("the relay has " + std::to_string(relay.roster().rooms().size()) + " rooms and " +
                std::to_string(relay.roster().members().size()) + " members instead of " +
                std::to_string(rooms) + " and " + std::to_string(members));
  }
  // A shorter timeout may be over already for some: then at once.
  const TimeMs latest_ms = std::max(earliest_ms, now_ms);
  const auto deadline_ms = relay.next_deadline();
  if (deadline_ms.has_value() != (members > 0) || deadline_ms.value_or(0) > latest_ms) {
    world_.fail("the relay does not wake up when the next member may have to go");
  }
}

void Audit::compare_room(const Relay& relay, std::uint32_t number) {
  const ModelRoom& wanted = model_.members().rooms[number];
  const auto slot = relay.roster().find_room(world_.room_names[number]);
  const bool is_there =
      slot && relay.roster().rooms()[*slot].name == world_.room_names[number];  // not one like it
  if (is_there != wanted.exists) return world_.fail("a room should (not) be there");
  if (!is_there) return;
  const Room& room = relay.roster().rooms()[*slot];
  std::uint32_t pending = 0;
  std::uint32_t pending_sealed = 0;
  for (const MemberNumber one : wanted.members) {
    const Membership& member = model_.members()[one];
    compare_member(relay, *slot, member);
    if (member.port == kNoPort) ++(member.is_sealed ? pending_sealed : pending);
  }
  if (room.members.size() != wanted.members.size() || room.pending_members != pending ||
      room.pending_v2 != pending_sealed || room.endpoints.size() != room.members.size() ||
      room.cursors.size() != room.members.size() ||
      room.host != model_.members()[wanted.host].token.slot() ||
      room.password.is_required() != (wanted.password != 0)) {
    world_.fail("room " + world_.room_names[number] + " is not as it should be");
  }
  if (wanted.log) compare_log(room, wanted);
  if (room.log.size() > kMaxWaitingMessages || room.log.size() > wanted.accepted) {
    world_.fail("too many messages wait in room " + world_.room_names[number]);
  }
}

void Audit::compare_member(const Relay& relay, std::uint32_t room, const Membership& wanted) {
  const std::uint32_t slot = wanted.token.slot();
  const bool is_there = relay.roster().members().contains(slot) &&
                        relay.roster().members()[slot].token == wanted.token;
  if (!is_there) return world_.fail("member " + std::to_string(wanted.number) + " is missing");
  const Member& member = relay.roster().members()[slot];
  const Endpoint& endpoint = relay.roster().endpoint_of(member);
  const bool is_bound_right =
      wanted.port == kNoPort ? endpoint.port == 0 : endpoint == model_.endpoint_of(wanted);
  if (member.username != world_.client_names[wanted.name] || member.room != room ||
      member.tcp_peer != world_.hosts[wanted.host].ip || !is_bound_right ||
      member.last_heard_ms != wanted.last_heard_ms || member.unreachable_count != wanted.refusals) {
    world_.fail("member " + std::to_string(wanted.number) + " is not as it should be");
  }
  if (wanted.is_sealed) compare_session(relay, relay.roster().rooms()[room], member, wanted);
}

}  // namespace chatd::sim
