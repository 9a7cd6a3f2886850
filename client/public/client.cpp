// The public face of the client library: its names are a promise, those behind it are not.
#include "client/public/chatd/client.h"

#include <poll.h>

#include <algorithm>
#include <deque>
#include <limits>

#include "client/net/room_client_v2.h"
#include "client/net/server_address.h"
#include "client/net/server_trust.h"
#include "client/net/wait.h"

namespace chatd_client {
namespace {

using chatd::client::ErrorKind;
using chatd::client::now_ms;
using chatd::client::RoomClientV2;
using Inner = chatd::client::Event;

constexpr std::int64_t kMaxWaitMs = 60'000;

Error outer(const chatd::client::Error& error) {
  const auto kind_of = [](ErrorKind kind) {
    switch (kind) {
      case ErrorKind::kUnreachable:
      case ErrorKind::kNoTls:
        return Error::Kind::kUnreachable;
      case ErrorKind::kRefused:
        return Error::Kind::kRefused;
      case ErrorKind::kUntrusted:
        return Error::Kind::kUntrusted;
      case ErrorKind::kNotSendable:
        return Error::Kind::kNotSendable;
      default:
        return Error::Kind::kInternal;
    }
  };
  return {.kind = kind_of(error.kind), .reason = error.reason, .status = error.status};
}

tl::unexpected<Error> not_sendable(std::string reason) {
  return tl::unexpected<Error>(
      Error{.kind = Error::Kind::kNotSendable, .reason = std::move(reason), .status = 0});
}

// Nothing: it is for nobody outside.
std::optional<Event::Kind> outer(Inner::Kind kind) {
  switch (kind) {
    case Inner::Kind::kMessage:
      return Event::Kind::kMessage;
    case Inner::Kind::kUnreadable:
      return Event::Kind::kUnreadable;
    case Inner::Kind::kJoined:
      return Event::Kind::kJoined;
    case Inner::Kind::kLeft:
      return Event::Kind::kLeft;
    case Inner::Kind::kDelivered:
      return Event::Kind::kDelivered;
    case Inner::Kind::kRefused:
      return Event::Kind::kRefused;
    case Inner::Kind::kLost:
      return Event::Kind::kLost;
    case Inner::Kind::kCaughtUp:
      return Event::Kind::kCaughtUp;
    case Inner::Kind::kNotice:
      return Event::Kind::kNotice;
    case Inner::Kind::kUnanswered:
      return Event::Kind::kSilent;
    case Inner::Kind::kAnswered:
      return Event::Kind::kAnswers;
    case Inner::Kind::kDisconnected:
    case Inner::Kind::kNotAuthenticated:
    case Inner::Kind::kServerGone:
      return Event::Kind::kEnded;
    case Inner::Kind::kHeartbeat:
    case Inner::Kind::kMalformed:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

class Room::Implementation {
 public:
  explicit Implementation(std::unique_ptr<chatd::client::RoomClient> client)
      : client_(static_cast<RoomClientV2*>(client.release())) {}

  RoomClientV2& client() { return *client_; }
  bool is_over() const { return is_over_; }

  std::optional<Event> next() {
    if (events_.empty() && !is_over_) {
      client_->on_deadline();
      for (Inner& event : client_->receive()) take(std::move(event));
    }
    if (events_.empty()) return std::nullopt;
    Event event = std::move(events_.front());
    events_.pop_front();
    if (event.kind == Event::Kind::kEnded) is_over_ = true;
    return event;
  }

  // Of now_ms().
  std::int64_t due_ms() const {
    if (!events_.empty()) return 0;
    return is_over_ ? std::numeric_limits<std::int64_t>::max() : client_->next_deadline_ms();
  }

 private:
  void take(Inner event) {
    const auto kind = outer(event.kind);
    if (!kind) return;
    events_.push_back({.kind = *kind,
                       .name = std::move(event.name),
                       .text = std::move(event.text),
                       .is_own = event.is_own,
                       .is_history = event.is_history,
                       .is_sealed = event.is_sealed,
                       .id = event.id,
                       .count = event.count});
  }

  std::unique_ptr<RoomClientV2> client_;
  std::deque<Event> events_;
  bool is_over_ = false;  // kEnded was told
};

tl::expected<Room, Error> Room::enter(const RoomOptions& options) {
  const auto place = chatd::client::read_server(options.server);
  if (!place) {
    return not_sendable("'" + options.server + "' is not a server: write HOST or HOST:PORT");
  }
  chatd::client::ServerTrust::Wishes wishes;
  if (!options.pin.empty()) {
    const auto pin = chatd::client::read_fingerprint(options.pin);
    if (!pin) {
      return not_sendable("'" + options.pin +
                          "' is not a fingerprint: write sha256: and 64 hexadecimal digits");
    }
    wishes.pin = *pin;
  }
  const auto trust = std::make_shared<chatd::client::ServerTrust>(std::move(wishes), std::nullopt);
  chatd::client::ServerAddress server;
  server.host = place->host;
  if (place->port) server.tcp_port = *place->port;
  server.timeout_ms = options.timeout_ms;
  server.check = [trust](const chatd::client::ServerCertificate& certificate) {
    return trust->check(certificate);
  };
  chatd::client::EntryRequest request{
      .operation = options.create ? chatd::Operation::kCreate : chatd::Operation::kJoin,
      .room = options.room,
      .username = options.name,
      .password = options.password,
      .history_entries = options.history_messages};
  for (const auto& [what, text] : {std::pair("room", &options.room), {"name", &options.name}}) {
    if (const auto checked = chatd::client::check_name(what, *text); !checked) {
      return tl::unexpected<Error>(outer(checked.error()));
    }
  }
  if (!options.token.empty()) {
    request.token = chatd::Token::parse(options.token);
    if (!request.token) return not_sendable("the token is not one of chatd's");
  }
  auto client = RoomClientV2::enter(
      server, request, {.wants_history = options.wants_history, .room_key = options.room_key});
  if (!client) return tl::unexpected<Error>(outer(client.error()));
  return Room(std::make_unique<Implementation>(std::move(*client)));
}

Room::Room(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Room::Room(Room&&) noexcept = default;
Room& Room::operator=(Room&&) noexcept = default;
Room::~Room() = default;

tl::expected<std::uint64_t, Error> Room::say(std::string_view text) {
  if (is_over()) return not_sendable("this member is no longer in the room");
  const auto id = implementation_->client().say(text);
  if (!id) return tl::unexpected<Error>(outer(id.error()));
  return *id;
}

std::size_t Room::undelivered() const {
  return implementation_->client().undelivered();
}

std::optional<Event> Room::next(std::int64_t timeout_ms) {
  const std::int64_t end_ms = now_ms() + timeout_ms;
  for (;;) {
    if (auto event = implementation_->next()) return event;
    if (now_ms() >= end_ms || is_over()) return std::nullopt;
    chatd::client::wait_for(fd(), POLLIN, std::min(end_ms, implementation_->due_ms()), -1);
  }
}

int Room::fd() const {
  return implementation_->client().fd();
}

std::int64_t Room::wait_ms() const {
  return std::clamp<std::int64_t>(implementation_->due_ms() - now_ms(), 0, kMaxWaitMs);
}

std::size_t Room::leave() {
  return implementation_->client().leave();
}

bool Room::is_over() const {
  return implementation_->is_over();
}

std::string Room::room() const {
  return implementation_->client().room();
}

std::string Room::name() const {
  return implementation_->client().username();
}

std::vector<std::string> Room::members() const {
  std::vector<std::string> names;
  for (const auto& [id, member] : implementation_->client().roster()) names.push_back(member.name);
  std::sort(names.begin(), names.end());
  return names;
}

std::string Room::token() const {
  return implementation_->client().token().hex();
}

// --- Several -------------------------------------------------------------------------------------

std::size_t Rooms::add(Room room) {
  rooms_.push_back(std::move(room));
  return rooms_.size() - 1;
}

std::optional<std::pair<std::size_t, Event>> Rooms::look() {
  for (std::size_t i = 0; i < rooms_.size(); ++i) {
    const std::size_t number = (turn_ + i) % rooms_.size();
    if (auto event = rooms_[number].next(0)) {
      turn_ = number + 1;
      return std::pair(number, std::move(*event));
    }
  }
  return std::nullopt;
}

std::optional<std::pair<std::size_t, Event>> Rooms::next(std::int64_t timeout_ms) {
  const std::int64_t end_ms = now_ms() + timeout_ms;
  std::vector<pollfd> waiting(rooms_.size());
  for (;;) {
    if (auto found = look()) return found;
    const std::int64_t left_ms = end_ms - now_ms();
    if (left_ms <= 0) return std::nullopt;
    std::int64_t wait_ms = left_ms;
    for (std::size_t i = 0; i < rooms_.size(); ++i) {
      const int fd = rooms_[i].is_over() ? -1 : rooms_[i].fd();
      waiting[i] = {.fd = fd, .events = POLLIN, .revents = 0};
      wait_ms = std::min(wait_ms, rooms_[i].wait_ms());
    }
    ::poll(waiting.data(), waiting.size(), static_cast<int>(wait_ms));
  }
}

}  // namespace chatd_client
