// The new chatd of a hand-over, as the old one sees it: a process that it has started, and the line
// to it. Nothing is decided before commit(): a new process that fails or is given up is killed, and
// this chatd goes on. Thread: main.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "server/handover/handover_link.h"

namespace chatd {

class NewProcess {
 public:
  // Starts `program` with these arguments and this process's environment; it starts up while this
  // one serves. An error is a sentence.
  static tl::expected<NewProcess, std::string> start(const std::string& program,
                                                     const char* const* arguments);
  NewProcess(NewProcess&& other) noexcept;
  NewProcess& operator=(NewProcess&&) = delete;
  // Ends a process that has not taken over.
  ~NewProcess();

  pid_t pid() const { return pid_; }
  // Readable when it is ready, or has failed: then call take_ready().
  int fd() const { return link_.fd(); }
  // An error says why it cannot take over.
  tl::expected<void, std::string> take_ready();

  // Passes on state and descriptors. Without an error, the new process is ready to serve and waits
  // for commit().
  tl::expected<void, std::string> hand_over(std::string_view state,
                                            std::span<const int> descriptors);
  // From here on the new process serves, and this one must not. `commands` are those that are not
  // executed yet, as letters.
  tl::expected<void, std::string> commit(std::string_view commands);
  // After that: the service manager knows the new process.
  void confirm();
  // What this process has been told since.
  void pass_on(char command);

 private:
  NewProcess(pid_t pid, HandoverLink link) : pid_(pid), link_(std::move(link)) {}

  pid_t pid_;  // 0: not ours any more
  HandoverLink link_;
};

}  // namespace chatd
