// How members with protocol v2 come in and leave, and whether their server is there.
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <utility>

#include "bench/chatbench/net/setup.h"
#include "bench/chatbench/target/chatd/chatd_v2_target.h"
#include "bench/chatbench/target/chatd/notice.h"
#include "bench/chatbench/workload/payload.h"
#include "client/lib/request.h"
#include "client/net/wait.h"
#include "core/crypto/packet_key.h"
#include "core/wire/v2/frames.h"

namespace chatd::bench {
namespace {

// The largest bundle has 8,952.
constexpr std::uint32_t kMaxReceivedBytes = 9216;
// Until creators have left, at most; and how long to wait for datagrams between deadlines.
constexpr std::int64_t kLeaveMs = 2'000;
constexpr int kV2TurnMs = 1;
// Of members who show themselves for the first time.
constexpr std::uint32_t kFirstDatagramsPerTurn = 64;
// And of those who do not know yet what has happened: each has as many entries to read as have come
// after it, and more of them at a time would overflow our receive buffers, and ask again for all.
constexpr std::uint32_t kMaxCatchingUp = 256;

}  // namespace

tl::expected<Joined, std::string> ChatdV2Target::connect() {
  if (config_.max_payload_bytes > v2::kMaxSayBytes) {
    return tl::unexpected("protocol v2 takes messages of at most " +
                          std::to_string(v2::kMaxSayBytes) + " bytes: give a smaller --size");
  }
  if (rooms_ == Rooms::kMixed && config_.population.senders_per_room != 1) {
    return tl::unexpected<std::string>(
        "in a mixed room the first member alone speaks: give --senders 1");
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
  members_.resize(config_.population.members());
  if (auto joined = join_all(); !joined) {
    // Those who are in would fill the server until their time is up, and the next try fail for it.
    disconnect();
    return tl::unexpected(std::move(joined.error()));
  }
  return Joined{
      .members = members_.size(), .connections = connections_, .has_own_sockets = has_own_sockets_};
}

tl::expected<void, std::string> ChatdV2Target::join_all() {
  const auto count = static_cast<std::uint32_t>(members_.size());
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
    if (speaks_v1(member)) {
      members_[member].token = entry->token;
      members_[member].beat_at_ms = static_cast<TimeMs>(client::now_ms() + config_.heartbeat_ms);
    } else {
      members_[member].session = std::make_unique<client::LogSession>(
          *entry->session, client::LogSessionOptions{.wants_history = false},
          static_cast<TimeMs>(client::now_ms()));
    }
    config_.on_progress(member + 1);
  }
  return hear_of_joins();
}

// Until the server knows a member's address it sends it nothing, and so what has happened by then
// comes in one go. If members were heard as they join, each join would be a datagram to all who are
// in: half a million in a room of 1,000, which chatbench would still be reading when the
// measurement begins.
tl::expected<void, std::string> ChatdV2Target::hear_of_joins() {
  const std::uint32_t count = config_.population.members();
  std::vector<std::uint64_t> newest(config_.population.rooms);  // that a member knows as it joins
  for (std::uint32_t member = 0; member < count; ++member) {
    const client::LogSession* const session = members_[member].session.get();
    if (session != nullptr) newest[config_.population.room_of(member)] = session->complete();
  }
  std::uint32_t marked = 0;    // members that have been told to show themselves
  std::uint32_t settled = 0;   // members that know what has happened
  std::uint64_t complete = 0;  // up to which the first of the others knows it
  const auto may_be_marked = [&] { return std::min(count, settled + kMaxCatchingUp); };
  std::int64_t progress_ms = client::now_ms();
  while (settled < count || is_readable(poll_fd())) {
    for (std::uint32_t i = 0; i < kFirstDatagramsPerTurn && marked < may_be_marked();
         ++i, ++marked) {
      if (members_[marked].session != nullptr) mark(marked);
    }
    flush();
    std::vector<Delivery> ignored;
    receive(ignored);
    maintain();
    const std::uint32_t before = settled;
    const std::uint64_t complete_before = std::exchange(complete, 0);
    for (; settled < marked; ++settled) {
      const client::LogSession* const session = members_[settled].session.get();
      const std::uint64_t wanted = newest[config_.population.room_of(settled)];
      complete = session != nullptr ? session->complete() : wanted;
      if (complete < wanted) break;
    }
    if (settled > before || complete > complete_before) progress_ms = client::now_ms();
    if (client::now_ms() - progress_ms > config_.timeout_ms) {
      return tl::unexpected("chatd has not told member " + std::to_string(settled + 1) +
                            " who has" + " joined since, for " +
                            std::to_string(config_.timeout_ms) + " ms");
    }
    if (is_readable(config_.interrupt_fd)) {
      return tl::unexpected<std::string>("interrupted while members joined");
    }
    pollfd readable{.fd = poll_fd(), .events = POLLIN, .revents = 0};
    if (marked >= may_be_marked()) ::poll(&readable, 1, kV2TurnMs);
  }
  return {};
}

tl::expected<void, std::string> ChatdV2Target::open_sockets() {
  udp_ = tcp_->with_port(config_.udp_port);
  // They share sockets only on IPv4 loopback (member_sockets.h).
  has_own_sockets_ = config_.one_socket_per_client || !MemberSockets::can_share(*tcp_);
  const std::uint32_t shared =
      config_.sockets != 0 ? config_.sockets : config_.joins_per_connection;
  auto sockets = MemberSockets::open(*udp_, {.members = config_.population.members(),
                                             .sockets = shared,
                                             .first_address = config_.first_address,
                                             .own = has_own_sockets_,
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
  const auto source = sockets_->source_of(member);
  if ((source && ::bind(socket.get(), source->get(), source->size_bytes()) != 0) ||
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
  const bool is_v1 = speaks_v1(member);
  const bool is_creator = member % config_.population.members_per_room == 0;
  const client::EntryRequest request{
      .operation = is_creator ? Operation::kCreate : Operation::kJoin,
      .room = room_name(member),
      .username = member_name(member),
      .udp_port = is_v1 ? sockets_->port_of(member) : std::uint16_t{0},
      .protocol = is_v1 ? 1 : 2,
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
  if (!is_v1 && !entry->session)
    return tl::unexpected<std::string>("the server does not speak protocol 2");
  return std::move(*entry);
}

// The kernel takes a connection for a process that hangs, too, but it does not shake hands.
tl::expected<void, std::string> ChatdV2Target::check_server() {
  if (!sockets_) return {};
  const auto called = call(0, kCheckPatienceMs);
  if (called || is_readable(config_.interrupt_fd)) return {};
  return tl::unexpected("the server does not answer any more: " + called.error());
}

// Before that there is no room, and who might have made it cannot end it.
bool ChatdV2Target::is_in(std::uint32_t member) const {
  return members_[member].session != nullptr || members_[member].beat_at_ms != 0;
}

// As a member with v2 knows: the creator, or the one behind it. If that one has not come in, nobody
// does.
bool ChatdV2Target::has_ended(std::uint32_t room) const {
  const std::uint32_t creator = room * config_.population.members_per_room;
  const Member& witness = members_[speaks_v1(creator) ? creator + 1 : creator];
  return witness.session == nullptr || witness.session->is_over();
}

// With its creator a room ends. What creators have said and is still under way is settled first.
void ChatdV2Target::disconnect() {
  if (!sockets_) return;
  std::deque<std::uint32_t> ending;
  for (std::uint32_t room = 0; room < config_.population.rooms; ++room) {
    const std::uint32_t creator = room * config_.population.members_per_room;
    if (!is_in(creator)) continue;
    if (speaks_v1(creator)) {
      queue_v1(creator, leave_payload(member_name(creator)));
    } else if (!members_[creator].session->is_over()) {
      members_[creator].session->leave();
      mark(creator);
    }
    if (!has_ended(room)) ending.push_back(room);
  }
  flush();
  const std::int64_t end_ms = client::now_ms() + kLeaveMs;
  std::vector<Delivery> ignored;
  while (!ending.empty() && client::now_ms() < end_ms) {
    ignored.clear();
    receive(ignored);
    maintain();
    std::erase_if(ending, [this](std::uint32_t room) { return has_ended(room); });
    pollfd readable{.fd = poll_fd(), .events = POLLIN, .revents = 0};
    if (ignored.empty()) ::poll(&readable, 1, kV2TurnMs);
  }
}

}  // namespace chatd::bench
