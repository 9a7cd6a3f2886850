#include "tests/integration/client/train_sender.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace chatd::test {

void TrainSender::send_train(const SocketAddress& to, std::string_view bytes,
                             std::size_t segment_bytes) {
  const auto size = static_cast<std::uint16_t>(segment_bytes);
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof size)> control{};
  iovec piece{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
  msghdr header{};
  header.msg_name = const_cast<sockaddr*>(to.get());
  header.msg_namelen = to.size();
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  cmsghdr* const segments = CMSG_FIRSTHDR(&header);
  segments->cmsg_level = IPPROTO_UDP;
  segments->cmsg_type = UDP_SEGMENT;
  segments->cmsg_len = CMSG_LEN(sizeof size);
  std::memcpy(CMSG_DATA(segments), &size, sizeof size);
  EXPECT_EQ(::sendmsg(peer_.fd(), &header, 0), static_cast<ssize_t>(bytes.size()));
}

std::vector<std::string> numbered_pieces(std::size_t count, std::size_t bytes) {
  std::vector<std::string> pieces;
  for (std::size_t i = 0; i < count; ++i) {
    std::string piece = std::to_string(i) + ":";
    piece.resize(bytes, static_cast<char>('a' + i % 26));
    pieces.push_back(piece);
  }
  return pieces;
}

std::string join(const std::vector<std::string>& pieces) {
  std::string all;
  for (const std::string& piece : pieces) all += piece;
  return all;
}

}  // namespace chatd::test
