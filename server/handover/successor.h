// The new chatd of a hand-over, as the old one sees it: a process that it has started, and the line
// to it. Nothing is decided before let_go(): a successor that fails or is given up is killed, and
// this chatd goes on. Thread: main.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "server/handover/handover_link.h"

namespace chatd {

class Successor {
 public:
  // Starts `program` with these arguments and this process's environment; it starts up while this
  // one serves. An error is a sentence.
  static tl::expected<Successor, std::string> start(const std::string& program,
                                                    const char* const* arguments);
  Successor(Successor&& other) noexcept;
  Successor& operator=(Successor&&) = delete;
  // Ends a successor that has not taken over.
  ~Successor();

  pid_t pid() const { return pid_; }
  // Readable when it is ready, or has failed: then call take_ready().
  int fd() const { return link_.fd(); }
  // An error says why it cannot take over.
  tl::expected<void, std::string> take_ready();

  // Passes on state and descriptors. Without an error, the successor is ready to serve and waits
  // for let_go().
  tl::expected<void, std::string> hand_over(std::string_view state,
                                            std::span<const int> descriptors);
  // Commits: from here on the successor serves, and this process must not. `commands` are those
  // that are not executed yet, as letters.
  tl::expected<void, std::string> let_go(std::string_view commands);

 private:
  Successor(pid_t pid, HandoverLink link) : pid_(pid), link_(std::move(link)) {}

  pid_t pid_;  // 0: not ours any more
  HandoverLink link_;
};

}  // namespace chatd
