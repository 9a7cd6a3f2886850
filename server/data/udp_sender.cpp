#include "server/data/udp_sender.h"

#include <cerrno>

namespace chatd {
namespace {

Counter reason_of(int error) {
  switch (error) {
    case ECONNREFUSED:
      return Counter::kDroppedSendRefused;
    case EMSGSIZE:
      return Counter::kDroppedSendTooBig;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
      return Counter::kDroppedSendUnreachable;
    case ENOBUFS:
      return Counter::kDroppedSendNoBuffers;
    default:
      return Counter::kDroppedSendFailed;
  }
}

}  // namespace

UdpSender::UdpSender(int fd, int family, ErrorQueue& errors, Counters& counters)
    : fd_(fd), family_(family), errors_(errors), counters_(counters) {
  for (std::size_t i = 0; i < kBatch; ++i) {
    msghdr& header = headers_[i].msg_hdr;
    header.msg_name = &destinations_[i];
    header.msg_iov = &datagrams_[i];
    header.msg_iovlen = 1;
  }
}

bool UdpSender::send(const Outbox& out) {
  do {
    if (!flush_batch()) return false;
  } while (fill(out));
  return true;
}

void UdpSender::abandon(const Outbox& out) {
  do {
    while (first_ < end_) drop(Counter::kDroppedSendAtStop);
  } while (fill(out));
}

// The next entries of the outbox into the empty batch. False when there are none: then the next
// outbox is read from its beginning.
bool UdpSender::fill(const Outbox& out) {
  first_ = 0;
  end_ = 0;
  const auto fanouts = out.fanouts();
  while (next_fanout_ < fanouts.size() && end_ < kBatch) {
    const Outbox::Fanout& fanout = fanouts[next_fanout_];
    const auto destinations = out.destinations(fanout);
    for (; next_destination_ < destinations.size() && end_ < kBatch; ++next_destination_, ++end_) {
      headers_[end_].msg_hdr.msg_namelen =
          to_socket_address(destinations[next_destination_], family_, destinations_[end_]);
      // sendmmsg only reads it; iovec has no const form.
      datagrams_[end_] = {.iov_base = const_cast<char*>(fanout.datagram.data()),
                          .iov_len = fanout.datagram.size()};
      kinds_[end_] = fanout.kind;
    }
    if (next_destination_ < destinations.size()) break;  // the batch is full
    ++next_fanout_;
    next_destination_ = 0;
  }
  if (end_ > 0) return true;
  next_fanout_ = 0;
  next_destination_ = 0;
  return false;
}

// Sends until the batch is empty (true) or the socket is full (false). sendmmsg stops at the first
// entry that fails, so the entry at fault is always the first one of a call that returns -1.
bool UdpSender::flush_batch() {
  while (first_ < end_) {
    const int sent = ::sendmmsg(fd_, &headers_[first_], static_cast<unsigned>(end_ - first_),
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      count_sent(static_cast<std::size_t>(sent));
      continue;
    }
    const int error = errno;
    if (error == EAGAIN || error == EWOULDBLOCK) {
      counters_.add(Counter::kSendsPostponed);
      return false;
    }
    if (error == EINTR || is_others_error(error)) continue;
    drop(reason_of(error));
  }
  return true;
}

// Whether the failure may be a pending ICMP error, of any destination, rather than this entry's:
// then the same entry is sent again, a few times at most.
bool UdpSender::is_others_error(int error) {
  const bool may_be_icmp = error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH ||
                           error == EMSGSIZE || error == EACCES || error == EPROTO ||
                           error == EOPNOTSUPP;
  if (!may_be_icmp || retries_ == kMaxRetries) return false;
  ++retries_;
  return errors_.drain() > 0 || error == ECONNREFUSED;
}

void UdpSender::count_sent(std::size_t count) {
  for (const std::size_t end = first_ + count; first_ < end; ++first_) {
    if (kinds_[first_] == Outbox::Kind::kMessage) counters_.add(Counter::kDeliveriesSent);
    if (kinds_[first_] == Outbox::Kind::kNotice) counters_.add(Counter::kNoticesSent);
  }
  retries_ = 0;
}

void UdpSender::drop(Counter reason) {
  if (kinds_[first_] == Outbox::Kind::kMessage) counters_.add(reason);
  if (kinds_[first_] == Outbox::Kind::kNotice) counters_.add(Counter::kNoticesDropped);
  ++first_;
  retries_ = 0;
}

}  // namespace chatd
