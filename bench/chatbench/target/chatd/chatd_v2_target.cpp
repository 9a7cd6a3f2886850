#include "bench/chatbench/target/chatd/chatd_v2_target.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "bench/chatbench/net/setup.h"
#include "bench/chatbench/workload/payload.h"
#include "client/lib/request.h"
#include "client/net/wait.h"
#include "core/crypto/packet_key.h"
#include "core/wire/v2/datagram.h"

namespace chatd::bench {
namespace {

// Members whose deadlines are looked at in one call of maintain().
constexpr std::uint32_t kDeadlinesPerTurn = 512;
// A v1 entry alone in its datagram may be longer than a bundle.
constexpr std::uint32_t kMaxReceivedBytes = 8192;
// Until creators have left, at most; and how long to wait for datagrams between deadlines.
constexpr std::int64_t kLeaveMs = 2'000;
constexpr int kLeaveTurnMs = 1;

}  // namespace

ChatdV2Target::ChatdV2Target(TargetConfig config)
    : config_(std::move(config)),
      room_stem_("bench-" + std::to_string(::getpid()) + "-" + std::to_string(client::now_ms()) +
                 "-") {}

tl::expected<Joined, std::string> ChatdV2Target::connect() {
  if (config_.max_payload_bytes > v2::kMaxSayBytes) {
    return tl::unexpected("protocol v2 takes messages of at most " +
                          std::to_string(v2::kMaxSayBytes) + " bytes: give a smaller --size");
  }
  auto context = client::TlsContext::make();
  if (!context) return tl::unexpected(context.error().reason);
  tls_ = std::move(*context);
  const auto found = find_tcp_server(
      config_.host, config_.tcp_port,
      {.timeout_ms = config_.timeout_ms, .interrupt_fd = config_.interrupt_fd}, "chatd with TLS");
  if (!found) return tl::unexpected(found.error());
  tcp_ = *found;
  if (auto opened = open_sockets(); !opened) return tl::unexpected(opened.error());
  const std::uint32_t count = config_.population.members();
  members_.resize(count);
  std::optional<client::TlsConnection> connection;
  for (std::uint32_t member = 0; member < count; ++member) {
    if (is_readable(config_.interrupt_fd))
      return tl::unexpected<std::string>("interrupted while members joined");
    // A connection speaks for the members of one address.
    if (!connection || member % sockets_->members_per_address() == 0) {
      auto called = call(member, config_.timeout_ms);
      if (!called) return tl::unexpected(called.error());
      connection = std::move(*called);
    }
    auto entry = join(*connection, member);
    if (!entry) return tl::unexpected(entry.error());
    members_[member].session = std::make_unique<client::LogSession>(
        *entry->session, client::LogSessionOptions{.wants_history = false},
        static_cast<TimeMs>(client::now_ms()));
    mark(member);
    flush();
    std::vector<Delivery> ignored;
    receive(ignored);
    config_.on_progress(member + 1);
  }
  return Joined{.members = count, .connections = connections_};
}

tl::expected<void, std::string> ChatdV2Target::open_sockets() {
  udp_ = tcp_->with_port(config_.udp_port);
  if (!MemberSockets::can_share(*tcp_)) {
    return tl::unexpected<std::string>("chatd-v2 needs a server on IPv4 loopback (127.0.0.0/8)");
  }
  const std::uint32_t shared =
      config_.sockets != 0 ? config_.sockets : config_.joins_per_connection;
  auto sockets = MemberSockets::open(*udp_, {.members = config_.population.members(),
                                             .sockets = shared,
                                             .first_address = config_.first_address,
                                             .own = false,
                                             .gro = config_.gro,
                                             .gso = config_.gso,
                                             .max_datagram_bytes = kMaxReceivedBytes,
                                             .receive_buffer_bytes = config_.receive_buffer_bytes});
  if (!sockets) return tl::unexpected(std::move(sockets.error()));
  sockets_ = std::move(*sockets);
  return {};
}

// From the member's own address, which the server then knows for proven.
tl::expected<client::TlsConnection, std::string> ChatdV2Target::call(std::uint32_t member,
                                                                     std::int64_t timeout_ms) {
  UniqueFd socket(::socket(tcp_->family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return tl::unexpected("socket: " + client::system_reason(errno));
  const client::Address source = *sockets_->source_of(member);
  if (::bind(socket.get(), source.get(), source.size_bytes()) != 0 ||
      ::connect(socket.get(), tcp_->get(), tcp_->size_bytes()) != 0) {
    return tl::unexpected("cannot reach " + tcp_->to_string() + ": " +
                          client::system_reason(errno));
  }
  ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
  ++connections_;
  auto connection =
      client::TlsConnection::open(*tls_, std::move(socket), *tcp_, config_.host,
                                  client::now_ms() + timeout_ms, config_.interrupt_fd);
  if (!connection) return tl::unexpected(connection.error().reason);
  return std::move(*connection);
}

tl::expected<client::Entry, std::string> ChatdV2Target::join(client::TlsConnection& connection,
                                                             std::uint32_t member) {
  const std::uint32_t room = config_.population.room_of(member);
  const bool is_creator = member % config_.population.members_per_room == 0;
  const client::EntryRequest request{
      .operation = is_creator ? Operation::kCreate : Operation::kJoin,
      .room = room_stem_ + std::to_string(room),
      .username = member_name(member),
      .protocol = 2,
      .knows_aes = fastest_cipher() == Cipher::kAes256Gcm};
  const auto answer =
      connection.exchange(client::encode_entry_request(request), client::kMaxSessionAnswerBytes,
                          config_.timeout_ms, config_.interrupt_fd);
  if (!answer) return tl::unexpected(answer.error().reason);
  auto entry = client::parse_entry_answer(*answer);
  if (!entry) {
    return tl::unexpected("the server does not let " + request.username +
                          " in: " + entry.error().reason);
  }
  if (!entry->session) return tl::unexpected<std::string>("the server does not speak protocol 2");
  return std::move(*entry);
}

void ChatdV2Target::mark(std::uint32_t member) {
  if (std::exchange(members_[member].is_dirty, true)) return;
  dirty_.push_back(member);
}

void ChatdV2Target::queue(std::uint32_t member, std::string_view payload) {
  members_[member].session->say(static_cast<TimeMs>(client::now_ms()), payload);
  mark(member);
}

void ChatdV2Target::flush() {
  for (const std::uint32_t member : dirty_) send_from(member);
  dirty_.clear();
  sockets_->flush();
}

void ChatdV2Target::send_from(std::uint32_t member) {
  members_[member].is_dirty = false;
  const auto now_ms = static_cast<TimeMs>(client::now_ms());
  while (const auto datagram = members_[member].session->next_datagram(now_ms)) {
    sockets_->queue(member, *datagram, "");
  }
}

void ChatdV2Target::receive(std::vector<Delivery>& out) {
  texts_.clear();
  const std::size_t before = out.size();
  const auto now_ms = static_cast<TimeMs>(client::now_ms());
  sockets_->receive([&](std::uint32_t member, std::string_view datagram) {
    client::LogSession* const session = members_[member].session.get();
    if (session == nullptr || !session->on_datagram(now_ms, datagram)) return;
    take_events(member, out);
    mark(member);
  });
  // The texts have moved as they became more.
  for (std::size_t i = before; i < out.size(); ++i) out[i].payload = texts_[i - before];
  flush();
}

void ChatdV2Target::take_events(std::uint32_t member, std::vector<Delivery>& out) {
  using EventKind = client::LogEvent::Kind;
  while (auto event = members_[member].session->next_event()) {
    switch (event->kind) {
      case EventKind::kSaid:
        if (event->id != 0) break;  // its own
        texts_.push_back(std::move(event->text));
        out.push_back({.member = member, .payload = {}});
        break;
      case EventKind::kRefused:
        ++warnings_;
        break;
      case EventKind::kClosed:
      case EventKind::kUnknown:
        ++members_lost_;
        break;
      default:
        break;
    }
  }
}

std::optional<client::Address> ChatdV2Target::server_udp_address() const {
  return udp_;
}

// The kernel takes a connection for a process that hangs, too, but it does not shake hands.
tl::expected<void, std::string> ChatdV2Target::check_server() {
  if (!sockets_) return {};
  const auto called = call(0, kCheckPatienceMs);
  if (called || is_readable(config_.interrupt_fd)) return {};
  return tl::unexpected("the server does not answer any more: " + called.error());
}

// A few members' deadlines a turn, so that all of them have theirs some times a second.
void ChatdV2Target::maintain() {
  const auto now_ms = static_cast<TimeMs>(client::now_ms());
  const auto count = static_cast<std::uint32_t>(members_.size());
  for (std::uint32_t i = 0; i < std::min(count, kDeadlinesPerTurn); ++i) {
    const std::uint32_t member = next_deadline_++ % count;
    client::LogSession* const session = members_[member].session.get();
    const auto deadline = session == nullptr ? std::nullopt : session->next_deadline();
    if (!deadline || *deadline > now_ms) continue;
    session->on_deadline(now_ms);
    mark(member);
  }
  flush();
}

ClientErrors ChatdV2Target::faults() const {
  return {.unsent = sockets_->unsent(), .receive_drops = sockets_->receive_drops()};
}

std::optional<RepairCounts> ChatdV2Target::repairs() const {
  RepairCounts all;
  for (const Member& member : members_) {
    if (member.session == nullptr) continue;
    const client::LogSessionStats& stats = member.session->stats();
    all.said_again += stats.said_again;
    all.repairs_asked += stats.repairs_asked;
    all.entries_repeated += stats.entries_repeated;
    all.entries_lost += stats.entries_lost;
  }
  return all;
}

// With its creator a room ends. What creators have said and is still under way is settled first.
void ChatdV2Target::disconnect() {
  if (!sockets_) return;
  std::deque<std::uint32_t> leaving;
  for (std::uint32_t room = 0; room < config_.population.rooms; ++room) {
    const std::uint32_t creator = room * config_.population.members_per_room;
    if (members_[creator].session == nullptr) continue;
    members_[creator].session->leave();
    mark(creator);
    leaving.push_back(creator);
  }
  flush();
  const std::int64_t end_ms = client::now_ms() + kLeaveMs;
  std::vector<Delivery> ignored;
  while (!leaving.empty() && client::now_ms() < end_ms) {
    ignored.clear();
    receive(ignored);
    maintain();
    std::erase_if(leaving, [this](std::uint32_t i) { return members_[i].session->is_over(); });
    pollfd readable{.fd = poll_fd(), .events = POLLIN, .revents = 0};
    if (ignored.empty()) ::poll(&readable, 1, kLeaveTurnMs);
  }
}

}  // namespace chatd::bench
