#include "bench/chatbench/net/member_sockets.h"

#include <arpa/inet.h>
#include <linux/sock_diag.h>
#include <netinet/udp.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "client/net/udp_socket.h"
#include "client/net/wait.h"

namespace chatd::bench {
namespace {

constexpr std::uint32_t kLastAddress = 0x7fff'fffe;
constexpr std::uint32_t kOwnSocketsPerAddress = 16'384;  // of some 28,000 ports (ip(7))
constexpr std::size_t kQueue = 256;
constexpr std::size_t kSlots = 256;
constexpr std::size_t kTrainSlots = 32;
// Of a train that is sent: 64 messages of 128 bytes with room, token and header, or fewer larger
// ones. A segment must fit any usual path: what is larger goes alone, and may be cut up on its way.
constexpr std::size_t kSentTrainBytes = 16'384;
constexpr std::size_t kSentTrainSegments = 64;  // UDP_MAX_SEGMENTS before Linux 6.9
constexpr std::size_t kMaxSegmentBytes = 1'400;
constexpr int kMaxEvents = 256;

tl::unexpected<std::string> failed(const std::string& what) {
  const int error = errno;
  std::string text = what + ": " + client::system_reason(error);
  if (error == EMFILE || error == ENFILE) text += " (raise it with ulimit -n)";
  return tl::unexpected(std::move(text));
}

void set_option(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

// What the kernel gave.
std::uint64_t set_receive_buffer(int fd, std::uint64_t bytes) {
  // The kernel doubles what it is asked for (socket(7)), and half is ours.
  const int wanted = static_cast<int>(std::min<std::uint64_t>(bytes, 1u << 30));
  // The forced form passes net.core.rmem_max and needs CAP_NET_ADMIN.
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) != 0) {
    set_option(fd, SOL_SOCKET, SO_RCVBUF, wanted);
  }
  int given = 0;
  socklen_t size = sizeof given;
  ::getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &given, &size);
  return static_cast<std::uint64_t>(given) / 2;
}

client::Address v4_address(in_addr ip, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr = ip;
  address.sin_port = htons(port);
  return {reinterpret_cast<const sockaddr*>(&address), sizeof address};
}

// Behind those that are there.
template <class Value>
void append_control(msghdr& header, int level, int type, const Value& value) {
  auto* const control =
      reinterpret_cast<cmsghdr*>(static_cast<char*>(header.msg_control) + header.msg_controllen);
  control->cmsg_level = level;
  control->cmsg_type = type;
  control->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(control), &value, sizeof value);
  header.msg_controllen += CMSG_SPACE(sizeof value);
}

std::uint16_t local_port(int fd) {
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size);
  return client::Address(reinterpret_cast<const sockaddr*>(&local), size).port();
}

}  // namespace

bool MemberSockets::can_share(const client::Address& server) {
  if (server.family() != AF_INET) return false;
  const auto* const v4 = reinterpret_cast<const sockaddr_in*>(server.get());
  return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
}

tl::expected<std::unique_ptr<MemberSockets>, std::string> MemberSockets::open(
    const client::Address& server, const MemberSocketsConfig& config) {
  std::unique_ptr<MemberSockets> opened(new MemberSockets(server, config));
  if (auto done = opened->open_all(); !done) return tl::unexpected(std::move(done.error()));
  return opened;
}

MemberSockets::MemberSockets(const client::Address& server, const MemberSocketsConfig& config)
    : server_(server), config_(config), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  config_.sockets = std::clamp(config_.sockets, 1u, std::max(1u, config_.members));
  members_per_address_ = !config_.own        ? config_.sockets
                         : can_share(server) ? kOwnSocketsPerAddress
                                             : config_.members;
}

tl::expected<void, std::string> MemberSockets::open_all() {
  if (!epoll_) return failed("cannot make an epoll instance");
  const std::uint64_t addresses =
      (std::uint64_t{config_.members} + members_per_address_ - 1) / members_per_address_;
  if (can_share(server_) && config_.first_address + addresses > kLastAddress + std::uint64_t{1}) {
    return tl::unexpected("127.0.0.0/8 has no " + std::to_string(addresses) +
                          " addresses from --first-address on: let more members share one, with "
                          "--sockets");
  }
  const std::uint32_t count = config_.own ? config_.members : config_.sockets;
  sockets_.reserve(count);
  ports_.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    auto socket = open_one(i);
    if (!socket) return tl::unexpected(std::move(socket.error()));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = i;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket->get(), &event) != 0) {
      return failed("cannot watch a UDP socket");
    }
    ports_.push_back(local_port(socket->get()));
    sockets_.push_back(std::move(*socket));
  }
  set_up_queue();
  set_up_slots();
  return {};
}

tl::expected<UniqueFd, std::string> MemberSockets::open_one(std::uint32_t index) {
  UniqueFd socket(::socket(server_.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) {
    return failed("cannot open UDP socket " + std::to_string(index + 1));
  }
  receive_buffer_bytes_ = set_receive_buffer(socket.get(), config_.receive_buffer_bytes);
  if (config_.gro) gro_ = client::enable_udp_gro(socket.get());
  if (!config_.own) set_option(socket.get(), IPPROTO_IP, IP_PKTINFO, 1);
  if (auto bound = bind(socket.get(), index); !bound) {
    return tl::unexpected(std::move(bound.error()));
  }
  return socket;
}

tl::expected<void, std::string> MemberSockets::bind(int fd, std::uint32_t index) {
  if (can_share(server_)) {
    const in_addr any{};
    const client::Address local = v4_address(config_.own ? address_of(index) : any, 0);
    if (::bind(fd, local.get(), local.size_bytes()) != 0) {
      return failed("cannot bind a UDP socket to " + local.ip());
    }
  }
  if (!config_.own) return {};
  if (::connect(fd, server_.get(), server_.size_bytes()) != 0) {
    std::string what =
        "cannot connect UDP socket " + std::to_string(index + 1) + " to " + server_.to_string();
    if (errno == EAGAIN) {
      what +=
          " (no port is left: widen them with sysctl -w "
          "net.ipv4.ip_local_port_range='1024 65535', or simulate fewer members)";
    }
    return failed(what);
  }
  return {};
}

void MemberSockets::set_up_queue() {
  const std::size_t bytes =
      std::max<std::size_t>(config_.max_datagram_bytes, config_.gso ? kSentTrainBytes : 0);
  queue_bytes_.resize(kQueue * bytes);
  queue_pieces_.resize(kQueue);
  queue_controls_.resize(kQueue);
  queue_.resize(kQueue);
  queue_trains_.resize(kQueue);
  for (std::size_t i = 0; i < kQueue; ++i) {
    queue_pieces_[i].iov_base = &queue_bytes_[i * bytes];
    msghdr& header = queue_[i].msg_hdr;
    header.msg_iov = &queue_pieces_[i];
    header.msg_iovlen = 1;
    header.msg_control = queue_controls_[i].bytes;
    if (config_.own) continue;  // connected
    header.msg_name = const_cast<sockaddr*>(server_.get());
    header.msg_namelen = server_.size_bytes();
  }
}

void MemberSockets::set_up_slots() {
  const std::size_t count = gro_ ? kTrainSlots : kSlots;
  slot_bytes_ =
      gro_ ? client::kMaxTrainBytes : std::max<std::size_t>(2048, config_.max_datagram_bytes);
  slot_memory_.resize(count * slot_bytes_);
  slot_pieces_.resize(count);
  slot_controls_.resize(count);
  slot_sources_.resize(count);
  slots_.resize(count);
  arrivals_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    slot_pieces_[i] = {&slot_memory_[i * slot_bytes_], slot_bytes_};
    slots_[i].msg_hdr.msg_iov = &slot_pieces_[i];
    slots_[i].msg_hdr.msg_iovlen = 1;
    slots_[i].msg_hdr.msg_name = &slot_sources_[i];
    slots_[i].msg_hdr.msg_control = slot_controls_[i].bytes;
  }
}

in_addr MemberSockets::address_of(std::uint32_t member) const {
  return {htonl(config_.first_address + member / members_per_address_)};
}

std::optional<client::Address> MemberSockets::source_of(std::uint32_t member) const {
  if (!can_share(server_)) return std::nullopt;
  return v4_address(address_of(member), 0);
}

std::uint16_t MemberSockets::port_of(std::uint32_t member) const {
  return ports_[socket_of(member)];
}

// --- Sending -------------------------------------------------------------------------------------

void MemberSockets::queue(std::uint32_t member, std::string_view head, std::string_view tail) {
  if (config_.gso && end_ > first_ && queue_trains_[end_ - 1].member == member &&
      append_to_train(head, tail)) {
    return;
  }
  if (end_ == kQueue) flush();
  if (end_ == kQueue) {  // and the kernel takes nothing: waiting is not ours
    ++unsent_;
    return;
  }
  iovec& piece = queue_pieces_[end_];
  char* const bytes = static_cast<char*>(piece.iov_base);
  std::memcpy(bytes, head.data(), head.size());
  if (!tail.empty()) std::memcpy(bytes + head.size(), tail.data(), tail.size());
  piece.iov_len = head.size() + tail.size();
  queue_trains_[end_] = {.member = member, .count = 1, .segment_bytes = piece.iov_len};
  msghdr& header = queue_[end_].msg_hdr;
  header.msg_controllen = 0;
  if (!config_.own) {
    in_pktinfo from{};
    from.ipi_spec_dst = address_of(member);
    append_control(header, IPPROTO_IP, IP_PKTINFO, from);
  }
  ++end_;
}

// Whether it fits behind what the member has just said.
bool MemberSockets::append_to_train(std::string_view head, std::string_view tail) {
  Train& train = queue_trains_[end_ - 1];
  iovec& piece = queue_pieces_[end_ - 1];
  const std::size_t size = head.size() + tail.size();
  const bool is_closed = piece.iov_len < train.count * train.segment_bytes;  // by a shorter one
  if (is_closed || size > train.segment_bytes || train.segment_bytes > kMaxSegmentBytes ||
      train.count == kSentTrainSegments || piece.iov_len + size > kSentTrainBytes) {
    return false;
  }
  char* const bytes = static_cast<char*>(piece.iov_base) + piece.iov_len;
  std::memcpy(bytes, head.data(), head.size());
  if (!tail.empty()) std::memcpy(bytes + head.size(), tail.data(), tail.size());
  piece.iov_len += size;
  if (++train.count == 2) {
    append_control(queue_[end_ - 1].msg_hdr, IPPROTO_UDP, UDP_SEGMENT,
                   static_cast<std::uint16_t>(train.segment_bytes));
  }
  return true;
}

void MemberSockets::flush() {
  while (first_ < end_) {
    const std::uint32_t socket = socket_of(queue_trains_[first_].member);
    std::size_t run_end = first_ + 1;
    while (run_end < end_ && socket_of(queue_trains_[run_end].member) == socket) ++run_end;
    const std::size_t sent = send_run(first_, run_end);
    first_ += sent;
    if (sent == 0) {
      if (!is_blocked_) watch_for_room(socket, true);
      return;
    }
  }
  if (is_blocked_) watch_for_room(blocked_socket_, false);
  first_ = 0;
  end_ = 0;
}

// How many entries are dealt with: sent, or refused for good and counted. None: the socket is full.
std::size_t MemberSockets::send_run(std::size_t first, std::size_t end) {
  const int fd = sockets_[socket_of(queue_trains_[first].member)].get();
  for (int attempt = 0;; ++attempt) {
    const int sent = ::sendmmsg(fd, &queue_[first], static_cast<unsigned>(end - first),
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) return static_cast<std::size_t>(sent);
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == ENOBUFS) return 0;
    // A refusal is of an earlier datagram, and reading it has cleared it.
    if (errno == ECONNREFUSED && attempt == 0) continue;
    unsent_ += queue_trains_[first].count;
    return 1;
  }
}

void MemberSockets::watch_for_room(std::uint32_t socket, bool watch) {
  is_blocked_ = watch;
  blocked_socket_ = socket;
  epoll_event event{};
  event.events = watch ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u32 = socket;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, sockets_[socket].get(), &event);
}

// --- Receiving -----------------------------------------------------------------------------------

std::size_t MemberSockets::receive_batch() {
  if (is_blocked_) flush();
  used_slots_ = 0;
  arrival_count_ = 0;
  if (sockets_.size() == 1) {
    receive_from(0);
    return arrival_count_;
  }
  // Those that were not reached the last time come first, so that none waits for ever.
  if (readable_.empty()) {
    std::array<epoll_event, kMaxEvents> events;
    const int count = ::epoll_wait(epoll_.get(), events.data(), kMaxEvents, 0);
    for (int i = count - 1; i >= 0; --i) {
      readable_.push_back(events[static_cast<std::size_t>(i)].data.u32);
    }
  }
  while (!readable_.empty() && used_slots_ < slots_.size()) {
    const std::uint32_t socket = readable_.back();
    readable_.pop_back();
    receive_from(socket);
  }
  return arrival_count_;
}

// One recvmmsg into the slots that are left.
void MemberSockets::receive_from(std::uint32_t socket) {
  for (std::size_t i = used_slots_; i < slots_.size(); ++i) {
    slots_[i].msg_hdr.msg_namelen = sizeof(sockaddr_storage);
    slots_[i].msg_hdr.msg_controllen = sizeof(Control);
  }
  const int count =
      ::recvmmsg(sockets_[socket].get(), &slots_[used_slots_],
                 static_cast<unsigned>(slots_.size() - used_slots_), MSG_DONTWAIT, nullptr);
  if (count <= 0) return;
  const std::size_t end = used_slots_ + static_cast<std::size_t>(count);
  for (; used_slots_ < end; ++used_slots_) {
    if (take(used_slots_, socket, arrivals_[arrival_count_])) ++arrival_count_;
  }
}

// Whether the slot holds a datagram from the server, for a member.
bool MemberSockets::take(std::size_t slot, std::uint32_t socket, Arrival& arrival) {
  msghdr& header = slots_[slot].msg_hdr;
  arrival.bytes = {static_cast<const char*>(slot_pieces_[slot].iov_base), slots_[slot].msg_len};
  const std::size_t segment_bytes = client::segment_bytes_of(header);
  arrival.segment_bytes = segment_bytes != 0 ? segment_bytes : arrival.bytes.size();
  arrival.member = socket;
  std::uint32_t address = 0;
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
       control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
      in_pktinfo to{};
      std::memcpy(&to, CMSG_DATA(control), sizeof to);
      address = ntohl(to.ipi_addr.s_addr);
    }
  }
  if (config_.own) return true;
  const auto& from = reinterpret_cast<const sockaddr_in&>(slot_sources_[slot]);
  const auto& server = *reinterpret_cast<const sockaddr_in*>(server_.get());
  const std::uint64_t member =
      std::uint64_t{address - config_.first_address} * config_.sockets + socket;
  const bool is_ours = from.sin_port == server.sin_port &&
                       from.sin_addr.s_addr == server.sin_addr.s_addr &&
                       address >= config_.first_address && member < config_.members;
  if (!is_ours) ++strangers_;
  arrival.member = static_cast<std::uint32_t>(member);
  return is_ours;
}

std::uint64_t MemberSockets::receive_drops() const {
  std::uint64_t drops = 0;
  for (const UniqueFd& socket : sockets_) {
    std::array<std::uint32_t, SK_MEMINFO_VARS> figures{};
    socklen_t size = sizeof figures;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_MEMINFO, figures.data(), &size) == 0) {
      drops += figures[SK_MEMINFO_DROPS];
    }
  }
  return drops;
}

}  // namespace chatd::bench
