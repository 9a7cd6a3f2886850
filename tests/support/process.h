// A child process with its standard streams in the test's hands: on pipes, or on a pseudo-terminal.
//
// The child dies with the test (PR_SET_PDEATHSIG) and at the latest in the destructor, so that a
// failing test leaves nothing behind. What the child writes is read whenever the test waits for
// something here; a pipe holds up to 1 MiB meanwhile.
// Thread: start and use it from the main thread (PR_SET_PDEATHSIG follows the thread that forked).
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/os/unique_fd.h"
#include "tests/support/deadline.h"

namespace chatd::test {

struct ProcessOptions {
  // Added to the test's own environment.
  std::vector<std::pair<std::string, std::string>> environment = {};
  // RLIMIT_NOFILE of the child, soft and hard.
  std::optional<std::pair<std::uint64_t, std::uint64_t>> max_open_files = {};
  // The child's from 3 on, in this order, passed as a service manager does (sd_listen_fds(3)).
  std::vector<int> passed_sockets = {};
  // Ignored when the child starts, as nohup(1) does it. Those that end a program are not,
  // otherwise, whatever has started the tests.
  std::vector<int> ignored_signals = {};
  // The three streams are one pseudo-terminal: everything it shows arrives as kStdout.
  bool on_terminal = false;
};

struct ExitStatus {
  int code = -1;   // -1: ended by a signal
  int signal = 0;  // 0: ended by itself
};

enum class Stream : std::uint8_t { kStdout, kStderr };

class Process {
 public:
  // argv[0] is the program's path. Ends the test when it cannot be started.
  explicit Process(std::vector<std::string> argv, const ProcessOptions& options = {});
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;
  ~Process();

  pid_t pid() const { return pid_; }

  // False when the child no longer reads, or the deadline passed.
  bool write_stdin(std::string_view bytes, Deadline deadline = kPatience);
  void close_stdin();

  // The first line, from the beginning of what the stream ever carried, with `text` in it. On a
  // terminal a prompt has no line end: there use wait_for_text.
  std::optional<std::string> wait_for_line(Stream stream, std::string_view text,
                                           Deadline deadline = kPatience);
  std::optional<std::string> wait_for_line(Stream stream, const std::regex& pattern,
                                           Deadline deadline = kPatience);
  // Waits until `text` stands anywhere in what the stream carried.
  bool wait_for_text(Stream stream, std::string_view text, Deadline deadline = kPatience);
  // The next line that this call has not returned yet; nothing at the end of the stream.
  std::optional<std::string> read_line(Stream stream, Deadline deadline = kPatience);

  // Everything the stream carried so far, as far as it has been read (see `pump`).
  const std::string& captured(Stream stream) const { return capture(stream).text; }
  // Reads what is there without waiting.
  void pump() { pump_until(Deadline(Deadline::Clock::duration::zero())); }

  // To the child alone. Does nothing after its end.
  void kill(int signal);
  // The child has put another process in its place, which it has started, and is to end: waits
  // until it has, and from here on that one is the child. False: it did not end, or not well.
  bool follow(pid_t successor, Deadline deadline = kPatience);
  // Nothing when it still runs at the deadline. The captures are complete afterwards.
  std::optional<ExitStatus> wait_exit(Deadline deadline = kPatience);
  bool running();

 private:
  struct Capture {
    UniqueFd fd;
    std::string text;
    std::size_t lines_read_bytes = 0;  // what read_line has returned
    bool ended = false;
  };

  const Capture& capture(Stream stream) const {
    return captures_[static_cast<std::size_t>(stream)];
  }
  Capture& capture(Stream stream) { return captures_[static_cast<std::size_t>(stream)]; }

  void watch(pid_t pid);
  void start(std::vector<std::string>& argv, const ProcessOptions& options);
  // Waits for output, the child's end or, unless it is -1, a `wanted_fd` that can be written, until
  // the deadline; false when the deadline passed.
  bool pump_until(Deadline deadline, int wanted_fd = -1);
  static void drain(Capture& capture);
  void reap_if_ended();
  template <typename Matches>
  std::optional<std::string> wait_for_line_if(Stream stream, Matches matches, Deadline deadline);

  pid_t pid_ = -1;
  UniqueFd pid_fd_;  // readable once the child has ended
  UniqueFd stdin_;
  std::array<Capture, 2> captures_;
  std::optional<ExitStatus> exit_status_;
};

}  // namespace chatd::test
