#include "bench/baselines/lower_bound/lower_bound_relay.h"

#include <netinet/udp.h>

#include <cstring>

namespace chatd::bench {
namespace {

std::uint64_t key_of(const sockaddr_in& address) {
  return std::uint64_t{address.sin_addr.s_addr} << 16 | address.sin_port;
}

}  // namespace

LowerBoundRelay::LowerBoundRelay(int fd)
    : fd_(fd),
      slots_(kSlots * kSlotBytes),
      slot_iovecs_(kSlots),
      sources_(kSlots),
      controls_(kSlots),
      received_(kSlots) {
  for (std::size_t i = 0; i < kSlots; ++i) {
    slot_iovecs_[i] = {.iov_base = &slots_[i * kSlotBytes], .iov_len = kSlotBytes};
    msghdr& header = received_[i].msg_hdr;
    header.msg_name = &sources_[i];
    header.msg_namelen = sizeof sources_[i];
    header.msg_iov = &slot_iovecs_[i];
    header.msg_iovlen = 1;
    header.msg_control = controls_[i].bytes.data();
    header.msg_controllen = controls_[i].bytes.size();
  }
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_UDP, UDP_GRO, &on, sizeof on);  // without it, they come one by one
  // Never to be fragmented, so the kernel need not think of an identification for each datagram
  // (__ip_select_ident): 5 % of what a single datagram costs.
  const int never = IP_PMTUDISC_DO;
  ::setsockopt(fd_, IPPROTO_IP, IP_MTU_DISCOVER, &never, sizeof never);
  messages_.reserve(kSlots * Train::kMaxSegments);
  // The headers point into it, so it must not grow: who sent n messages leaves at most n + 1
  // pieces.
  private_pieces_.reserve(2 * Train::kMaxSegments);
  auto* segment = reinterpret_cast<cmsghdr*>(control_.data());
  segment->cmsg_level = IPPROTO_UDP;
  segment->cmsg_type = UDP_SEGMENT;
  segment->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
}

void LowerBoundRelay::run() {
  for (;;) {
    const std::size_t count = receive();
    for (std::size_t i = 0; i < count; ++i) {
      cut_up(received_[i], sources_[i]);
    }
    for (const std::uint32_t room : busy_rooms_) relay(rooms_[room]);
    busy_rooms_.clear();
    messages_.clear();
  }
}

// Waits for one datagram and takes what else has arrived.
std::size_t LowerBoundRelay::receive() {
  const int count = ::recvmmsg(fd_, received_.data(), kSlots, MSG_WAITFORONE, nullptr);
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

// A sender's messages may come as a train, too.
void LowerBoundRelay::cut_up(mmsghdr& received, const sockaddr_in& source) {
  const auto* const bytes = static_cast<const char*>(received.msg_hdr.msg_iov->iov_base);
  std::string_view rest(bytes, received.msg_len);
  int segment_bytes = 0;
  if (received.msg_hdr.msg_controllen > 0) {  // UDP_GRO is all that was asked for
    const auto* const control = static_cast<const char*>(received.msg_hdr.msg_control);
    std::memcpy(&segment_bytes, control + CMSG_LEN(0), sizeof segment_bytes);
  }
  received.msg_hdr.msg_controllen = sizeof(Control);
  if (segment_bytes == 0) return sort_in(rest, source);
  const auto size = static_cast<std::size_t>(segment_bytes);
  for (; rest.size() > size; rest.remove_prefix(size)) sort_in(rest.substr(0, size), source);
  sort_in(rest, source);
}

void LowerBoundRelay::sort_in(std::string_view datagram, const sockaddr_in& source) {
  Prefix prefix;
  if (const auto name = parse_registration(datagram)) return register_member(*name, source);
  if (datagram.size() <= sizeof prefix || datagram.size() > kMaxBareDatagramBytes) return;
  std::memcpy(&prefix, datagram.data(), sizeof prefix);
  if (prefix.room >= rooms_.size()) return;
  Room& room = rooms_[prefix.room];
  if (prefix.member >= room.headers.size()) return;

  const std::size_t index = messages_.size();
  messages_.push_back({prefix.member, datagram.substr(sizeof prefix), kNone});
  if (room.first == kNone) {
    room.first = index;
    busy_rooms_.push_back(prefix.room);
  } else {
    messages_[room.last].next = index;
  }
  room.last = index;
}

void LowerBoundRelay::register_member(std::string_view name, const sockaddr_in& source) {
  const auto next_room = static_cast<std::uint32_t>(rooms_.size());
  const auto [named, is_new_room] = room_by_name_.try_emplace(std::string(name), next_room);
  if (is_new_room) rooms_.emplace_back();
  Room& room = rooms_[named->second];

  Prefix& prefix = prefix_by_source_[key_of(source)];
  const bool is_known = prefix.room == named->second && prefix.member < room.headers.size() &&
                        key_of(room.addresses[prefix.member]) == key_of(source);
  if (!is_known) {
    prefix.room = named->second;
    prefix.member = static_cast<std::uint32_t>(room.headers.size());
    mmsghdr header{};
    header.msg_hdr.msg_name = &room.addresses.emplace_back(source);
    header.msg_hdr.msg_namelen = sizeof source;
    header.msg_hdr.msg_iov = &whole_train_;
    header.msg_hdr.msg_iovlen = 1;
    header.msg_hdr.msg_control = control_.data();
    room.headers.push_back(header);
  }
  acknowledge(prefix, source);
}

void LowerBoundRelay::acknowledge(Prefix prefix, const sockaddr_in& source) const {
  const std::string text =
      acknowledgement_of({reinterpret_cast<const char*>(&prefix), sizeof prefix});
  ::sendto(fd_, text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&source),
           sizeof source);
}

void LowerBoundRelay::relay(Room& room) {
  for (std::size_t i = room.first; i != kNone; i = messages_[i].next) {
    const Message& message = messages_[i];
    if (train_.add(message.member, message.bytes)) continue;
    send_train(room);
    train_.add(message.member, message.bytes);
  }
  send_train(room);
  room.first = kNone;
}

// Everyone gets the whole train, but for those who sent some of it: their headers point to what is
// not theirs for the moment, and who sent all of it is left out.
void LowerBoundRelay::send_train(Room& room) {
  const auto segment_bytes = static_cast<std::uint16_t>(train_.segment_bytes());
  std::memcpy(control_.data() + CMSG_LEN(0), &segment_bytes, sizeof segment_bytes);
  whole_train_ = train_.all();
  // A train of one carries no control message.
  const auto control_bytes = [this](std::size_t count) { return count > 1 ? control_.size() : 0; };
  for (mmsghdr& header : room.headers) {
    header.msg_hdr.msg_controllen = control_bytes(train_.count());
  }

  const std::span<mmsghdr> headers(room.headers);
  const auto senders = train_.senders();
  std::size_t begin = 0;
  private_pieces_.clear();
  for (const Train::Sender sender : senders) {
    const std::size_t first_piece = private_pieces_.size();
    const std::size_t count = train_.without(sender, private_pieces_);
    if (count == 0) {
      send(headers.subspan(begin, sender - begin));
      begin = sender + 1;
      continue;
    }
    msghdr& header = headers[sender].msg_hdr;
    header.msg_iov = &private_pieces_[first_piece];
    header.msg_iovlen = private_pieces_.size() - first_piece;
    header.msg_controllen = control_bytes(count);
  }
  send(headers.subspan(begin));
  for (const Train::Sender sender : senders) {
    headers[sender].msg_hdr.msg_iov = &whole_train_;
    headers[sender].msg_hdr.msg_iovlen = 1;
  }
  train_.clear();
}

void LowerBoundRelay::send(std::span<mmsghdr> headers) const {
  while (!headers.empty()) {
    const int sent =
        ::sendmmsg(fd_, headers.data(), static_cast<unsigned>(headers.size()), MSG_NOSIGNAL);
    // What fails costs its own entry.
    headers = headers.subspan(sent > 0 ? static_cast<std::size_t>(sent) : 1);
  }
}

}  // namespace chatd::bench
