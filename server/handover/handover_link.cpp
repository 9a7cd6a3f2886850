#include "server/handover/handover_link.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "server/os/system_error.h"
#include "server/os/wait.h"

namespace chatd {
namespace {

constexpr char kEnded[] = "it has ended; what it wrote itself says why";

using Fault = tl::unexpected<std::string>;

// A reason, or the name of a word and a little more.
constexpr std::size_t kMaxTextBytes = 4096;
constexpr int kSendTimeoutMs = 5000;

union ControlSpace {
  std::array<char, CMSG_SPACE(sizeof(int) * HandoverLink::kMaxDescriptors)> bytes;
  cmsghdr aligned;
};

void put_descriptors(std::span<const int> descriptors, ControlSpace& space, msghdr& message) {
  if (descriptors.empty()) return;
  message.msg_control = space.bytes.data();
  message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (header == nullptr) return;  // there is room; the compiler cannot know
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
}

std::vector<UniqueFd> take_descriptors(msghdr& message) {
  std::vector<UniqueFd> descriptors;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
      descriptors.emplace_back(fd);
    }
  }
  return descriptors;
}

}  // namespace

tl::expected<std::pair<HandoverLink, UniqueFd>, std::string> HandoverLink::open_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return Fault(system_error("socketpair"));
  }
  HandoverLink ours{UniqueFd(ends[0])};
  UniqueFd theirs(ends[1]);
  if (::fcntl(theirs.get(), F_SETFD, 0) != 0) return Fault(system_error("fcntl"));
  // Who does not read must not hold us up for ever.
  const timeval patience{.tv_sec = kSendTimeoutMs / 1000, .tv_usec = kSendTimeoutMs % 1000 * 1000};
  if (::setsockopt(ours.fd(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0) {
    return Fault(system_error("setsockopt SO_SNDTIMEO"));
  }
  return std::pair(std::move(ours), std::move(theirs));
}

tl::expected<void, std::string> HandoverLink::send(MessageType type, std::string_view text,
                                                   std::span<const int> descriptors) {
  std::string packet(1, static_cast<char>(type));
  packet += text.substr(0, kMaxTextBytes - 1);
  iovec bytes{.iov_base = packet.data(), .iov_len = packet.size()};
  ControlSpace space{};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  put_descriptors(descriptors, space, message);
  while (::sendmsg(fd_.get(), &message, MSG_NOSIGNAL) < 0) {
    if (errno == EINTR) continue;
    const int error = errno;
    has_ended_ = is_hung_up();
    if (has_ended_) return Fault(kEnded);
    if (error == EAGAIN) return Fault("it does not take what it is given");
    return Fault(system_error("sendmsg", error));
  }
  return {};
}

tl::expected<HandoverMessage, std::string> HandoverLink::receive(int timeout_ms) {
  if (!wait_readable({fd_.get()}, timeout_ms) && timeout_ms >= 0) {
    return Fault("it says nothing for " + std::to_string(timeout_ms) + " ms");
  }
  std::array<char, kMaxTextBytes> text{};
  iovec bytes{.iov_base = text.data(), .iov_len = text.size()};
  ControlSpace space{};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = space.bytes.data();
  message.msg_controllen = space.bytes.size();
  ssize_t size_bytes = 0;
  do {
    size_bytes = ::recvmsg(fd_.get(), &message, MSG_CMSG_CLOEXEC);
  } while (size_bytes < 0 && errno == EINTR);
  const int error = errno;
  has_ended_ = size_bytes == 0 || (size_bytes < 0 && is_hung_up());
  if (has_ended_) return Fault(kEnded);
  if (size_bytes < 0) return Fault(system_error("recvmsg", error));
  HandoverMessage packet{.type = static_cast<MessageType>(text[0]),
                         .text = {text.data() + 1, static_cast<std::size_t>(size_bytes) - 1},
                         .descriptors = take_descriptors(message)};
  if ((message.msg_flags & MSG_CTRUNC) != 0) {
    return Fault(
        "not every descriptor could be taken over: raise the limit of open files (nofile)");
  }
  return packet;
}

tl::expected<HandoverMessage, std::string> HandoverLink::expect(MessageType type, int timeout_ms) {
  auto packet = receive(timeout_ms);
  if (!packet || packet->type == type) return packet;
  if (packet->type == MessageType::kFailed) return Fault(packet->text);
  return Fault("it does not keep to the protocol of a hand-over");
}

bool HandoverLink::is_hung_up() const {
  pollfd line{.fd = fd_.get(), .events = 0, .revents = 0};
  return ::poll(&line, 1, 0) == 1 && (line.revents & POLLHUP) != 0;
}

}  // namespace chatd
