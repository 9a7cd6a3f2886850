// The clients' control connections: what they ask, what they hear, and how they break.
#include <algorithm>
#include <string_view>
#include <utility>

#include "client/lib/response.h"
#include "core/base/limits.h"
#include "core/wire/v1/frame.h"
#include "tests/sim/server.h"
#include "tests/support/wire.h"

namespace chatd::sim {
namespace {

constexpr std::uint64_t kConnectUs = 600;
constexpr std::uint64_t kAnswerUs = 200;
constexpr std::uint64_t kSlowUs = 3'000;
constexpr std::size_t kSlowBytes = 700;
constexpr std::size_t kLongListBytes = 8 * 1024;  // many times what the server may send ahead

// Calls `see` with each answer (State 2) and where it ends, while it returns true.
template <class See>
void each_answer(std::string_view reply, See see) {
  for (std::size_t at = 0;;) {
    const DecodedFrame decoded = decode_frame(reply.substr(at), kMaxListBytes);
    if (decoded.status != FrameStatus::kComplete) return;
    at += decoded.size_bytes;
    if (decoded.frame.is(FrameState::kCompleted) && !see(decoded.frame, at)) return;
  }
}

int status_of(const FrameView& frame) {
  if (client::parse_room_list(frame.payload)) return 200;
  const auto entry = client::parse_entry_answer(frame.payload);
  return entry ? 201 : entry.error().status;
}

}  // namespace

std::uint32_t Server::connect(const RequestSpec& spec, std::string_view request) {
  const auto free = std::find_if(
      connections_.begin(), connections_.end(),
      [](const Connection& connection) { return connection.stage == Connection::Stage::kFree; });
  const auto number = static_cast<std::uint32_t>(free - connections_.begin());
  if (free == connections_.end()) connections_.emplace_back();
  Connection& connection = connections_[number];
  connection = {};
  connection.stage = Connection::Stage::kArriving;
  connection.serial = next_serial_++;
  connection.spec = spec;
  connection.nonsense = world_.dice.one_in(12) ? world_.dice.roll32(20) : 0;
  connection.breaks = breaking_connections > 0 && world_.dice.one_in(2);
  const bool is_list = spec.kind == RequestSpec::Kind::kList;
  connection.reads_slowly = (slow_list_readers > 0 && is_list) || world_.dice.one_in(6);
  for (std::uint32_t i = 0; i < connection.nonsense; ++i) {
    connection.request += test::encode({.operation = 77, .state = test::kRequest});
  }
  connection.request += request;
  world_.plan(world_.about(kConnectUs), EventKind::kRequestAtServer, number, connection.serial);
  return number;
}

// The connection is there, or more of the request: as the network cuts it.
void Server::on_request(std::uint32_t number, std::uint32_t serial) {
  Connection& connection = connections_[number];
  if (connection.serial != serial || connection.stage == Connection::Stage::kFree) return;
  const Host& host = world_.hosts[connection.spec.host];
  if (connection.stage == Connection::Stage::kArriving) {
    if (host.cut > 0 || !machine_.connect(number, host.ip, connection.reads_slowly)) {
      world_.seen.saw(Sight::kServerAway);
      connection.has_ended = true;
      return take_later(number);
    }
    connection.stage = Connection::Stage::kOpen;
    connection.is_connected = true;
  }
  const bool is_whole = world_.dice.one_in(2);
  const std::size_t count =
      is_whole ? connection.request.size()
               : static_cast<std::size_t>(world_.dice.roll(connection.request.size() + 1));
  machine_.arrive(number, std::string_view(connection.request).substr(0, count));
  connection.request.erase(0, count);
  if (connection.breaks && world_.dice.one_in(2)) {
    world_.seen.saw(Sight::kAnswerLost);
    machine_.reset(number);
    connection.has_ended = true;
    return take_later(number);
  }
  if (connection.request.empty()) return;
  world_.plan(world_.about(kConnectUs), EventKind::kRequestAtServer, number, serial);
}

void Server::hears(std::uint32_t number, std::string_view bytes) {
  connections_[number].under_way.append(bytes);
  take_later(number);
}

void Server::hears_end(std::uint32_t number) {
  connections_[number].has_ended = true;
  take_later(number);
}

void Server::take_later(std::uint32_t number) {
  Connection& connection = connections_[number];
  if (connection.stage == Connection::Stage::kFree || std::exchange(connection.is_taking, true)) {
    return;
  }
  world_.plan(connection.reads_slowly ? world_.about(kSlowUs) : kAnswerUs,
              EventKind::kBytesAtClient, number, connection.serial);
}

bool Server::on_bytes_at_client(std::uint32_t number, std::uint32_t serial) {
  Connection& connection = connections_[number];
  if (connection.serial != serial || connection.stage == Connection::Stage::kFree) return false;
  connection.is_taking = false;
  const std::size_t count = connection.reads_slowly
                                ? std::min(kSlowBytes, connection.under_way.size())
                                : connection.under_way.size();
  connection.reply.append(connection.under_way, 0, count);
  connection.under_way.erase(0, count);
  if (connection.is_connected) machine_.peer_takes(number, count);
  if (!connection.under_way.empty()) {
    take_later(number);
    return false;
  }
  if (connection.stage == Connection::Stage::kAnswered) return false;
  if (connection.reads_slowly && connection.reply.size() > kLongListBytes) {
    world_.seen.saw(Sight::kLongListReadSlowly);
  }
  return connection.has_ended || answer_at(connection).has_value();
}

// Of several answers it is the last: those to nonsense come before it. Who is turned away gets one
// and no more.
std::optional<std::size_t> Server::answer_at(const Connection& connection) const {
  std::size_t answers = 0;
  std::size_t begin = 0;
  std::optional<std::size_t> found;
  const bool is_last = connection.has_ended && connection.under_way.empty();
  each_answer(connection.reply, [&](const FrameView&, std::size_t end) {
    if (answers++ == connection.nonsense) found = begin;
    begin = end;
    return !found;
  });
  if (!found && is_last && answers == 1 && connection.statuses.empty()) return 0;
  return found;
}

// Each answer says what the model has said it would.
void Server::check_answers(const Connection& connection) {
  const DecodedFrame first = decode_frame(connection.reply, kMaxListBytes);
  if (first.status == FrameStatus::kComplete && first.frame.is(FrameState::kRequest)) {
    world_.seen.saw(Sight::kGreeting);
  }
  std::size_t number = 0;
  each_answer(connection.reply, [&](const FrameView& frame, std::size_t) {
    const int status = status_of(frame);
    // By the control plane, and no relay was asked.
    const bool is_turned_away = connection.statuses.empty() && (status == 429 || status == 503);
    if (is_turned_away) return false;
    const bool is_meant = number == connection.nonsense;
    if (connection.spec.kind == RequestSpec::Kind::kTooLarge && is_meant && status == 413) {
      world_.seen.saw(Sight::kTold413);  // likewise
      return false;
    }
    if (number >= connection.statuses.size() || connection.statuses[number] != status) {
      world_.fail("a request was answered " + std::to_string(status) + " instead of " +
                  (number < connection.statuses.size() ? std::to_string(connection.statuses[number])
                                                       : "not at all"));
      return false;
    }
    const auto entry = client::parse_entry_answer(frame.payload);
    if (status == 201 &&
        entry->token.shard() != model_.members().rooms[connection.spec.room].shard) {
      world_.fail("a token names another shard than the room's");
    }
    ++number;
    return true;
  });
}

// The client is done with it, and the server hears so sooner or later.
void Server::close(std::uint32_t number) {
  Connection& connection = connections_[number];
  connection.stage =
      connection.is_connected ? Connection::Stage::kAnswered : Connection::Stage::kFree;
  if (connection.is_connected) machine_.hang_up(number);
}

void Server::closed(std::uint32_t number) {
  Connection& connection = connections_[number];
  connection.is_connected = false;
  if (connection.stage == Connection::Stage::kAnswered) {
    connection.stage = Connection::Stage::kFree;
  } else {
    hears_end(number);
  }
}

Request Server::next(const ConnectionId& from) {
  const auto number = machine_.connection_at(from.shard, from.slot);
  if (!number) {
    world_.fail("a request from a connection that is gone");
    return {};
  }
  Connection& connection = connections_[*number];
  Request request{.spec = connection.spec, .connection = *number, .serial = connection.serial};
  if (connection.nonsense_read < connection.nonsense) {
    ++connection.nonsense_read;
    request.spec.kind = RequestSpec::Kind::kBadFrame;
  }
  return request;
}

void Server::answer(const Request& request) {
  Connection& connection = connections_[request.connection];
  if (connection.serial != request.serial) return;  // the client has gone meanwhile
  connection.statuses.push_back(request.status);
  connection.member = request.member;
}

}  // namespace chatd::sim
