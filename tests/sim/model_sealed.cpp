// The model's view of protocol v2 (docs/reference/protocol-v2.md): what a sealed datagram says, and
// what must come of it.
#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "core/wire/v2/datagram.h"
#include "tests/sim/model.h"
#include "tests/sim/words.h"

namespace chatd::sim {
namespace {

constexpr std::uint64_t kLogEpoch = 1;
constexpr std::uint64_t kSaysUnderWay = 64;
constexpr std::size_t kMostSaid = 1100;
constexpr TimeMs kProbeIntervalMs = 200;
constexpr std::size_t kHeaderBytes = 18;
// Of single messages, that certainly find room in one answer.
constexpr std::size_t kFramesInAnswer = 64;
constexpr Bucket::Rate kAnswerRate{.units = 100, .burst_ms = 500};

// The clients here say text that is none by bytes that no text has.
bool is_text(std::string_view bytes) {
  return std::none_of(bytes.begin(), bytes.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f || byte == 0xff;
  });
}

std::optional<v2::RefusalReason> fault_of(const v2::Say& say) {
  if (say.bytes.size() > kMostSaid) return v2::RefusalReason::kTooLong;
  const bool is_sound = say.content_type == v2::ContentType::kSealed ||
                        (say.content_type == v2::ContentType::kText && is_text(say.bytes));
  if (!is_sound || say.bytes.empty()) return v2::RefusalReason::kBadContent;
  return std::nullopt;
}

}  // namespace

Endpoint Model::where_is(const SealedSession& session) {
  if (session.state == SealedSession::State::kRoomEnded) return network_.endpoint(session.port);
  const Membership* const member = members_.find(session.member);
  if (member == nullptr || member->port == kNoPort) return {};
  return network_.endpoint(member->port);
}

Counter Model::judge_sealed(std::uint8_t shard, const Endpoint& from, const Claim& claim,
                            std::string_view bytes) {
  const auto datagram = v2::parse_datagram(bytes);
  if (!datagram) {
    world_.fail("a datagram is said to be one of protocol v2, and is none");
    return Counter::kDroppedMalformed;
  }
  SealedSession* const session = sessions_.find(datagram->session);
  if (session == nullptr || session->state != SealedSession::State::kOpen ||
      session->shard != shard) {
    const bool is_known = session != nullptr && (session->generation == generation_ ||
                                                 world_.scenario.has_state_directory);
    expect_reset(from, bytes.substr(0, kHeaderBytes), is_known ? &session->reset_token : nullptr);
    return Counter::kDroppedUnknownSession;
  }
  if (!session->is_new_packet(datagram->packet_number)) return Counter::kDroppedReplayed;
  const std::string plain = claim.is_intact ? open(*session, *datagram) : "";
  if (plain.empty()) return Counter::kDroppedNotOpened;

  const bool is_newest = datagram->packet_number >= session->received_end;
  session->take_packet(datagram->packet_number);
  Membership& member = members_[session->member];
  member.last_heard_ms = now_ms_;
  member.refusals = 0;
  follow(*session, member, from, is_newest);
  read_frames(*session, member, from, plain);
  return Counter::kSealedDatagrams;
}

void Model::expect_reset(const Endpoint& from, std::string_view header,
                         const v2::ResetToken* token) {
  if (from.port == 0 || !from.ip.is_unicast() || world_.server_sockets.contains(from)) return;
  if (!addresses_.may_answer(now_ms_, shard_, from.ip)) {
    ++expected(shard_, Counter::kUnauthenticatedUnanswered);
    return;
  }
  answer_to_ = from.ip;
  expectations_.expect_reset(from, header, token);
}

// Under the key in use, or the one after it, which is in use from then on.
std::string Model::open(SealedSession& session, const v2::Datagram& datagram) {
  const std::uint64_t epoch = PacketKey::epoch_of(datagram.packet_number);
  const PacketKey next = session.to_server.next();
  if (epoch != session.to_server.epoch() && epoch != next.epoch()) return "";
  const PacketKey& key = epoch == next.epoch() ? next : session.to_server;
  std::string plain(datagram.sealed.size(), '\0');
  if (!open_datagram(session.cipher, key, datagram, plain.data())) {
    world_.fail("a datagram that is said to be intact does not open");
    return "";
  }
  plain.resize(plain.size() - v2::kTagBytes);
  if (epoch == next.epoch()) {
    world_.seen.saw(Sight::kClientsNextKey);
    session.to_server = next;
  }
  return plain;
}

// --- Addresses -----------------------------------------------------------------------------------

void Model::follow(SealedSession& session, Membership& member, const Endpoint& from,
                   bool is_newest) {
  if (member.port != kNoPort && from == network_.endpoint(member.port)) return;
  if (!is_newest || from.port == 0 || world_.server_sockets.contains(from)) return;
  if (from.ip == world_.hosts[member.host].ip) {
    bind_sealed(session, member, from);
  } else if (from.ip.is_unicast()) {
    challenge(session, from);
  }
}

void Model::challenge(SealedSession& session, const Endpoint& from) {
  if (session.probe && now_ms_ < session.probe->asked_at_ms + kProbeIntervalMs) return;
  if (!session.probe || session.probe->endpoint != from) {
    session.probe = {.endpoint = from, .asked_at_ms = now_ms_, .data = {}};
  }
  session.probe->asked_at_ms = now_ms_;
  ++expected(shard_, Counter::kPathChallenges);
  sealed_.expect(session, from, SealedExpectations::Challenge{});
}

// What it has still to get waits from here on.
void Model::bind_sealed(SealedSession& session, Membership& member, const Endpoint& to) {
  const auto port = network_.find_port(to);
  if (!port) return world_.fail("a member is at a port that the simulator does not know");
  world_.seen.saw(member.port == kNoPort ? Sight::kSealedBound : Sight::kSealedRoamFollowed);
  if (member.port == kNoPort) session.bound_at = session.log->head();
  if (member.port == kNoPort || network_.endpoint(member.port).ip != to.ip) session.mtu = {};
  bind(member, *port);
  if (session.cursor < session.log->head()) ++members_.rooms[member.room].accepted;
}

void Model::take(SealedSession& session, Membership& member, const Endpoint& from,
                 const v2::PathResponse& response) {
  if (session.probe && session.probe->endpoint == from && session.probe->data == response.data) {
    world_.seen.saw(Sight::kPathProven);
    session.probe.reset();
    return bind_sealed(session, member, from);
  }
  const bool is_there = member.port != kNoPort && network_.endpoint(member.port) == from;
  SealedSession::Mtu& mtu = session.mtu;
  if (is_there && mtu.probes > 0 && mtu.mark == response.data) {
    world_.seen.saw(Sight::kLargerPathProven);
    mtu.proven_bytes = std::max(mtu.proven_bytes, mtu.probe_bytes);
  }
  if (!is_there) ++expected(shard_, Counter::kPathResponsesWrong);
}

// --- Frames --------------------------------------------------------------------------------------

void Model::read_frames(SealedSession& session, Membership& member, const Endpoint& from,
                        std::string_view plain) {
  Answer answer;
  is_answered_ = is_answer_paid_ = false;
  v2::ByteReader reader(plain);
  v2::ClientFrame frame;
  v2::ReadResult result = v2::ReadResult::kEnd;
  while ((result = v2::read_frame(reader, frame)) == v2::ReadResult::kFrame) {
    if (const auto* const say = std::get_if<v2::Say>(&frame)) take(session, member, *say, answer);
    if (const auto* const have = std::get_if<v2::Have>(&frame)) {
      take(session, member, *have, answer);
    }
    if (const auto* const response = std::get_if<v2::PathResponse>(&frame)) {
      take(session, member, from, *response);
    }
    if (std::holds_alternative<v2::Leave>(frame)) {
      ++expected(shard_, Counter::kLeavesSealed);
      return go(member, Counter::kMembersLeft);
    }
  }
  if (result == v2::ReadResult::kUnknown) ++expected(shard_, Counter::kFramesUnknown);
  if (result == v2::ReadResult::kMalformed) ++expected(shard_, Counter::kFramesMalformed);
  this->answer(session, member, answer);
}

// Whose address is not known cannot be told anything; others 100 times a second.
bool Model::may_answer(SealedSession& session, const Membership& member, Answer& answer) {
  if (member.port == kNoPort) return false;
  if (answer.is_paid) return true;
  answer.is_paid = is_answer_paid_ = session.answers.take(now_ms_, kAnswerRate);
  if (!answer.is_paid) ++expected(shard_, Counter::kAnswersOverLimit);
  return answer.is_paid;
}

// Of single messages, as many as there is room for.
void Model::answer(SealedSession& session, const Membership& member, Answer& answer) {
  if (!answer.wants_head && answer.frames.empty() && answer.possible_frames.empty()) return;
  is_answered_ = true;
  if (!may_answer(session, member, answer)) return;
  const Endpoint to = where_is(session);
  if (answer.wants_head) {
    sealed_.expect(session, to, SealedExpectations::Head{session.log->head() - 1});
  }
  for (std::size_t i = 0; i < answer.frames.size(); ++i) {
    sealed_.expect(session, to, answer.frames[i], /*is_certain=*/i < kFramesInAnswer);
  }
  for (const auto& frame : answer.possible_frames) {
    sealed_.expect(session, to, frame, /*is_certain=*/false);
  }
}

void Model::take(SealedSession& session, Membership& member, const v2::Say& say, Answer& answer) {
  const std::uint64_t number = say.client_number;
  const std::uint64_t newest = session.newest_say();
  if (number > newest + kSaysUnderWay) {
    ++expected(shard_, Counter::kSaysTooFarAhead);
    return;
  }
  const bool is_old = number + kSaysUnderWay <= newest;
  if (!is_old && !session.said.contains(number)) return accept(session, member, say, answer);
  ++expected(shard_, Counter::kSaysDuplicate);
  if (!is_old && session.refused.contains(number)) {
    const auto reason = fault_of(say).value_or(v2::RefusalReason::kOverLimit);
    answer.frames.emplace_back(SealedExpectations::Refusal{number, reason});
    return;
  }
  if (!is_old && session.unsure.contains(number)) {
    auto& frames = answer.possible_frames;
    frames.emplace_back(SealedExpectations::Head{session.log->head() - 1});
    frames.emplace_back(SealedExpectations::Taken{number});
    frames.emplace_back(SealedExpectations::Refusal{number, v2::RefusalReason::kOverLimit});
    return;
  }
  answer.wants_head = true;
  if (!is_old) answer.frames.emplace_back(SealedExpectations::Taken{number});
}

void Model::accept(SealedSession& session, Membership& member, const v2::Say& say, Answer& answer) {
  session.said.insert(say.client_number);
  ModelRoom& room = members_.rooms[member.room];
  const bool is_within = is_within_rate(member);
  if (const auto fault = fault_of(say)) {
    ++expected(shard_, Counter::kSaysRefused);
    return refuse(session, say, *fault, answer);
  }
  if (!is_within || !may_send(member, say.bytes.size(), room.members.size())) {
    ++expected(shard_, Counter::kMessagesAccepted);
    ++expected(shard_, Counter::kMessagesSealed);
    ++expected(shard_, Counter::kMessagesOverLimit);
    expected(shard_, Counter::kDroppedOverLimit) += room.members.size() - 1;
    return refuse(session, say, v2::RefusalReason::kOverLimit, answer);
  }
  const auto id = id_in_sealed_content(say.bytes);
  if (!id) return world_.fail("a member says something that it cannot have said");
  const bool is_for_v1 = say.content_type == v2::ContentType::kText;
  const ExpectedDeliveries::Accepted sum = expected_.accept(member, *id, is_for_v1);
  accepted_.push_back(*id);
  ++expected(shard_, Counter::kMessagesAccepted);
  ++expected(shard_, Counter::kMessagesSealed);
  expected(shard_, Counter::kDeliveriesPlanned) += sum.sealed + (is_for_v1 ? sum.planned : 0);
  expected(shard_, Counter::kDeliveriesLogged) += sum.sealed;
  expected(shard_, Counter::kDroppedPendingMember) += sum.pending;
  if (!is_for_v1) expected(shard_, Counter::kDroppedNotForV1) += sum.planned;
  if (world_.scenario.store_blocks < kMessageStoreBlocks) {
    sealed_.may_not_store({.session = &session, .client_number = say.client_number});
  }
  log(member.room, {.member = member.id,
                    .client_number = say.client_number,
                    .content_type = say.content_type,
                    .bytes = say.bytes});
}

void Model::refuse(SealedSession& session, const v2::Say& say, v2::RefusalReason reason,
                   Answer& answer) {
  session.refused.insert(say.client_number);
  answer.frames.emplace_back(SealedExpectations::Refusal{say.client_number, reason});
}

// What is missing in what it has, and is not still to come. Who asks for the next one alone does
// not know how many there are.
void Model::take(SealedSession& session, Membership& member, const v2::Have& have, Answer& answer) {
  const std::uint64_t last = session.log->head() - 1;
  if (have.log_epoch != kLogEpoch || have.complete > last ||
      (have.range_count > 0 && have.has().back().last > last)) {
    ++expected(shard_, Counter::kHavesImpossible);
    return;
  }
  ++expected(shard_, Counter::kHavesTaken);
  session.complete = std::max(session.complete, have.complete);
  if (have.wanted == 0 || answer.has_repaired || !may_answer(session, member, answer)) return;
  answer.has_repaired = true;
  std::vector<v2::Range> missing;
  const std::uint64_t wanted = std::min(have.wanted, session.cursor - 1);
  std::uint64_t first = have.complete + 1;
  for (const v2::Range& range : have.has()) {
    if (first <= std::min(wanted, range.first - 1)) {
      missing.push_back({first, std::min(wanted, range.first - 1)});
    }
    first = range.last + 1;
  }
  if (first <= wanted) missing.push_back({first, wanted});
  sealed_.expect_repair(session, std::move(missing));
  const bool asks_for_next = have.wanted == have.complete + 1 && have.range_count == 0;
  if (have.wanted > last || asks_for_next) answer.wants_head = true;
}

// --- What finds no memory ------------------------------------------------------------------------

bool Model::on_not_stored(SealedSession& session, const Endpoint& to, std::uint64_t client_number) {
  if (to != where_is(session) || !is_told_not_stored(session) ||
      !sealed_.take_not_stored({.session = &session, .client_number = client_number})) {
    return false;
  }
  ++expected(shard_, Counter::kSaysRefused);
  session.refused.insert(client_number);
  return true;
}

// By the answer that the datagram draws in any case, or by one of its own.
bool Model::is_told_not_stored(SealedSession& session) {
  if (!std::exchange(is_answered_, true)) {
    Answer answer;
    answer.is_paid = is_answer_paid_;
    may_answer(session, members_[session.member], answer);
  }
  return is_answer_paid_;
}

void Model::on_not_stored_untold(const Counters& counters) {
  const auto& untold = sealed_.not_stored();
  const std::uint64_t refused =
      counters[Counter::kSaysRefused] - expected(shard_, Counter::kSaysRefused);
  if (refused == 0) return;
  if (refused > untold.size()) return world_.fail("more is refused than was said");
  expected(shard_, Counter::kSaysRefused) += refused;
  for (const auto& [session, client_number] : untold) {
    (refused == untold.size() ? session->refused : session->unsure).insert(client_number);
  }
  // All of it was in one datagram.
  SealedSession& session = *untold.front().session;
  const bool has_left = session.state != SealedSession::State::kOpen;
  if (!has_left && is_told_not_stored(session) && untold.size() < kFramesInAnswer) {
    world_.fail("member " + std::to_string(session.member) +
                " is not told that what it has said is not stored");
  }
}

// --- Logs ----------------------------------------------------------------------------------------

void Model::log(std::uint32_t number, const v2::Entry& entry) {
  ModelRoom& room = members_.rooms[number];
  if (!room.log) return;
  room.log->append(LogEntry::of(entry));
  room.log->last_entry_ms = now_ms_;
  logged_rooms_.push_back(number);
}

LogEntry Model::left_entry(const Membership& member) const {
  return LogEntry::of({.kind = v2::EntryKind::kLeft,
                       .member = member.id,
                       .bytes = world_.client_names[member.name]});
}

// The server's own words, when it is this room's turn.
void Model::log_the_drain(std::uint32_t number) {
  ModelRoom& room = members_.rooms[number];
  room.will_log_the_drain = false;
  const std::string notice = notice_text(Notice::kDraining, "");
  room.log->append(LogEntry::of(
      {.content_type = v2::ContentType::kV1Payload, .bytes = std::string_view(notice).substr(2)}));
}

}  // namespace chatd::sim
