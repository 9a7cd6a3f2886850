// The control plane's half of a shard: requests and shard messages.
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/wire/v1/frame.h"
#include "core/wire/v1/status.h"
#include "tests/sim/shard.h"
#include "tests/sim/switchboard.h"

namespace chatd::sim {
namespace {

constexpr std::size_t kLettersPerTurn = 256;
constexpr std::size_t kRequestsPerTurn = 32;

std::optional<Token> token_in(std::string_view reply) {
  constexpr std::string_view kKey = "\"token\":\"";
  const std::size_t at = reply.rfind(kKey);
  if (at == std::string_view::npos) return std::nullopt;
  return Token::parse(reply.substr(at + kKey.size(), kTokenHexBytes));
}

}  // namespace

PeerShards& Shard::begin() {
  board_.read_figures(peers_.figures);
  peers_.sequence = board_.next_sequence();
  peers_.replies.clear();
  return peers_;
}

void Shard::post() {
  relay_->post(peers_);
  for (PeerShards::Outgoing& outgoing : peers_.messages) board_.post(std::move(outgoing));
  peers_.messages.clear();
}

void Shard::serve_requests(TimeMs now_ms) {
  for (std::size_t i = 0; i < kRequestsPerTurn && !requests_.empty() && !out_.is_full(); ++i) {
    const std::uint32_t connection = requests_.front();
    requests_.pop_front();
    serve(now_ms, connection);
  }
  post();
}

// The greeting first, if the connection is to get one.
void Shard::serve(TimeMs now_ms, std::uint32_t number) {
  if (!admit_connection(now_ms, number)) return;
  Connection& connection = board_.connection(number);
  for (; connection.nonsense > 0; --connection.nonsense) ask_nonsense(now_ms, connection);
  if (connection.wants_greeting) {
    connection.wants_greeting = false;
    world_.seen.saw(Sight::kGreeting);
    relay_->greet(begin(), connection.reply);
  }
  ask(now_ms, number);
}

// One too many from its address gets a word and no place (server/control/control_plane.cpp).
bool Shard::admit_connection(TimeMs now_ms, std::uint32_t number) {
  Connection& connection = board_.connection(number);
  const std::uint32_t host = connection.ask.host;
  const bool may_come = model_.on_connection(now_ms, host);
  if (relay_->open_connection(now_ms, world_.hosts[host].ip) != may_come) {
    world_.fail(may_come ? "a connection was turned away" : "a connection was one too many");
  }
  connection.is_counted = may_come;
  if (may_come) return true;
  world_.seen.saw(Sight::kTold429Connections);
  relay_->counters().add(Counter::kConnectionsOverAddressLimit);
  ++model_.expected(shard_, Counter::kConnectionsOverAddressLimit);
  connection.status = 429;
  append_outcome(connection.reply, static_cast<std::uint8_t>(Operation::kList), Status::kTooMany,
                 "too many connections");
  board_.answer(number);
  return false;
}

void Shard::on_connection_end(std::uint32_t number) {
  Connection& connection = board_.connection(number);
  if (!std::exchange(connection.is_counted, false)) return;
  model_.on_connection_end(connection.ask.host);
  relay_->release_connection(world_.hosts[connection.ask.host].ip);
}

// A request that is none costs its address as much as a good one.
void Shard::ask_nonsense(TimeMs now_ms, const Connection& connection) {
  Ask nonsense = connection.ask;
  nonsense.kind = Ask::Kind::kBadFrame;
  std::string reply;
  audit_.begin(shard_, out_);
  const auto status = model_.on_request(now_ms, shard_, nonsense);
  relay_->on_request(now_ms, {.shard = shard_}, world_.hosts[nonsense.host].ip,
                     {.operation = 77, .state = 0, .room = "", .payload = ""}, begin(), reply,
                     out_);
  audit_.end(*relay_, out_);
  if (reply.find(std::to_string(*status)) == std::string::npos) {
    world_.fail("nonsense is not answered as such");
  }
}

void Shard::ask(TimeMs now_ms, std::uint32_t number) {
  Connection& connection = board_.connection(number);
  const DecodedFrame decoded =
      decode_frame(connection.request, world_.scenario.limits.max_frame_bytes);
  if (decoded.status != FrameStatus::kComplete) {
    return world_.fail("a request of the client library is not a whole frame");
  }
  const ConnectionId id{.shard = shard_, .slot = number, .serial = connection.serial};
  connection.stage = Connection::Stage::kAsking;
  const std::size_t greeting_bytes = connection.reply.size();

  audit_.begin(shard_, out_);
  const auto status = model_.on_request(now_ms, shard_, connection.ask);
  const bool is_ours = model_.shards().of_room(decoded.frame.room) == shard_;
  const std::uint64_t kept_back = relay_->counters()[Counter::kPasswordAttemptsOverLimit];
  const bool is_whole = relay_->on_request(now_ms, id, world_.hosts[connection.ask.host].ip,
                                           decoded.frame, begin(), connection.reply, out_);
  if (status) {
    connection.status = *status;
  } else if (is_ours) {
    const bool was_kept_back = relay_->counters()[Counter::kPasswordAttemptsOverLimit] > kept_back;
    const Model::Admission admission = model_.on_admission(now_ms, connection.ask, was_kept_back);
    connection.status = admission.status;
    connection.member = admission.member;
    model_.on_outcome(shard_, connection.ask, admission.status);
  }
  if (is_whole && connection.member != kNobody) {
    const auto token = token_in(std::string_view(connection.reply).substr(greeting_bytes));
    if (token) model_.roll()[connection.member].token = *token;
  }
  audit_.end(*relay_, out_);
  post();
  connection.stage = Connection::Stage::kWaiting;
  const bool is_list = connection.ask.kind == Ask::Kind::kList;
  if (!is_list && is_whole != (status.has_value() || is_ours)) {
    world_.fail("a request is answered on the wrong shard");
  }
  if (is_whole) board_.answer(number);
}

void Shard::drain_messages(TimeMs now_ms) {
  for (std::size_t i = 0; i < kLettersPerTurn && !messages_.empty() && !out_.is_full(); ++i) {
    ShardMessage message = std::move(messages_.front());
    messages_.pop_front();
    open_letter(now_ms, std::move(message));
  }
}

void Shard::open_letter(TimeMs now_ms, ShardMessage message) {
  world_.seen.saw(Sight::kLetter);
  audit_.begin(shard_, out_);
  const std::uint64_t kept_back = relay_->counters()[Counter::kPasswordAttemptsOverLimit];
  Connection* asker = nullptr;
  if (const auto* const asked = std::get_if<JoinForward>(&message)) {
    asker = &board_.connection(asked->from.slot);
  } else if (const auto* const answered = std::get_if<JoinReply>(&message)) {
    const Connection& connection = board_.connection(answered->to.slot);
    model_.on_outcome(shard_, connection.ask, connection.status);
  } else if (const auto* const ended = std::get_if<QuotaRelease>(&message)) {
    model_.on_room_ended(ended->creator);
  }
  relay_->on_shard_message(now_ms, std::move(message), begin(), out_);
  if (asker != nullptr) {
    const bool was_kept_back = relay_->counters()[Counter::kPasswordAttemptsOverLimit] > kept_back;
    const Model::Admission admission = model_.on_admission(now_ms, asker->ask, was_kept_back);
    asker->status = admission.status;
    asker->member = admission.member;
  }
  if (asker != nullptr && asker->member != kNobody) {
    const auto* const outcome = std::get_if<JoinReply>(&peers_.messages.back().message);
    if (outcome != nullptr && outcome->result.token) {
      model_.roll()[asker->member].token = *outcome->result.token;
    }
  }
  audit_.end(*relay_, out_);
  post();
  deliver_replies();
}

// A piece a turn, as the server does.
void Shard::write_lists(TimeMs now_ms) {
  if (!relay_->has_lists_to_write(now_ms)) return;
  relay_->write_lists(now_ms, begin());
  post();
  deliver_replies();
}

void Shard::deliver_replies() {
  for (const PeerShards::Reply& reply : peers_.replies) {
    Connection& connection = board_.connection(reply.to.slot);
    if (connection.serial != reply.to.serial) {
      world_.fail("a reply for a connection that is gone");
      continue;
    }
    connection.reply += reply.frames;
    if (reply.list) connection.reply += ListReader(reply.list).read_all();
    board_.answer(reply.to.slot);
  }
}

}  // namespace chatd::sim
