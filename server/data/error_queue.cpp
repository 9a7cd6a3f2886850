#include "server/data/error_queue.h"

// linux/errqueue.h needs timespec and does not declare it.
#include <ctime>

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "server/os/socket_address.h"

namespace chatd {
namespace {

bool is_refusal(const sock_extended_err& error) {
  const bool is_icmp =
      error.ee_origin == SO_EE_ORIGIN_ICMP || error.ee_origin == SO_EE_ORIGIN_ICMP6;
  return is_icmp && error.ee_errno == ECONNREFUSED;
}

bool has_refusal(msghdr& message) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr;
       control = CMSG_NXTHDR(&message, control)) {
    const bool is_error =
        (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_RECVERR) ||
        (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_RECVERR);
    if (!is_error) continue;
    sock_extended_err error{};
    std::memcpy(&error, CMSG_DATA(control), sizeof error);
    if (is_refusal(error)) return true;
  }
  return false;
}

}  // namespace

bool may_be_pending(int error) {
  switch (error) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case EMSGSIZE:
    case EACCES:
    case EPROTO:
      return true;
    default:
      return false;
  }
}

// The arguments of one recvmmsg.
struct ErrorQueue::Batch {
  static constexpr std::size_t kCapacity = 32;
  // A sock_extended_err and the address of who complained, for either family.
  union Control {
    cmsghdr header;
    std::array<char, 256> bytes;
  };

  Batch() {
    for (std::size_t i = 0; i < kCapacity; ++i) {
      headers[i].msg_hdr.msg_name = &destinations[i];
      headers[i].msg_hdr.msg_control = &controls[i];
    }
  }
  void reset() {
    for (mmsghdr& header : headers) {
      header.msg_hdr.msg_namelen = sizeof(SocketAddress);
      header.msg_hdr.msg_controllen = sizeof(Control);
    }
  }

  std::array<SocketAddress, kCapacity> destinations{};
  std::array<Control, kCapacity> controls{};
  std::array<mmsghdr, kCapacity> headers{};
};

ErrorQueue::ErrorQueue(Io& io, int udp_fd, int family)
    : io_(io), udp_fd_(udp_fd), family_(family), batch_(std::make_unique<Batch>()) {
  refused_.reserve(kMaxRefused);
}

ErrorQueue::~ErrorQueue() = default;

std::size_t ErrorQueue::drain(TimeMs now_ms) {
  constexpr TokenRate kMaxRate{.units = kMaxPerS, .burst_ms = 100};
  const std::size_t count = take();
  if (count > 0 && is_listening_ && !heard_.take(now_ms, kMaxRate, count)) stop_listening(now_ms);
  return count;
}

void ErrorQueue::stop_listening(TimeMs now_ms) {
  if (!io_.hear_errors(udp_fd_, family_, false)) return;
  int pending_error = 0;
  socklen_t length = sizeof pending_error;
  io_.get_option(udp_fd_, SOL_SOCKET, SO_ERROR, &pending_error, length);
  is_listening_ = false;
  if (now_ms >= deaf_until_ms_ + kCalmMs) deaf_ms_ = kMinDeafMs;
  deaf_until_ms_ = now_ms + deaf_ms_;
  deaf_ms_ = std::min(2 * deaf_ms_, kMaxDeafMs);
  if (std::exchange(has_warned_, true)) return;
  spdlog::warn(
      "more than {} ICMP errors a second come in, as when somebody forges them: they are not "
      "listened to, for a second up to a minute at a time; meanwhile members whose port is closed "
      "leave only when they time out, and what a full device drops counts as sent. If it goes on, "
      "filter ICMP upstream. This is said only once",
      kMaxPerS);
}

void ErrorQueue::listen_again(TimeMs now_ms) {
  is_listening_ = io_.hear_errors(udp_fd_, family_, true);
  if (!is_listening_) deaf_until_ms_ = now_ms + deaf_ms_;
}

std::size_t ErrorQueue::take() {
  for (std::size_t drained = 0; drained < kMaxPerDrain;) {
    batch_->reset();
    const int count = io_.receive_batch(udp_fd_, batch_->headers, MSG_ERRQUEUE);
    if (count <= 0) return drained;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      if (refused_.size() == kMaxRefused || !has_refusal(batch_->headers[i].msg_hdr)) continue;
      refused_.push_back(to_endpoint(batch_->destinations[i]));
    }
    drained += static_cast<std::size_t>(count);
    if (static_cast<std::size_t>(count) < Batch::kCapacity) return drained;
  }
  return kMaxPerDrain;
}

std::optional<Endpoint> ErrorQueue::take_refused() {
  if (refused_.empty()) return std::nullopt;
  const Endpoint destination = refused_.back();
  refused_.pop_back();
  return destination;
}

}  // namespace chatd
