#include "tests/model/relay_world.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/names.h"
#include "core/wire/v1/datagram.h"
#include "core/wire/v1/notice.h"
#include "tests/model/json_oracle.h"
#include "tests/model/require.h"
#include "tests/model/roster_check.h"
#include "tests/support/wire.h"

namespace chatd::test {
namespace {

// What a datagram can come to, each under one of these.
constexpr Counter kOutcomes[] = {
    Counter::kHeartbeats,        Counter::kMessagesAccepted,    Counter::kLeaves,
    Counter::kDroppedMalformed,  Counter::kDroppedTooLarge,     Counter::kDroppedUnknownToken,
    Counter::kDroppedWrongRoom,  Counter::kDroppedWrongAddress, Counter::kDroppedWrongSender,
    Counter::kDroppedBadPayload, Counter::kDroppedMailboxFull};

}  // namespace

RelayWorld::RelayWorld(const WorldConfig& config)
    : shard_count_(static_cast<std::uint8_t>(config.shards)),
      map_(config.shards, KeyedHash::Key{7}),
      config_(config),
      own_socket_{.ip = IpAddress::from_v4({127, 0, 0, 1}), .port = 9000},
      model_(config.limits, own_socket_) {
  for (std::uint32_t i = 0; i < config.shards; ++i) {
    shards_.emplace_back(config_of(static_cast<std::uint8_t>(i)), now_ms_, config.outbox_limit);
  }
}

RelayConfig RelayWorld::config_of(std::uint8_t shard) const {
  RelayConfig one;
  one.limits = config_.limits;
  one.local_endpoints = {
      .addresses = {own_socket_.ip}, .has_address = {}, .udp_port = own_socket_.port};
  one.seed[0] = shard;
  one.seed[1] = static_cast<std::uint8_t>(generation_);
  one.shard = shard;
  one.shards = map_;
  one.trains = config_.trains;
  one.message_store_blocks = config_.message_store_blocks;
  return one;
}

// Who calls a relay sends first when its outbox is full.
PeerShards& RelayWorld::begin_call(std::uint8_t shard) {
  if (shards_[shard].out.is_full()) send(shard);
  peers_.figures.clear();
  for (Shard& one : shards_) peers_.figures.push_back(one.relay.figures());
  peers_.creation_order = next_creation_order_++;
  notices_over_limit_ = count(shard, Counter::kNoticesOverLimit);
  return peers_;
}

void RelayWorld::end_call(std::uint8_t shard, const Departure& why) {
  relay(shard).post(peers_);
  while (relay(shard).has_lists_to_write(now_ms_)) relay(shard).write_lists(now_ms_, peers_);
  for (auto& outgoing : peers_.messages) {
    require(outgoing.to != shard && outgoing.to < map_.count(), "messages go to other shards");
    lanes_[shard][outgoing.to].push_back(std::move(outgoing.message));
  }
  peers_.messages.clear();
  for (auto& reply : peers_.replies) {
    require(reply.to.shard == shard, "a shard replies to its own connections alone");
    Connection& connection = connections_.at(reply.to.slot);
    require(!std::exchange(connection.is_answered, true), "a request is answered once");
    connection.answer += reply.frames;
    if (reply.list) connection.answer += ListReader(reply.list).read_all();
    check_answer(connection);
  }
  peers_.replies.clear();
  model_.compare(now_ms_, shard, relay(shard).roster(), why, is_notice_over_limit(shard));
  check_roster(relay(shard).roster());
  check_ledger();
}

void RelayWorld::request(const IpAddress& peer, const FrameView& frame) {
  const std::uint8_t shard = map_.of_address(peer);
  const ConnectionId id{.shard = shard, .slot = next_connection_++, .serial = 0};
  Connection& connection = connections_[id.slot];
  const std::uint64_t before = let_in(shard);
  PeerShards& peers = begin_call(shard);
  if (const auto fields = read_object(frame.payload)) {
    const JsonField* const token = find_field(*fields, "token");
    if (token != nullptr) connection.seat = token->text.value_or("");
  }
  connection.is_answered = relay(shard).on_request(now_ms_, id, peer, frame, peers,
                                                   connection.answer, shards_[shard].out);
  if (connection.is_answered) check_answer(connection);

  // A decision was made here if this shard owns the room, or before it came to that.
  const bool is_admission = frame.is(FrameState::kRequest) &&
                            (frame.is(Operation::kCreate) || frame.is(Operation::kJoin));
  const auto join = is_admission && is_valid_name(frame.room)
                        ? reader_.read(frame.payload)
                        : tl::expected<JoinRequest, std::string_view>(tl::unexpect, "");
  if (join && connection.is_answered) {
    JoinCommand admission{
        .operation = frame.is(Operation::kCreate) ? Operation::kCreate : Operation::kJoin,
        .room = std::string(frame.room),
        .join = *join,
        .peer = peer,
        .room_is_counted = true};
    std::string frames = connection.answer;
    take_frame(frames);
    const auto fields = read_object(take_frame(frames).value().payload);
    const auto status =
        static_cast<Status>(std::stoi(find_field(fields.value(), "status")->integer.value()));
    const bool is_own =
        join->port == own_socket_.port &&
        (join->ip == own_socket_.ip || (join->ip == IpAddress{} && peer == own_socket_.ip));
    if (is_own) {
      require(status == Status::kBadRequest || status == Status::kTooMany,
              "nobody is bound to the server's own socket");
    } else {
      check_decision(shard, admission, before, status);
    }
  }
  end_call(shard);
}

void RelayWorld::check_decision(std::uint8_t shard, const JoinCommand& request,
                                std::uint64_t let_in_before, Status status) {
  const bool is_admitted = let_in(shard) != let_in_before;
  require(is_admitted == (status == Status::kCreated), "who is told to be in is in");
  // Limits against abuse are the relay's own affair here; they must not let in who may not.
  if (status == Status::kTooMany) {
    require(was_ever_limited(), "without limits nobody asks too much");
  } else {
    require(status == model_.status_of(request), "the status is as specified");
  }
  if (!is_admitted) return;
  if (request.join.token) return model_.take_seat(now_ms_, request);
  model_.admit(request, newest_member(shard, request), is_notice_over_limit(shard));
}

ModelMember RelayWorld::newest_member(std::uint8_t shard, const JoinCommand& request) const {
  const Roster& roster = shards_[shard].relay.roster();
  const auto slot = roster.find_room(request.room);
  require(slot.has_value(), "there is a room to be in");
  const Room& room = roster.rooms()[*slot];
  const Member& member = roster.members()[room.members.back()];
  require(member.username == request.join.username, "the newest member is the one that asked");
  ModelMember one;
  one.shard = shard;
  one.room = request.room;
  one.username = request.join.username;
  one.token = member.token;
  one.peer = request.peer;
  one.last_heard_ms = now_ms_;
  one.is_host = request.operation == Operation::kCreate;
  one.endpoint = RelayModel::endpoint_of(request);
  return one;
}

void RelayWorld::greet(const IpAddress& peer) {
  const std::uint8_t shard = map_.of_address(peer);
  Connection& connection = connections_[next_connection_++];
  connection.is_greeting = connection.is_answered = true;
  relay(shard).greet(begin_call(shard), connection.answer);
  check_answer(connection);
  end_call(shard);
}

// Whole frames of valid JSON, of which the last one is the outcome.
void RelayWorld::check_answer(const Connection& connection) {
  std::string left = connection.answer;
  require(!connection.is_greeting || left.size() <= kMaxGreetingBytes, "a greeting is short");
  int frames = 0;
  bool is_last = false;
  while (const auto frame = take_frame(left)) {
    ++frames;
    require(!is_last, "nothing follows the outcome");
    const auto fields = read_object(frame->payload);
    require(fields.has_value(), "an answer is a JSON object");
    is_last = frame->state == kCompleted;
    if (const JsonField* const token = find_field(*fields, "token")) {
      if (Token::parse(connection.seat) == Token::parse(*token->text)) continue;
      require(std::find(tokens_.begin(), tokens_.end(), *token->text) == tokens_.end(),
              "a token is told to one member, and to who shows it");
      tokens_.push_back(*token->text);
    }
  }
  require(left.empty(), "frames are whole");
  require(connection.is_greeting ? frames == 1 && !is_last : frames <= 2 && is_last,
          "one greeting, or an answer with its outcome");
}

void RelayWorld::carry_message(std::uint8_t from, std::uint8_t to) {
  auto& lane = lanes_[from][to];
  if (lane.empty()) return;
  ShardMessage message = std::move(lane.front());
  lane.pop_front();
  std::optional<JoinCommand> asked;
  if (const auto* const admission = std::get_if<JoinForward>(&message)) asked = admission->command;
  const std::uint64_t before = let_in(to);
  PeerShards& peers = begin_call(to);
  relay(to).on_shard_message(now_ms_, std::move(message), peers, shards_[to].out);
  if (asked) {
    require(peers.messages.size() == 1, "an admission has one outcome");
    const auto& result = std::get<JoinReply>(peers.messages.front().message).result;
    check_decision(to, *asked, before,
                   result.admission ? Status::kCreated : result.admission.error().status);
  }
  end_call(to);
}

void RelayWorld::datagram(const Endpoint& from, std::string_view bytes,
                          std::uint8_t shard_if_none_is_named) {
  const std::uint8_t named = shard_of_datagram(bytes).value_or(shard_if_none_is_named);
  const std::uint8_t shard = named < map_.count() ? named : shard_if_none_is_named;
  begin_call(shard);
  const Counters before = relay(shard).counters();
  const bool is_under_way = !shards_[shard].out.is_empty();
  {
    // The receive buffer is gone afterwards: nothing may point into it.
    std::vector<char> buffer(bytes.begin(), bytes.end());
    buffer.insert(buffer.end(), kPayloadPaddingBytes, '}');
    relay(shard).on_datagram(now_ms_, from, {buffer.data(), bytes.size()}, shards_[shard].out);
  }
  const bool is_over_limit =
      relay(shard).counters()[Counter::kMessagesOverLimit] != before[Counter::kMessagesOverLimit];
  const RelayModel::Verdict verdict =
      model_.on_datagram(now_ms_, shard, from, bytes, is_over_limit, is_under_way);
  check_datagram(shard, from, bytes, before, verdict);
  if (verdict.outcome == Counter::kMessagesAccepted && !is_over_limit) model_.owe(shard, bytes);
  end_call(shard, verdict.departure);
}

void RelayWorld::check_datagram(std::uint8_t shard, const Endpoint& from, std::string_view bytes,
                                const Counters& before, const RelayModel::Verdict& verdict) {
  const Counters& after = relay(shard).counters();
  const auto moved_by = [&](Counter counter) { return after[counter] - before[counter]; };
  require(moved_by(Counter::kDatagramsReceived) == 1, "each datagram is counted");
  for (const Counter outcome : kOutcomes) {
    require(moved_by(outcome) == (outcome == verdict.outcome ? 1 : 0),
            "each datagram is counted under what became of it, and nothing else");
  }
  const bool is_answered = moved_by(Counter::kHeartbeatsAnswered) != 0;
  const bool is_unanswered = moved_by(Counter::kHeartbeatsUnanswered) != 0;
  require((is_answered || is_unanswered) == verdict.asks, "a heartbeat that asks is answered");
  require(!is_unanswered || is_limited(), "unless its member asks too much");
  if (is_answered) {
    echoes_.push_back({from, std::string(parse_client_datagram(bytes)->payload)});
  }
  const std::uint64_t others = verdict.planned + verdict.pending;
  owed_ += others;
  if (moved_by(Counter::kMessagesOverLimit) != 0) {
    require(is_limited() && verdict.outcome == Counter::kMessagesAccepted, "messages have a limit");
    require(moved_by(Counter::kDroppedOverLimit) == others, "what is over it is counted");
    require(moved_by(Counter::kDeliveriesPlanned) == 0, "and goes to nobody");
    return;
  }
  require(moved_by(Counter::kDeliveriesPlanned) == verdict.planned, "who is bound hears it");
  require(moved_by(Counter::kDroppedPendingMember) == verdict.pending, "who is not is counted");
  if (moved_by(Counter::kUnauthenticatedAnswers) == 0) return;
  require(verdict.outcome == Counter::kDroppedUnknownToken ||
              verdict.outcome == Counter::kDroppedWrongRoom ||
              verdict.outcome == Counter::kDroppedWrongAddress,
          "only who is not authenticated is told so");
  check_answer_to_stranger(from, bytes.size());
  std::string source(1, static_cast<char>(shard));
  source.append(reinterpret_cast<const char*>(from.ip.bytes().data()), from.ip.bytes().size());
  const auto last = last_answer_ms_.find(source);
  require(last == last_answer_ms_.end() || now_ms_ - last->second >= 1000, "and that seldom");
  last_answer_ms_[source] = now_ms_;
}

void RelayWorld::check_answer_to_stranger(const Endpoint& from, std::size_t size_bytes) {
  require(size_bytes >= kNotAuthenticatedDatagram.size(), "nobody gets more than it sent");
  require(from.port != 0 && from.ip.is_unicast() && from != own_socket_, "to one host, not to us");
  answered_.push_back(from);
}

void RelayWorld::refuse(const Endpoint& destination) {
  for (std::uint8_t shard = 0; shard < shard_count_; ++shard) {
    begin_call(shard);
    model_.on_unreachable(shard, destination);
    relay(shard).on_unreachable(now_ms_, destination, shards_[shard].out);
    end_call(shard, {.kind = Departure::Kind::kRefusal});
  }
}

void RelayWorld::pass_time(TimeMs by_ms) {
  now_ms_ += by_ms;
  for (std::uint8_t shard = 0; shard < shard_count_; ++shard) {
    for (int turn = 0;; ++turn) {
      require(turn < kMaxTurns, "deadlines come to an end");
      begin_call(shard);
      relay(shard).on_deadline(now_ms_, shards_[shard].out);
      end_call(shard, {.kind = Departure::Kind::kSilence});
      const auto next = relay(shard).next_deadline();
      if (!next || *next > now_ms_) break;
      send(shard);
    }
  }
  for (const ModelMember& one : model_.members()) {
    require(one.last_heard_ms + config_.limits.idle_timeout_ms > now_ms_, "who is silent goes");
  }
}

void RelayWorld::serve_rooms(std::uint8_t shard) {
  begin_call(shard);
  relay(shard).serve_rooms(shards_[shard].out);
  end_call(shard);
}

void RelayWorld::send(std::uint8_t shard) {
  Outbox& out = shards_[shard].out;
  for (const Outbox::SendGroup& group : out.groups()) {
    if (group.kind == Outbox::Kind::kMessage) {
      for (const Outbox::Train& train : out.trains(group)) check_message(out, group, train);
    } else {
      check_other(out, group);
    }
  }
  out.clear();
}

void RelayWorld::check_message(const Outbox& out, const Outbox::SendGroup& group,
                               const Outbox::Train& train) {
  require(train.message_count > 0, "a train holds something");
  require(train.message_count <= config_.trains.max_segments, "a train has so many segments");
  std::size_t size_bytes = 0;
  for (std::uint32_t i = 0; i < train.message_count; ++i) {
    const std::string_view datagram = out.message(train, i);
    size_bytes += datagram.size();
    const bool is_last = i + 1 == train.message_count;
    require(
        is_last ? datagram.size() <= train.segment_bytes : datagram.size() == train.segment_bytes,
        "all segments but the last have one size");
    require(train.message_count == 1 || datagram.size() <= config_.trains.max_segment_bytes,
            "a segment is never fragmented");
    require(datagram.starts_with(kServerPrefix), "a message starts with 00 00");
    for (const Endpoint& to : out.destinations(group)) {
      model_.on_delivery(to, datagram.substr(kServerPrefix.size()));
      ++sent_;
    }
  }
  require(size_bytes <= kMaxTrainBytes, "a train fits a datagram");
}

std::vector<RelayWorld::Echo>::iterator RelayWorld::find_echo(const Endpoint& to,
                                                              std::string_view datagram) {
  return std::find_if(echoes_.begin(), echoes_.end(), [&](const Echo& echo) {
    return echo.to == to && datagram.substr(kServerPrefix.size()) == echo.payload;
  });
}

// Notices and answers: one datagram each.
void RelayWorld::check_other(const Outbox& out, const Outbox::SendGroup& group) {
  require(group.train_count == 1, "a notice is one datagram");
  const std::string_view datagram = out.message(out.trains(group).front(), 0);
  if (group.kind == Outbox::Kind::kNotice) {
    return model_.on_notice(out.destinations(group), datagram.substr(kServerPrefix.size()));
  }
  for (const Endpoint& to : out.destinations(group)) {
    if (const auto echo = find_echo(to, datagram); echo != echoes_.end()) {
      echoes_.erase(echo);
    } else {
      require(datagram == kNotAuthenticatedDatagram, "an answer has one text");
      const auto asked = std::find(answered_.begin(), answered_.end(), to);
      require(asked != answered_.end(), "an answer goes where the datagram came from");
      answered_.erase(asked);
    }
  }
}

// accepted x (members - 1) = planned + pending + over limit, and those who came are there or have
// gone.
void RelayWorld::check_ledger() const {
  Counters all;
  std::uint64_t members = 0;
  std::uint64_t rooms = 0;
  for (const Shard& one : shards_) {
    all.add(one.relay.counters());
    members += one.relay.roster().members().size();
    rooms += one.relay.roster().rooms().size();
  }
  require(all[Counter::kDeliveriesPlanned] + all[Counter::kDroppedPendingMember] +
                  all[Counter::kDroppedOverLimit] ==
              owed_,
          "each message is planned for all others, or counted under a reason");
  require(sent_ + all[Counter::kDroppedQueueFull] <= all[Counter::kDeliveriesPlanned],
          "nothing is sent that was not planned");
  require(all[Counter::kMembersJoined] - all[Counter::kMembersLeft] -
                  all[Counter::kMembersTimedOut] - all[Counter::kMembersRefused] -
                  all[Counter::kMembersKicked] - all[Counter::kMembersBanned] -
                  all[Counter::kMembersDisconnected] ==
              members,
          "who came is there or has gone for a reason");
  require(all[Counter::kRoomsCreated] - all[Counter::kRoomsClosed] == rooms, "rooms likewise");
}

void RelayWorld::shut_down() {
  for (std::uint8_t shard = 0; shard < shard_count_; ++shard) {
    for (int turn = 0;; ++turn) {
      require(turn < kMaxTurns, "shutting down comes to an end");
      begin_call(shard);
      const bool is_done = relay(shard).disconnect_all(shards_[shard].out);
      end_call(shard, {.kind = Departure::Kind::kShutdown});
      if (is_done) break;
      send(shard);
    }
    require(relay(shard).roster().members().size() == 0, "everyone is gone");
  }
}

void RelayWorld::carry_all_letters() {
  for (int turn = 0;; ++turn) {
    require(turn < kMaxTurns, "messages come to an end");
    bool is_quiet = true;
    for (std::uint8_t from = 0; from < shard_count_; ++from) {
      for (std::uint8_t to = 0; to < shard_count_; ++to) {
        if (lanes_[from][to].empty()) continue;
        is_quiet = false;
        carry_message(from, to);
        send(to);
      }
    }
    if (is_quiet) break;
  }
  for (const auto& [slot, connection] : connections_) {
    require(connection.is_answered, "every request is answered");
  }
  connections_.clear();
}

void RelayWorld::check_unheard() {
  std::uint64_t dropped = 0;
  for (std::uint8_t shard = 0; shard < shard_count_; ++shard) {
    dropped += count(shard, Counter::kNoticesDropped);
  }
  const std::uint64_t dropped_now = dropped - std::exchange(notices_dropped_, dropped);
  const RelayModel::Unheard unheard = model_.forgive_notices();
  require(unheard.must_be <= dropped_now, "a notice that nobody heard is counted");
  require(dropped_now <= unheard.may_be, "no other is");
}

void RelayWorld::come_to_rest() {
  carry_all_letters();
  for (std::uint8_t shard = 0; shard < shard_count_; ++shard) {
    for (int turn = 0; relay(shard).has_waiting(); ++turn) {
      require(turn < kMaxTurns, "what waits goes out");
      serve_rooms(shard);
      send(shard);
    }
    send(shard);
  }
  lost_ += model_.forgive_debts();
  std::uint64_t planned = 0;
  std::uint64_t dropped = 0;
  for (std::uint8_t shard = 0; shard < shard_count_; ++shard) {
    planned += count(shard, Counter::kDeliveriesPlanned);
    dropped += count(shard, Counter::kDroppedQueueFull);
  }
  require(dropped == lost_, "what did not arrive is counted");
  check_unheard();
  require(sent_ + dropped == planned, "what was planned was sent or has a reason");
  require(answered_.empty() && echoes_.empty(), "every answer went out");
}

}  // namespace chatd::test
