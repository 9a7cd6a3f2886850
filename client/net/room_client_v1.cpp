#include "client/net/room_client_v1.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>
#include <utility>

#include "client/lib/response.h"
#include "client/lib/seat_refusal.h"
#include "client/net/control.h"
#include "client/net/wait.h"

namespace chatd::client {
namespace {

std::string in_seconds(std::int64_t time_ms) {
  return std::to_string(time_ms / 1000) + " s";
}

std::uint64_t random_number() {
  std::random_device device;  // the kernel's
  return std::uint64_t{device()} << 32 | device();
}

}  // namespace

struct RoomClientV1::Place {
  UdpSocket socket;
  Entry entry;
};

RoomClientV1::RoomClientV1(ServerAddress server, EntryRequest request, std::int64_t heartbeat_ms,
                           UdpSocket socket, MemberSession session)
    : server_(std::move(server)),
      request_(std::move(request)),
      heartbeat_ms_(heartbeat_ms),
      socket_(std::move(socket)),
      session_(std::move(session)) {}

tl::expected<RoomClientV1::Place, Error> RoomClientV1::take_place(const ServerAddress& server,
                                                                  EntryRequest& request) {
  auto connection = connect_plain(server);
  if (!connection) return tl::unexpected<Error>(std::move(connection.error()));
  // The same address that took the TCP connection: a name may stand for several machines. And the
  // UDP socket comes before the request, so that the server learns its real port.
  auto socket = UdpSocket::open(connection->peer().with_port(server.udp_port), server.gro);
  if (!socket) return tl::unexpected<Error>(std::move(socket.error()));
  const Address local = socket->local_address();
  request.udp_ip = local.ip();
  request.udp_port = local.port();

  const auto answer = connection->exchange(encode_entry_request(request), kMaxEntryAnswerBytes,
                                           patience_ms(server), server.interrupt_fd);
  if (!answer) return tl::unexpected<Error>(answer.error());
  const auto entry = parse_entry_answer(*answer);
  if (!entry) return tl::unexpected<Error>(entry.error());
  return Place{std::move(*socket), *entry};
}

MemberSession RoomClientV1::make_session(const EntryRequest& request, const Entry& entry,
                                         std::int64_t heartbeat_ms) {
  return MemberSession({.room = request.room,
                        .username = request.username,
                        .token = entry.token,
                        .heartbeat_ms = heartbeat_ms,
                        .idle_timeout_ms = entry.idle_timeout_ms,
                        .secret = random_number()},
                       now_ms());
}

tl::expected<std::unique_ptr<RoomClient>, Error> RoomClientV1::enter(const ServerAddress& server,
                                                                     EntryRequest request,
                                                                     const Wishes& wishes) {
  auto place = take_place(server, request);
  if (!place && request.token && is_refused_with(place.error(), kStatusNotFound)) {
    request.token.reset();  // the seat is gone
    place = take_place(server, request);
  }
  if (!place) return tl::unexpected<Error>(std::move(place.error()));
  MemberSession session = make_session(request, place->entry, wishes.heartbeat_ms);
  std::unique_ptr<RoomClientV1> room(new RoomClientV1(server, std::move(request),
                                                      wishes.heartbeat_ms, std::move(place->socket),
                                                      std::move(session)));
  room->on_deadline();
  return room;
}

std::int64_t RoomClientV1::next_deadline_ms() const {
  if (!news_.empty()) return 0;
  if (is_over_) return std::numeric_limits<std::int64_t>::max();
  return session_.liveness().next_deadline_ms();
}

tl::expected<std::uint64_t, Error> RoomClientV1::say(std::string_view text) {
  const auto datagram = session_.message(text);
  if (!datagram) return tl::unexpected<Error>(datagram.error());
  const int error = send(*datagram);
  if (error != 0) return failure(ErrorKind::kNotSendable, "not sent: " + system_reason(error));
  confirming_heartbeat_ = session_.liveness().last_number() + 1;
  return 0;
}

RoomClientV1::Arrival RoomClientV1::ask_arrival() {
  Liveness& liveness = session_.liveness();
  if (may_be_lost_) return Arrival::kMayBeLost;
  if (!liveness.answers_are_due()) return Arrival::kCannotSay;
  if (asked_arrival_ == 0) {
    asked_arrival_ = liveness.ask(now_ms());
    beat();
  }
  if (liveness.is_answered(asked_arrival_)) return Arrival::kYes;
  // Silence is told once: if it was before we asked, nothing more comes.
  const bool is_silent = liveness.last_number() >= asked_arrival_ + kUnansweredUntilTold;
  return is_silent ? Arrival::kMayBeLost : Arrival::kAsked;
}

std::optional<Event> RoomClientV1::last_refusal() {
  if (socket_.take_error() == ECONNREFUSED) on_unreachable();
  if (session_.liveness().last_was_refused()) return refused_event();
  return std::nullopt;
}

void RoomClientV1::on_deadline() {
  Liveness& liveness = session_.liveness();
  if (is_over_ || now_ms() < liveness.next_deadline_ms()) return;
  // Whether a lost member may come back, it does not learn by listening.
  if (has_listened_ || liveness.is_lost()) {
    look();
  } else {
    liveness.on_not_listened(now_ms());
  }
  if (!is_over_ && now_ms() >= liveness.next_heartbeat_ms()) beat();
}

void RoomClientV1::beat() {
  beat_error_ = send(session_.heartbeat());
  // Also when it could not leave: it is tried again later, not at once for ever.
  session_.liveness().on_heartbeat_sent(now_ms(), beat_error_ == 0);
  has_listened_ = false;
}

std::vector<Event> RoomClientV1::receive() {
  std::vector<Event> events;
  // A train is taken to its end: nothing would call us for the rest of it.
  for (int i = 0; (i < kMaxDatagramsPerTurn || socket_.has_more()) && !is_over_; ++i) {
    const UdpSocket::Received received = socket_.receive();
    if (received.error == EAGAIN) {
      has_listened_ = true;
      break;
    }
    if (received.error == ECONNREFUSED) {
      on_unreachable();
    } else if (received.error == 0) {
      session_.liveness().on_received();
      on_event(parse_event(received.datagram, session_.username()), events);
    }
  }
  if (!is_over_) look();
  for (Event& event : take_news()) events.push_back(std::move(event));
  return events;
}

std::vector<Event> RoomClientV1::take_news() {
  return std::exchange(news_, {});
}

// That we are out is not believed before the server has been asked.
void RoomClientV1::on_event(Event event, std::vector<Event>& events) {
  switch (event.kind) {
    case Event::Kind::kHeartbeat:
      return session_.on_answer(event.text);
    case Event::Kind::kNotAuthenticated:
      // Of one who was removed it is the answer to our asking.
      if (session_.liveness().claim() != Liveness::Claim::kRemoved) {
        claim_text_ = std::move(event.text);
      }
      return session_.liveness().on_claim(now_ms(), Liveness::Claim::kNotKnown);
    case Event::Kind::kDisconnected:
      claim_text_ = std::move(event.text);
      return session_.liveness().on_claim(now_ms(), Liveness::Claim::kRemoved);
    default:
      events.push_back(std::move(event));
  }
}

void RoomClientV1::look() {
  using Finding = Liveness::Finding;
  switch (session_.liveness().find(now_ms())) {
    case Finding::kNone:
      return;
    case Finding::kUnanswered: {
      const std::string why = beat_error_ != 0 ? ": " + system_reason(beat_error_) : "";
      return news_.push_back({Event::Kind::kUnanswered, "",
                              name_of_server() + " does not answer" + why + "; asking again"});
    }
    case Finding::kAnswered:
      return news_.push_back({Event::Kind::kAnswered, "", name_of_server() + " answers again"});
    case Finding::kNotKnown:
      if (session_.liveness().has_been_answered()) return come_back();
      return end({Event::Kind::kNotAuthenticated, "", claim_text_});
    case Finding::kRemoved:
      return end({Event::Kind::kDisconnected, "", claim_text_});
    case Finding::kGone: {
      const Liveness& liveness = session_.liveness();
      const std::string time = in_seconds(liveness.idle_timeout_ms());
      return end(
          {Event::Kind::kServerGone, "",
           name_of_server() + (liveness.is_lost() ? " has not let you back to your seat for " +
                                                        time + " (" + return_error_ + ")"
                                                  : " has not answered for " + time)});
    }
  }
}

// The token proves that the seat is ours, wherever we are now. Without a seat we were removed, and
// stay out.
void RoomClientV1::come_back() {
  EntryRequest request = request_;
  request.operation = Operation::kJoin;
  request.token = session_.token();
  ServerAddress server = server_;
  server.deadline_ms = std::min(server.deadline_ms, now_ms() + kReturnPatienceMs);
  auto place = take_place(server, request);
  if (place) return on_back(request, std::move(*place));
  if (place.error().kind != ErrorKind::kInterrupted) on_not_back(place.error());
}

// What was said since the last heartbeat that was answered may have been refused.
void RoomClientV1::on_back(const EntryRequest& request, Place place) {
  const bool is_unsure =
      confirming_heartbeat_ && !session_.liveness().is_answered(*confirming_heartbeat_);
  may_be_lost_ = may_be_lost_ || is_unsure;
  socket_ = std::move(place.socket);
  session_ = make_session(request, place.entry, heartbeat_ms_);
  has_listened_ = true;
  confirming_heartbeat_.reset();  // heartbeats are numbered anew
  asked_arrival_ = 0;
  news_.push_back({Event::Kind::kAnswered, "",
                   name_of_server() + " had lost you: you are back in the room" +
                       (is_unsure ? "; what you said last may be lost" : "")});
}

void RoomClientV1::on_not_back(const Error& error) {
  if (is_final_refusal(error) || is_refused_with(error, kStatusNotFound)) {
    return end({Event::Kind::kNotAuthenticated, "", error.reason});
  }
  return_error_ = in_words(error);
  const bool is_told = session_.liveness().is_lost();
  const std::int64_t wait_ms = session_.liveness().on_return_failed(now_ms());
  if (is_told) return;
  news_.push_back({Event::Kind::kUnanswered, "",
                   name_of_server() +
                       " does not know you, and has not let you back to your seat (" +
                       return_error_ + "); trying again in " + in_seconds(wait_ms)});
}

void RoomClientV1::end(Event event) {
  is_over_ = true;
  news_.push_back(std::move(event));
}

std::string RoomClientV1::name_of_server() const {
  return "the server at " + socket_.peer().to_string();
}

std::size_t RoomClientV1::leave() {
  send(session_.leave());
  return 0;
}

// As far as the server says.
tl::expected<std::optional<RoomInfo>, Error> RoomClientV1::who() {
  auto list = list_rooms(server_);
  if (!list) return tl::unexpected<Error>(std::move(list.error()));
  const auto found =
      std::find_if(list->rooms.begin(), list->rooms.end(),
                   [this](const RoomInfo& info) { return info.name == session_.room(); });
  if (found == list->rooms.end()) return std::nullopt;
  return std::move(*found);
}

int RoomClientV1::send(std::string_view datagram) {
  int error = socket_.send(datagram);
  if (error == ECONNREFUSED) {
    // The refusal is of an earlier datagram, and reading it has cleared it.
    on_unreachable();
    error = socket_.send(datagram);
  }
  session_.liveness().on_sent(now_ms());
  return error;
}

void RoomClientV1::on_unreachable() {
  if (!session_.liveness().on_unreachable(now_ms()) || is_over_) return;
  // Who has said goodbye before it went has not just gone.
  const bool was_removed = session_.liveness().claim() == Liveness::Claim::kRemoved;
  end(was_removed ? Event{Event::Kind::kDisconnected, "", claim_text_} : refused_event());
}

Event RoomClientV1::refused_event() const {
  return {Event::Kind::kServerGone, "",
          "nothing listens at " + socket_.peer().to_string() + " any more"};
}

}  // namespace chatd::client
