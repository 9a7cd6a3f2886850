#include "bench/chatbench/target/chatd/chatd_target.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>

#include "bench/chatbench/net/setup.h"
#include "bench/chatbench/target/chatd/join_driver.h"
#include "bench/chatbench/target/chatd/notice.h"
#include "bench/chatbench/workload/payload.h"
#include "client/net/tcp_connection.h"
#include "client/net/wait.h"
#include "core/base/limits.h"
#include "core/wire/v1/datagram.h"

namespace chatd::bench {
namespace {

constexpr std::uint64_t kMaxBeatsPerTurn = 2'000;

// A batch is up to a few thousand datagrams: more than come between two calls, and an end to it.
constexpr int kMaxDiscardedBatches = 256;

constexpr std::int64_t kLeavePatienceMs = 15'000;  // for all
constexpr std::int64_t kGoodbyePatienceMs = 20;
constexpr std::uint32_t kLeavesUnderWay = 64;

// Two runs against one server, at a time or one after the other, must not meet in a room.
std::vector<std::string> make_room_names(std::uint32_t count) {
  const auto now =
      static_cast<unsigned long long>(std::chrono::system_clock::now().time_since_epoch().count());
  const auto run =
      static_cast<unsigned>((now / 1'000) ^ (static_cast<unsigned long long>(::getpid()) << 12));
  std::vector<std::string> names(count);
  std::array<char, 40> text{};
  for (std::uint32_t i = 0; i < count; ++i) {
    const int length = std::snprintf(text.data(), text.size(), "bench-%08x-%u", run, i);
    names[i].assign(text.data(), static_cast<std::size_t>(length));
  }
  return names;
}

}  // namespace

ChatdTarget::ChatdTarget(TargetConfig config)
    : config_(std::move(config)), rooms_(make_room_names(config_.population.rooms)) {}

tl::expected<Joined, std::string> ChatdTarget::connect() {
  const auto found = find_tcp_server(
      config_.host, config_.tcp_port,
      {.timeout_ms = config_.timeout_ms, .interrupt_fd = config_.interrupt_fd}, "chatd");
  if (!found) return tl::unexpected(found.error());
  tcp_ = *found;
  const client::Address& tcp = *tcp_;
  const bool shares = MemberSockets::can_share(tcp) && !config_.one_socket_per_client;
  if (!shares && !config_.one_socket_per_client) {
    remarks_.push_back(
        "members share sockets only on IPv4 loopback (127.0.0.0/8): here each has a socket of its "
        "own");
  }
  const std::uint32_t members = config_.population.members();
  const std::uint32_t shared =
      config_.sockets != 0 ? config_.sockets : config_.joins_per_connection;
  if (auto enough =
          ensure_descriptors(std::uint64_t{shares ? shared : members} + config_.connections,
                             shares ? "fewer --sockets or --connections" : "fewer members");
      !enough) {
    return tl::unexpected(std::move(enough.error()));
  }
  auto sockets =
      MemberSockets::open(tcp.with_port(config_.udp_port),
                          {.members = members,
                           .sockets = shared,
                           .first_address = config_.first_address,
                           .own = !shares,
                           .gro = config_.gro,
                           .gso = config_.gso,
                           .max_datagram_bytes = static_cast<std::uint32_t>(kMaxDatagramBytes),
                           .receive_buffer_bytes = config_.receive_buffer_bytes});
  if (!sockets) return tl::unexpected(std::move(sockets.error()));
  sockets_ = std::move(*sockets);
  if (config_.gro && !sockets_->gro()) {
    remarks_.push_back("this kernel has no UDP_GRO: datagrams are received one by one");
  }
  if (sockets_->receive_buffer_bytes() < config_.receive_buffer_bytes) {
    remarks_.push_back(
        "the kernel gave receive buffers of " + std::to_string(sockets_->receive_buffer_bytes()) +
        " bytes instead of " + std::to_string(config_.receive_buffer_bytes) +
        ": sysctl -w net.core.rmem_max=" + std::to_string(config_.receive_buffer_bytes) +
        ", or run chatbench with CAP_NET_ADMIN");
  }
  JoinDriver driver(config_, tcp, *sockets_, rooms_, [this] { discard(); });
  auto joined = driver.run();
  tokens_ = driver.take_tokens();
  if (!joined) {
    // Those who are in would fill the server until their time is up, and the next try fail for it.
    disconnect();
    return tl::unexpected(std::move(joined.error()));
  }
  joined_ms_ = client::now_ms();
  return Joined{
      .members = tokens_.size(), .connections = driver.connections(), .has_own_sockets = !shares};
}

void ChatdTarget::queue(std::uint32_t member, std::string_view payload) {
  head_.clear();
  append_client_datagram(head_, rooms_[config_.population.room_of(member)], tokens_[member], "");
  sockets_->queue(member, head_, payload);
}

void ChatdTarget::receive(std::vector<Delivery>& out) {
  sockets_->receive([this, &out](std::uint32_t member, std::string_view datagram) {
    const std::string_view payload =
        datagram.substr(std::min(datagram.size(), kServerPrefix.size()));
    if (datagram.starts_with(kServerPrefix) && take_notice(payload)) return;
    // A datagram without the prefix is handed on as it is, and the ledger finds no message for it.
    out.push_back({member, datagram.starts_with(kServerPrefix) ? payload : datagram});
  });
}

// Whether it is one.
bool ChatdTarget::take_notice(std::string_view payload) {
  const Notice notice = notice_of(payload);
  if (notice == Notice::kTooFast) ++warnings_;
  if (notice == Notice::kUnknown && !leaves_) ++members_lost_;
  if (notice == Notice::kRemoved) ++(leaves_ ? members_told_ : members_lost_);
  return notice != Notice::kNone;
}

void ChatdTarget::discard() {
  bool is_empty = false;
  for (int i = 0; i < kMaxDiscardedBatches && !is_empty; ++i) {
    is_empty = true;
    sockets_->receive([this, &is_empty](std::uint32_t, std::string_view datagram) {
      is_empty = false;
      take_notice(datagram.substr(std::min(datagram.size(), kServerPrefix.size())));
    });
  }
}

// A member that says nothing for chatd's idle timeout (five minutes unless set) is removed. So each
// is heard once per interval, one after the other, those that are due by now. For the first quarter
// of an interval nobody is: until then the load is the one that was asked for, and nothing else.
void ChatdTarget::maintain() {
  const std::int64_t since_ms = client::now_ms() - joined_ms_ - config_.heartbeat_ms / 4;
  if (since_ms < 0) return;
  const std::uint64_t due = static_cast<std::uint64_t>(since_ms) * tokens_.size() /
                            static_cast<std::uint64_t>(config_.heartbeat_ms);
  for (const std::uint64_t end = std::min(due, beats_ + kMaxBeatsPerTurn); beats_ < end; ++beats_) {
    queue(static_cast<std::uint32_t>(beats_ % tokens_.size()), "");
  }
  flush();
}

std::optional<client::Address> ChatdTarget::server_udp_address() const {
  if (!tcp_) return std::nullopt;
  return tcp_->with_port(config_.udp_port);
}

// Whoever connects is greeted, so the first byte says that its loop turns: the kernel takes a
// connection for a process that hangs, too.
tl::expected<void, std::string> ChatdTarget::check_server() {
  if (!tcp_) return {};
  const std::int64_t deadline_ms = client::now_ms() + kCheckPatienceMs;
  const auto connected = client::connect_to_any({*tcp_}, deadline_ms, config_.interrupt_fd);
  if (!connected) {
    if (connected.error().kind == client::ErrorKind::kInterrupted) return {};
    return tl::unexpected("the server is gone: " + connected.error().reason);
  }
  const int fd = connected->socket.get();
  char byte = 0;
  const client::WaitResult waited = client::wait_for(fd, POLLIN, deadline_ms, config_.interrupt_fd);
  if (waited == client::WaitResult::kInterrupted) return {};
  if (waited == client::WaitResult::kReady && ::recv(fd, &byte, sizeof byte, 0) > 0) return {};
  return tl::unexpected("the server at " + tcp_->to_string() + " does not answer any more");
}

ClientErrors ChatdTarget::faults() const {
  return {.unsent = sockets_->unsent(), .receive_drops = sockets_->receive_drops()};
}

// With its creator a room ends, so one leaves for all; the others are told. As many rooms at a time
// as the server's receive buffer surely holds, and the next when those have been told: a hundred
// thousand leaves at once would mostly be dropped in front of it.
void ChatdTarget::disconnect() {
  if (!sockets_ || tokens_.empty()) return;
  leaves_ = true;
  const std::uint32_t rooms = config_.population.rooms;
  const std::uint64_t told_per_room = config_.population.members_per_room - 1;
  const std::int64_t deadline_ms = client::now_ms() + kLeavePatienceMs;
  std::int64_t stalled_ms = client::now_ms() + kGoodbyePatienceMs;
  std::uint64_t told_before = 0;
  std::uint32_t room = 0;
  for (;;) {
    const std::int64_t now_ms = client::now_ms();
    if (members_told_ != told_before) stalled_ms = now_ms + kGoodbyePatienceMs;
    told_before = members_told_;
    const bool has_stalled = now_ms > stalled_ms;  // goodbyes may be lost, too
    const bool is_done = room == rooms && (has_stalled || members_told_ >= rooms * told_per_room);
    if (is_done || now_ms > deadline_ms) return;
    const std::uint64_t allowed =
        (has_stalled ? room : members_told_ / told_per_room) + std::uint64_t{kLeavesUnderWay};
    for (; room < rooms && room < allowed; ++room) leave(room);
    if (has_stalled) stalled_ms = now_ms + kGoodbyePatienceMs;
    flush();
    pollfd waiting{.fd = poll_fd(), .events = POLLIN, .revents = 0};
    ::poll(&waiting, 1, 1);
    discard();
  }
}

void ChatdTarget::leave(std::uint32_t room) {
  const std::uint32_t creator = room * config_.population.members_per_room;
  if (tokens_[creator] == Token()) return;  // the room was never made
  queue(creator, leave_payload(member_name(creator)));
}

}  // namespace chatd::bench
