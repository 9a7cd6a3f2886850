// The chatd that is to take the place of this one, as this one sees it: a process that it has
// started, and the line to it. Until hand_over() has returned without an error nothing is decided:
// a successor that fails or is given up is killed, and this chatd goes on. Thread: the main one.
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
  // Starts `program` with these arguments and our environment; it starts up while we serve. An
  // error is a sentence.
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

  // Gives it all; when this returns without an error, it can go on at a word.
  tl::expected<void, std::string> hand_over(std::string_view state,
                                            std::span<const int> descriptors);
  // The word, and what is still to be done, as letters of commands. From here on it serves, and we
  // must not.
  tl::expected<void, std::string> let_go(std::string_view commands);

 private:
  Successor(pid_t pid, HandoverLink link) : pid_(pid), link_(std::move(link)) {}

  pid_t pid_;  // 0: not ours any more
  HandoverLink link_;
};

}  // namespace chatd
