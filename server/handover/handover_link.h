// The line between a chatd and the one that is to take its place: a pair of Unix sockets that keeps
// packets apart (SOCK_SEQPACKET, unix(7)) and carries descriptors (SCM_RIGHTS). The dialogue, in
// full:
//
//   new: ready      it has started, and its configuration is sound; until then the old chatd serves
//                   as ever
//   old: state      with a file in memory that holds the state; the old chatd has stopped reading,
//                   and has sent all that waited
//   old: sockets    with descriptors, in as many packets as it takes
//   new: restored   it could go on; or «failed» with the reason
//   old: go         from here on the new chatd serves, and the old one does not; the text is what
//                   it has been told and has not done yet (server/lifecycle/command.h)
//   old: serves     the service manager knows the new process by now
//   old: command    what it has been told since, by signal
//
// Who hears the end of the line knows that the other one is gone. The old chatd then goes on
// serving, and so does a new one that could: when it has said «restored», the old one ends the line
// only by its own end (a new process that it gives up, it kills). Thread: one at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "server/os/unique_fd.h"

namespace chatd {

enum class MessageType : char {
  kReady = 'r',
  kState = 's',
  kSockets = 'f',
  kRestored = 'd',
  kFailed = 'x',
  kGo = 'g',
  // Also between whoever serves and the process that was started first (server/lifecycle/keeper.h).
  kCommand = 'c',  // with its letters
  kServes = 'p',   // with the process id
};

struct HandoverMessage {
  MessageType type;
  std::string text;
  std::vector<UniqueFd> descriptors = {};
};

class HandoverLink {
 public:
  // How many descriptors the kernel takes in one packet (SCM_MAX_FD in net/scm.h).
  static constexpr std::size_t kMaxDescriptors = 253;

  explicit HandoverLink(UniqueFd fd) : fd_(std::move(fd)) {}

  // Two ends; the second one stays open when a program is started.
  static tl::expected<std::pair<HandoverLink, UniqueFd>, std::string> open_pair();

  // Readable when there is a packet, or the other end is gone.
  int fd() const { return fd_.get(); }

  // Errors say what happened, without saying who we are.
  tl::expected<void, std::string> send(MessageType type, std::string_view text = {},
                                       std::span<const int> descriptors = {});
  // Waits for the next packet for so long (-1: for ever).
  tl::expected<HandoverMessage, std::string> receive(int timeout_ms);
  // Whether the last call has found the other end gone.
  bool has_ended() const { return has_ended_; }
  // The same for one that is expected now; any other word is an error, and «failed» is its text.
  tl::expected<HandoverMessage, std::string> expect(MessageType type, int timeout_ms);

 private:
  // Whether the kernel says that the other end is closed. The error of a call is not enough: it may
  // pass, and who takes it for the end of the old process serves beside it.
  bool is_hung_up() const;

  UniqueFd fd_;
  bool has_ended_ = false;
};

}  // namespace chatd
