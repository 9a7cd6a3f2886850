#include "client/net/room_client_v2.h"

#include <poll.h>
#include <sodium/core.h>
#include <sodium/randombytes.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "client/lib/seat_refusal.h"
#include "client/net/control.h"
#include "client/net/wait.h"
#include "core/crypto/packet_key.h"

namespace chatd::client {
namespace {

constexpr std::size_t kMaxShownMembers = 100;
// Several times what a message waits between being said and being said again.
constexpr std::int64_t kArrivalPatienceMs = 10'000;
constexpr std::int64_t kLeavePatienceMs = 1'000;

TimeMs now() {
  return static_cast<TimeMs>(now_ms());
}

// The first of the endpoints to which there is a way from here.
tl::expected<UdpSocket, Error> open_socket(const ServerAddress& server, const Address& peer,
                                           const std::vector<UdpEndpoint>& endpoints) {
  tl::expected<UdpSocket, Error> opened =
      failure(ErrorKind::kUnreachable, "the server names no address for messages");
  for (const UdpEndpoint& endpoint : endpoints) {
    const std::uint16_t port = server.udp_port != 0 ? server.udp_port : endpoint.port;
    std::vector<Address> addresses{peer.with_port(port)};
    if (!endpoint.is_where_tcp_went()) {
      auto found =
          resolve(endpoint.host, port, now_ms() + patience_ms(server), server.interrupt_fd);
      if (!found) {
        opened = tl::unexpected<Error>(std::move(found.error()));
        continue;
      }
      addresses = std::move(*found);
    }
    for (const Address& address : addresses) {
      opened = UdpSocket::open(address, server.gro);
      if (opened) return opened;
    }
  }
  return opened;
}

tl::expected<std::unique_ptr<RoomCipher>, Error> make_cipher(const std::string& passphrase,
                                                             const std::string& room) {
  const auto key = RoomKey::derive(passphrase, room);
  if (!key) return tl::unexpected<Error>(key.error());
  RoomCipher::Stream stream;
  randombytes_buf(stream.data(), stream.size());
  return std::make_unique<RoomCipher>(*key, room, stream);
}

}  // namespace

RoomClientV2::RoomClientV2(ServerAddress server, EntryRequest request, Place&& place,
                           LogMember::Options options)
    : server_(std::move(server)),
      socket_(std::move(place.socket)),
      member_(std::move(request), std::move(place.entry), std::move(options), now()) {}

tl::expected<RoomClientV2::Place, Error> RoomClientV2::take_place(const ServerAddress& server,
                                                                  const EntryRequest& request) {
  const auto answer = ask_over_tls(server, encode_entry_request(request), kMaxSessionAnswerBytes);
  if (!answer) return tl::unexpected<Error>(answer.error());
  auto entry = parse_entry_answer(answer->payload);
  if (!entry) return tl::unexpected<Error>(std::move(entry.error()));
  if (!entry->session) {
    return failure(ErrorKind::kUnreachable, "the server does not speak protocol 2");
  }
  auto socket = open_socket(server, answer->peer, entry->endpoints);
  if (!socket) return tl::unexpected<Error>(std::move(socket.error()));
  return Place{std::move(*socket), std::move(*entry)};
}

tl::expected<std::unique_ptr<RoomClient>, Error> RoomClientV2::enter(const ServerAddress& server,
                                                                     EntryRequest request,
                                                                     const Wishes& wishes) {
  if (sodium_init() < 0) return failure(ErrorKind::kInternal, "libsodium does not start");
  LogMember::Options options{.wants_history = wishes.wants_history,
                             .heartbeat_ms = static_cast<TimeMs>(wishes.heartbeat_ms)};
  if (!wishes.room_key.empty()) {
    auto cipher = make_cipher(wishes.room_key, request.room);
    if (!cipher) return tl::unexpected<Error>(std::move(cipher.error()));
    options.cipher = std::move(*cipher);
  }
  request.protocol = 2;
  request.knows_aes = fastest_cipher() == Cipher::kAes256Gcm;
  auto place = take_place(server, request);
  if (!place && request.token && is_refused_with(place.error(), kStatusNotFound)) {
    request.token.reset();  // the seat is gone
    place = take_place(server, request);
  }
  if (!place) return tl::unexpected<Error>(std::move(place.error()));
  options.server_name = "the server at " + place->socket.peer().to_string();
  std::unique_ptr<RoomClientV2> room(
      new RoomClientV2(server, std::move(request), std::move(*place), std::move(options)));
  room->flush();
  return room;
}

// --- The socket ----------------------------------------------------------------------------------

std::int64_t RoomClientV2::next_deadline_ms() const {
  if (!events_.empty()) return 0;
  std::int64_t next = std::numeric_limits<std::int64_t>::max();
  if (const auto deadline = member_.next_deadline()) next = static_cast<std::int64_t>(*deadline);
  if (asked_arrival_ms_) next = std::min(next, *asked_arrival_ms_ + kArrivalPatienceMs);
  return next;
}

void RoomClientV2::flush() {
  while (const auto datagram = member_.next_datagram(now())) send(*datagram);
  collect();
}

void RoomClientV2::send(const std::string& datagram) {
  int error = socket_.send(datagram);
  if (error == ECONNREFUSED) {
    // The refusal is of an earlier datagram, and reading it has cleared it.
    member_.on_unreachable(now());
    error = socket_.send(datagram);
  }
  member_.on_send_result(error == 0 || error == ECONNREFUSED ? "" : system_reason(error));
}

void RoomClientV2::read_socket() {
  // A train is taken to its end: nothing would call us for the rest of it.
  for (int i = 0; i < kMaxDatagramsPerTurn || socket_.has_more(); ++i) {
    const UdpSocket::Received received = socket_.receive();
    if (received.error == EAGAIN) return;
    if (received.error == ECONNREFUSED) {
      member_.on_unreachable(now());
    } else if (received.error == 0) {
      member_.on_datagram(now(), received.datagram);
    }
  }
}

void RoomClientV2::collect() {
  while (auto event = member_.next_event()) {
    if (event->kind == Event::Kind::kDelivered && asked_arrival_ms_) asked_arrival_ms_ = now_ms();
    events_.push_back(std::move(*event));
  }
}

std::vector<Event> RoomClientV2::receive() {
  read_socket();
  flush();
  return take_news();
}

std::vector<Event> RoomClientV2::take_news() {
  return std::exchange(events_, {});
}

// Input comes before timers: after a sleep what has come meanwhile says that all is well.
void RoomClientV2::on_deadline() {
  const auto deadline = member_.next_deadline();
  if (!deadline || now() < *deadline) return;
  read_socket();
  member_.on_deadline(now());
  come_back();
  flush();
}

// --- Talk ----------------------------------------------------------------------------------------

tl::expected<std::uint64_t, Error> RoomClientV2::say(std::string_view text) {
  if (auto checked = member_.check(text); !checked) {
    return tl::unexpected<Error>(std::move(checked.error()));
  }
  const std::uint64_t id = member_.say(now(), text);
  flush();
  return id;
}

RoomClient::Arrival RoomClientV2::ask_arrival() {
  if (member_.undelivered() == 0) return Arrival::kYes;
  if (!asked_arrival_ms_) asked_arrival_ms_ = now_ms();
  const bool has_waited = now_ms() >= *asked_arrival_ms_ + kArrivalPatienceMs;
  return has_waited || member_.has_failed_to_return() ? Arrival::kMayBeLost : Arrival::kAsked;
}

tl::expected<std::optional<RoomInfo>, Error> RoomClientV2::who() {
  RoomInfo info{.name = room(), .members = {}, .count = member_.roster().size()};
  for (const auto& [id, member] : member_.roster()) {
    if (info.members.size() == kMaxShownMembers) break;
    info.members.push_back(member.name);
  }
  return info;
}

std::size_t RoomClientV2::leave() {
  const std::int64_t patience_ms = member_.is_lost() ? 0 : kLeavePatienceMs;
  wait_until(now_ms() + patience_ms, [](const LogMember& me) { return me.undelivered() == 0; });
  const std::size_t undelivered = member_.undelivered();
  member_.leave();
  wait_until(now_ms() + patience_ms, [](const LogMember& me) { return me.has_left(); });
  return undelivered;
}

void RoomClientV2::wait_until(std::int64_t deadline_ms, bool (*is_done)(const LogMember&)) {
  flush();
  while (!is_done(member_) && !member_.is_over()) {
    const std::int64_t wake_ms = std::min(deadline_ms, next_deadline_ms());
    const auto waited = wait_for(socket_.fd(), POLLIN, wake_ms, server_.interrupt_fd);
    if (waited == WaitResult::kInterrupted || now_ms() >= deadline_ms) return;
    read_socket();
    member_.on_deadline(now());
    flush();
    events_.clear();
  }
}

// --- The place, again ----------------------------------------------------------------------------

void RoomClientV2::come_back() {
  ServerAddress server = server_;
  server.deadline_ms = std::min(server.deadline_ms, now_ms() + kReturnPatienceMs);
  while (const auto request = member_.wants_entry(now())) {
    auto place = take_place(server, *request);
    if (place) {
      socket_ = std::move(place->socket);
      member_.on_entered(now(), std::move(place->entry));
    } else if (place.error().kind == ErrorKind::kInterrupted) {
      return;
    } else {
      member_.on_not_entered(now(), place.error());
    }
  }
}

}  // namespace chatd::client
