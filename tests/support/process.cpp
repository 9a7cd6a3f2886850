#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>

#include "tests/support/die.h"

extern char** environ;

namespace chatd::test {
namespace {

constexpr int kPipeBytes = 1 << 20;

// The three ends that the child gets, and those that the test keeps.
struct Streams {
  UniqueFd child_stdin, child_stdout, child_stderr;
  UniqueFd test_stdin, test_stdout, test_stderr;
};

void open_pipe(UniqueFd& read_end, UniqueFd& write_end) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) die("pipe2");
  // Only a comfort: without it the child would block after 64 KiB while nobody reads.
  ::fcntl(ends[1], F_SETPIPE_SZ, kPipeBytes);
  read_end = UniqueFd(ends[0]);
  write_end = UniqueFd(ends[1]);
}

UniqueFd duplicate(const UniqueFd& fd) {
  UniqueFd copy(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
  if (!copy) die("dup");
  return copy;
}

void set_non_blocking(const UniqueFd& fd) {
  if (!fd) return;
  if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) die("fcntl");
}

Streams open_streams(bool on_terminal) {
  Streams streams;
  if (on_terminal) {
    int master = -1;
    int slave = -1;
    const winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
    if (::openpty(&master, &slave, nullptr, nullptr, &size) != 0) die("openpty");
    ::fcntl(master, F_SETFD, FD_CLOEXEC);
    ::fcntl(slave, F_SETFD, FD_CLOEXEC);
    streams.test_stdout = UniqueFd(master);
    streams.test_stdin = duplicate(streams.test_stdout);
    streams.child_stdin = UniqueFd(slave);
    streams.child_stdout = duplicate(streams.child_stdin);
    streams.child_stderr = duplicate(streams.child_stdin);
  } else {
    open_pipe(streams.child_stdin, streams.test_stdin);
    open_pipe(streams.test_stdout, streams.child_stdout);
    open_pipe(streams.test_stderr, streams.child_stderr);
  }
  set_non_blocking(streams.test_stdin);
  set_non_blocking(streams.test_stdout);
  set_non_blocking(streams.test_stderr);
  return streams;
}

std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& added) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    bool replaced = false;
    for (const auto& [name, value] : added) replaced |= text.starts_with(name + "=");
    if (!replaced) entries.emplace_back(text);
  }
  for (const auto& [name, value] : added) entries.push_back(name + "=" + value);
  return entries;
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// What a service manager passes, and how it says so (sd_listen_fds(3)).
class PassedSockets {
 public:
  explicit PassedSockets(const std::vector<int>& sockets) {
    const int beyond = kFirst + static_cast<int>(sockets.size());
    for (const int fd : sockets) {
      copies_.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, beyond));
      if (!copies_.back()) die("dup");
    }
  }

  void announce(std::vector<std::string>& environment) const {
    if (copies_.empty()) return;
    environment.push_back("LISTEN_FDS=" + std::to_string(copies_.size()));
    environment.emplace_back(std::string(kPid) + std::string(kMaxDigits, ' '));
  }

  // In the child, which alone knows its number. Copies made by dup2 stay open in the program.
  void pass(char* const* environment) const {
    if (copies_.empty()) return;
    for (std::size_t i = 0; i < copies_.size(); ++i) {
      ::dup2(copies_[i].get(), kFirst + static_cast<int>(i));
    }
    for (char* const* entry = environment; *entry != nullptr; ++entry) {
      if (!std::string_view(*entry).starts_with(kPid)) continue;
      char* const number = *entry + kPid.size();
      *std::to_chars(number, number + kMaxDigits, ::getpid()).ptr = '\0';
    }
  }

 private:
  static constexpr int kFirst = 3;
  static constexpr std::size_t kMaxDigits = 10;
  static constexpr std::string_view kPid = "LISTEN_PID=";

  std::vector<UniqueFd> copies_;  // out of the way of where they have to go
};

// Between fork and exec: nothing but system calls.
[[noreturn]] void become(char* const* argv, char* const* environment, const Streams& streams,
                         const PassedSockets& sockets, const ProcessOptions& options,
                         pid_t test_pid) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != test_pid) ::_exit(127);  // the test ended before the call above
  for (const int signal : {SIGPIPE, SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2}) {
    ::signal(signal, SIG_DFL);
  }
  for (const int signal : options.ignored_signals) ::signal(signal, SIG_IGN);
  if (options.on_terminal) {
    ::setsid();
    ::ioctl(streams.child_stdin.get(), TIOCSCTTY, 0);
  }
  ::dup2(streams.child_stdin.get(), STDIN_FILENO);
  ::dup2(streams.child_stdout.get(), STDOUT_FILENO);
  ::dup2(streams.child_stderr.get(), STDERR_FILENO);
  sockets.pass(environment);
  if (options.max_open_files) {
    const rlimit limit{.rlim_cur = options.max_open_files->first,
                       .rlim_max = options.max_open_files->second};
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::_exit(127);
  }
  ::execve(argv[0], argv, environment);
  ::_exit(127);
}

ExitStatus to_exit_status(int wait_status) {
  if (WIFEXITED(wait_status)) return {.code = WEXITSTATUS(wait_status), .signal = 0};
  return {.code = -1, .signal = WTERMSIG(wait_status)};
}

}  // namespace

Process::Process(std::vector<std::string> argv, const ProcessOptions& options) {
  start(argv, options);
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pid_fd_(std::move(other.pid_fd_)),
      stdin_(std::move(other.stdin_)),
      captures_(std::move(other.captures_)),
      exit_status_(other.exit_status_) {}

Process::~Process() {
  if (pid_ < 0 || exit_status_) return;
  kill(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Process::start(std::vector<std::string>& argv, const ProcessOptions& options) {
  ::signal(SIGPIPE, SIG_IGN);  // a child that no longer reads is a result, not the test's end
  Streams streams = open_streams(options.on_terminal);
  std::vector<std::string> environment = environment_with(options.environment);
  const PassedSockets sockets(options.passed_sockets);
  sockets.announce(environment);
  const std::vector<char*> argv_pointers = pointers_to(argv);
  const std::vector<char*> environment_pointers = pointers_to(environment);
  const pid_t test_pid = ::getpid();
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // whom the child leaves behind is ours: see follow()
  const pid_t pid = ::fork();
  if (pid < 0) die("fork");
  if (pid == 0) {
    become(argv_pointers.data(), environment_pointers.data(), streams, sockets, options, test_pid);
  }
  watch(pid);
  stdin_ = std::move(streams.test_stdin);
  capture(Stream::kStdout).fd = std::move(streams.test_stdout);
  capture(Stream::kStderr).fd = std::move(streams.test_stderr);
  capture(Stream::kStderr).ended = options.on_terminal;
}

void Process::watch(pid_t pid) {
  pid_ = pid;
  pid_fd_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pid_fd_) die("pidfd_open");
  exit_status_.reset();
}

bool Process::follow(pid_t successor, Deadline deadline) {
  const auto status = wait_exit(deadline);
  if (!status) return false;
  watch(successor);
  return status->code == 0;
}

bool Process::write_stdin(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(stdin_.get(), bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      // What the child writes is read meanwhile: it may not read on before that.
      if (exit_status_ || deadline.passed()) return false;
      pump_until(deadline, stdin_.get());
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

void Process::close_stdin() {
  stdin_.reset();
}

void Process::drain(Capture& capture) {
  std::array<char, 65536> bytes;
  while (!capture.ended) {
    const ssize_t count = ::read(capture.fd.get(), bytes.data(), bytes.size());
    if (count > 0) {
      capture.text.append(bytes.data(), static_cast<std::size_t>(count));
    } else if (count < 0 && errno == EAGAIN) {
      return;
    } else if (count == 0 || errno != EINTR) {  // EIO: the terminal's other end is closed
      capture.ended = true;
    }
  }
}

void Process::reap_if_ended() {
  int wait_status = 0;
  if (exit_status_ || ::waitpid(pid_, &wait_status, WNOHANG) != pid_) return;
  exit_status_ = to_exit_status(wait_status);
}

bool Process::pump_until(Deadline deadline, int wanted_fd) {
  std::array<pollfd, 4> waiting{};
  for (std::size_t i = 0; i < captures_.size(); ++i) {
    // poll skips negative descriptors.
    waiting[i] = {
        .fd = captures_[i].ended ? -1 : captures_[i].fd.get(), .events = POLLIN, .revents = 0};
  }
  waiting[2] = {.fd = exit_status_ ? -1 : pid_fd_.get(), .events = POLLIN, .revents = 0};
  waiting[3] = {.fd = wanted_fd, .events = POLLOUT, .revents = 0};
  const int ready = ::poll(waiting.data(), waiting.size(), deadline.remaining_ms());
  // The end is looked at before the output, so that all output of an ended child is read.
  reap_if_ended();
  for (Capture& each : captures_) drain(each);
  return ready != 0;
}

template <typename Matches>
std::optional<std::string> Process::wait_for_line_if(Stream stream, Matches matches,
                                                     Deadline deadline) {
  Capture& from = capture(stream);
  std::size_t line_start = 0;
  while (true) {
    for (std::size_t end = from.text.find('\n', line_start); end != std::string::npos;
         end = from.text.find('\n', line_start)) {
      std::string line = from.text.substr(line_start, end - line_start);
      line_start = end + 1;
      if (matches(line)) return line;
    }
    if (from.ended || deadline.passed()) return std::nullopt;
    pump_until(deadline);
  }
}

std::optional<std::string> Process::wait_for_line(Stream stream, std::string_view text,
                                                  Deadline deadline) {
  return wait_for_line_if(
      stream, [text](const std::string& line) { return line.find(text) != std::string::npos; },
      deadline);
}

std::optional<std::string> Process::wait_for_line(Stream stream, const std::regex& pattern,
                                                  Deadline deadline) {
  return wait_for_line_if(
      stream, [&pattern](const std::string& line) { return std::regex_search(line, pattern); },
      deadline);
}

bool Process::wait_for_text(Stream stream, std::string_view text, Deadline deadline) {
  Capture& from = capture(stream);
  while (from.text.find(text) == std::string::npos) {
    if (from.ended || deadline.passed()) return false;
    pump_until(deadline);
  }
  return true;
}

std::optional<std::string> Process::read_line(Stream stream, Deadline deadline) {
  Capture& from = capture(stream);
  while (true) {
    const std::size_t end = from.text.find('\n', from.lines_read_bytes);
    if (end != std::string::npos) {
      std::string line = from.text.substr(from.lines_read_bytes, end - from.lines_read_bytes);
      from.lines_read_bytes = end + 1;
      return line;
    }
    if (from.ended || deadline.passed()) return std::nullopt;
    pump_until(deadline);
  }
}

void Process::kill(int signal) {
  reap_if_ended();
  if (pid_ > 0 && !exit_status_) ::kill(pid_, signal);
}

std::optional<ExitStatus> Process::wait_exit(Deadline deadline) {
  while (!exit_status_ && !deadline.passed()) pump_until(deadline);
  if (exit_status_) pump();
  return exit_status_;
}

bool Process::running() {
  reap_if_ended();
  return !exit_status_;
}

}  // namespace chatd::test
