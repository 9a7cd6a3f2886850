#include "bench/chatbench/target/broker/broker_target.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "bench/chatbench/net/setup.h"
#include "bench/chatbench/target/join_pacer.h"
#include "bench/chatbench/workload/payload.h"
#include "client/net/tcp_connection.h"
#include "client/net/wait.h"

namespace chatd::bench {
namespace {

using Kind = BrokerItem::Kind;
using Role = BrokerCodec::Role;

constexpr std::size_t kBrokerReadBytes = 64 * 1024;
constexpr std::size_t kArenaBytes = 16 * kBrokerReadBytes;
constexpr int kMaxBrokerEvents = 128;
constexpr int kTickMs = 10;
// What may wait for a broker that takes nothing, in all, before messages are lost for it.
constexpr std::size_t kMaxPendingBytes = std::size_t{256} * 1024 * 1024;
// The beginning of one item: a message has a few thousand bytes.
constexpr std::size_t kMaxUnreadBytes = std::size_t{1} * 1024 * 1024;
constexpr int kMaxEmptyReads = 64;

}  // namespace

BrokerTarget::BrokerTarget(TargetConfig config, std::unique_ptr<BrokerCodec> codec)
    : config_(std::move(config)), codec_(std::move(codec)), arena_(kArenaBytes) {}

Role BrokerTarget::role_of(std::uint32_t member) const {
  const Population& population = config_.population;
  const std::uint32_t number = member % population.members_per_room;
  if (number >= population.senders_per_room) return Role::kSubscriber;
  const bool is_alone = population.senders_per_room == 1 && !codec_->can_exclude_sender();
  return is_alone ? Role::kPublisher : Role::kBoth;
}

// --- Joining -------------------------------------------------------------------------------------

tl::expected<Joined, std::string> BrokerTarget::connect() {
  const std::uint32_t members = config_.population.members();
  if (auto enough = ensure_descriptors(
          members, "fewer members: with a broker each has a TCP connection of its own");
      !enough) {
    return tl::unexpected(std::move(enough.error()));
  }
  const auto found = find_tcp_server(
      config_.host, config_.tcp_port,
      {.timeout_ms = config_.timeout_ms, .interrupt_fd = config_.interrupt_fd}, "the broker");
  if (!found) return tl::unexpected(found.error());
  address_ = *found;
  epoll_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) {
    return tl::unexpected("cannot make an epoll instance: " + client::system_reason(errno));
  }
  connections_.resize(members);
  // Of this process alone: two runs at a time must not meet.
  const std::string stem = "bench-" + std::to_string(::getpid()) + "-";
  for (std::uint32_t room = 0; room < config_.population.rooms; ++room) {
    room_names_.push_back(stem + std::to_string(room));
  }
  if (auto done = join_all(); !done) return tl::unexpected(std::move(done.error()));
  return Joined{.members = members, .connections = members};
}

tl::expected<void, std::string> BrokerTarget::join_all() {
  const std::uint32_t members = config_.population.members();
  const JoinPacer pace(config_.joins_per_s, client::now_ms());
  std::vector<Delivery> nothing_yet;
  std::uint32_t started = 0;
  std::uint32_t told = 0;
  std::int64_t progress_ms = client::now_ms();
  while (ready_ < members) {
    const std::int64_t now_ms = client::now_ms();
    const std::uint32_t allowed =
        std::min(pace.allowed(now_ms, members), ready_ + std::max(1u, config_.connections));
    // Patience is with a broker that has been asked for something.
    if (ready_ > told || started == ready_) progress_ms = now_ms;
    told = ready_;
    for (; started < std::min(members, allowed); ++started) {
      if (auto begun = start_join(started); !begun) return begun;
    }
    arena_used_ = 0;
    nothing_yet.clear();
    read_some(nothing_yet, kTickMs);
    if (members_lost_ > 0) {
      return tl::unexpected("the broker at " + address_->to_string() +
                            " ended a connection while members joined: " + last_trouble_);
    }
    if (now_ms - progress_ms > config_.timeout_ms) {
      return tl::unexpected("only " + std::to_string(ready_) + " of " + std::to_string(members) +
                            " members got in: the broker at " + address_->to_string() +
                            " has not answered for " + std::to_string(config_.timeout_ms) + " ms");
    }
    config_.on_progress(ready_);
    if (is_readable(config_.interrupt_fd)) {
      return tl::unexpected("interrupted while members joined; " + std::to_string(ready_) +
                            " were in");
    }
  }
  return {};
}

// Whoever introduces itself is answered.
tl::expected<void, std::string> BrokerTarget::check_server() {
  const std::int64_t deadline_ms = client::now_ms() + kCheckPatienceMs;
  const auto connected =
      client::connect_to_any({*address_}, deadline_ms, config_.interrupt_fd, "the broker");
  if (!connected) {
    if (connected.error().kind == client::ErrorKind::kInterrupted) return {};
    return tl::unexpected("the server is gone: " + connected.error().reason);
  }
  const int fd = connected->socket.get();
  std::string question;
  codec_->introduce(Role::kPublisher, "bench-check", "bench-check", question);
  (void)::send(fd, question.data(), question.size(), MSG_NOSIGNAL);
  std::string answer;
  std::array<char, 4096> piece;
  while (answer.size() < kMaxUnreadBytes) {
    const auto waited = client::wait_for(fd, POLLIN, deadline_ms, config_.interrupt_fd);
    if (waited == client::WaitResult::kInterrupted) return {};
    const ssize_t got = ::recv(fd, piece.data(), piece.size(), 0);
    if (waited != client::WaitResult::kReady || got <= 0) break;
    answer.append(piece.data(), static_cast<std::size_t>(got));
    for (;;) {
      const BrokerItem item = codec_->next_item(answer);
      if (item.kind == Kind::kReady || item.kind == Kind::kError) return {};
      if (item.kind == Kind::kIncomplete) break;
      answer.erase(0, item.size_bytes);
    }
  }
  return tl::unexpected("the broker at " + address_->to_string() + " does not answer any more");
}

tl::expected<void, std::string> BrokerTarget::start_join(std::uint32_t member) {
  const client::Address& address = *address_;
  Connection& connection = connections_[member];
  connection.own_name = name_word(member);
  connection.socket =
      UniqueFd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!connection.socket) {
    return tl::unexpected("cannot open TCP connection " + std::to_string(member + 1) + ": " +
                          client::system_reason(errno));
  }
  const int on = 1;
  ::setsockopt(connection.socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(connection.socket.get(), address.get(), address.size_bytes()) != 0 &&
      errno != EINPROGRESS) {
    return tl::unexpected("cannot connect to the broker at " + address.to_string() + ": " +
                          client::system_reason(errno) + ". Does it run there?");
  }
  codec_->introduce(role_of(member), member_name(member),
                    room_names_[config_.population.room_of(member)], connection.unsent);
  pending_bytes_ += connection.unsent.size();
  // Writable is what a connection becomes when it stands: then the introduction goes out.
  connection.waits_for_room = true;
  watch(member, EPOLL_CTL_ADD, true);
  return {};
}

void BrokerTarget::watch(std::uint32_t member, int operation, bool for_room) {
  epoll_event event{};
  event.events = for_room ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u32 = member;
  ::epoll_ctl(epoll_.get(), operation, connections_[member].socket.get(), &event);
}

// --- Sending -------------------------------------------------------------------------------------

void BrokerTarget::queue(std::uint32_t member, std::string_view payload) {
  Connection& connection = connections_[member];
  if (connection.is_lost || pending_bytes_ > kMaxPendingBytes) return;  // and so is the message
  const std::size_t before = connection.unsent.size();
  codec_->publish(room_names_[config_.population.room_of(member)], payload, connection.unsent);
  pending_bytes_ += connection.unsent.size() - before;
  if (std::exchange(connection.is_queued, true)) return;
  to_flush_.push_back(member);
}

void BrokerTarget::flush() {
  for (const std::uint32_t member : to_flush_) {
    connections_[member].is_queued = false;
    if (!connections_[member].waits_for_room) write(member);
  }
  to_flush_.clear();
}

// What the kernel does not take waits for epoll.
void BrokerTarget::write(std::uint32_t member) {
  Connection& connection = connections_[member];
  while (connection.sent_bytes < connection.unsent.size()) {
    const ssize_t sent =
        ::send(connection.socket.get(), connection.unsent.data() + connection.sent_bytes,
               connection.unsent.size() - connection.sent_bytes, MSG_NOSIGNAL);
    if (sent >= 0) {
      take_off(connection, static_cast<std::size_t>(sent));
    } else if (errno != EINTR) {
      if (errno != EAGAIN) return lose(member, client::system_reason(errno));
      if (!std::exchange(connection.waits_for_room, true)) watch(member, EPOLL_CTL_MOD, true);
      return;
    }
  }
  if (std::exchange(connection.waits_for_room, false)) watch(member, EPOLL_CTL_MOD, false);
}

// What was sent, from the front; moved up only now and then.
void BrokerTarget::take_off(Connection& connection, std::size_t sent_bytes) {
  pending_bytes_ -= sent_bytes;
  connection.sent_bytes += sent_bytes;
  const std::size_t left = connection.unsent.size() - connection.sent_bytes;
  if (left > connection.sent_bytes) return;
  connection.unsent.erase(0, connection.sent_bytes);
  connection.sent_bytes = 0;
}

// --- Receiving -----------------------------------------------------------------------------------

void BrokerTarget::receive(std::vector<Delivery>& out) {
  arena_used_ = 0;
  const std::size_t before = out.size();
  // Half an item, or an answer to a publisher, is not a delivery, but one may follow it.
  for (int i = 0; i < kMaxEmptyReads && out.size() == before && read_some(out, 0); ++i) {
  }
}

bool BrokerTarget::read_some(std::vector<Delivery>& out, int timeout_ms) {
  std::array<epoll_event, kMaxBrokerEvents> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), kMaxBrokerEvents, timeout_ms);
  bool did_something = false;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const std::uint32_t member = event.data.u32;
    if ((event.events & EPOLLOUT) != 0) write(member);
    if ((event.events & ~EPOLLOUT) == 0 || connections_[member].is_lost) continue;
    // The rest is still readable the next time (level-triggered); epoll begins where it stopped.
    const std::size_t needed = kBrokerReadBytes + connections_[member].unread.size();
    if (arena_.size() - arena_used_ < needed) {
      if (arena_used_ > 0) break;
      arena_.resize(needed);
    }
    read(member, out);
    did_something = true;
  }
  return did_something;
}

void BrokerTarget::read(std::uint32_t member, std::vector<Delivery>& out) {
  Connection& connection = connections_[member];
  char* const begin = arena_.data() + arena_used_;
  const std::size_t kept_bytes = connection.unread.size();
  std::copy(connection.unread.begin(), connection.unread.end(), begin);
  const ssize_t got = ::recv(connection.socket.get(), begin + kept_bytes, kBrokerReadBytes, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got < 0) return lose(member, client::system_reason(errno));
  if (got == 0) return lose(member, "it closed the connection");

  const std::string_view bytes(begin, kept_bytes + static_cast<std::size_t>(got));
  arena_used_ += bytes.size();
  const std::size_t used = take_items(member, bytes, out);
  if (connection.is_lost) return;
  if (bytes.size() - used > kMaxUnreadBytes) return lose(member, "it sends what has no end");
  connection.unread.assign(bytes.substr(used));
}

// How many bytes were whole items.
std::size_t BrokerTarget::take_items(std::uint32_t member, std::string_view bytes,
                                     std::vector<Delivery>& out) {
  Connection& connection = connections_[member];
  std::size_t used = 0;
  for (;;) {
    const BrokerItem item = codec_->next_item(bytes.substr(used));
    switch (item.kind) {
      case Kind::kIncomplete:
        return used;
      case Kind::kIgnored:
        break;
      case Kind::kReady:
        if (!std::exchange(connection.is_ready, true)) ++ready_;
        break;
      case Kind::kMessage:
        take_message(member, item.text, out);
        break;
      case Kind::kPing:
        connection.unsent.append(codec_->pong());
        pending_bytes_ += codec_->pong().size();
        if (!connection.waits_for_room) write(member);
        break;
      case Kind::kError:
        lose(member, item.text);
        return used;
    }
    used += item.size_bytes;
  }
}

void BrokerTarget::take_message(std::uint32_t member, std::string_view payload,
                                std::vector<Delivery>& out) {
  if (!codec_->can_exclude_sender() && payload.size() >= kMinPayloadBytes) {
    NameWord sender = 0;
    std::memcpy(&sender, payload.data() + kNameAt, sizeof sender);
    if (sender == connections_[member].own_name) return;
  }
  out.push_back({.member = member, .payload = payload});
}

void BrokerTarget::lose(std::uint32_t member, std::string_view why) {
  Connection& connection = connections_[member];
  last_trouble_ = why;
  connection.is_lost = true;
  connection.socket = {};
  connection.unread = {};
  pending_bytes_ -= connection.unsent.size() - connection.sent_bytes;
  connection.unsent = {};
  connection.sent_bytes = 0;
  ++members_lost_;
}

void BrokerTarget::disconnect() {
  connections_.clear();
  to_flush_.clear();
}

}  // namespace chatd::bench
