#include "server/lifecycle/keeper.h"

#include <fcntl.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <thread>
#include <utility>
#include <vector>

#include "server/os/processors.h"
#include "server/os/system_error.h"
#include "server/os/wait.h"

namespace chatd {
namespace {

struct End {
  pid_t pid;
  int status;
};

constexpr int kEndedBySignal = 128;
constexpr std::chrono::milliseconds kRetry{100};

// Blocks SIGCHLD: the kernel keeps it, also while nobody looks.
tl::expected<UniqueFd, std::string> watch_children() {
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &children, nullptr); error != 0) {
    return tl::unexpected(system_error("pthread_sigmask", error));
  }
  UniqueFd fd(::signalfd(-1, &children, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) return tl::unexpected(system_error("signalfd"));
  return fd;
}

}  // namespace

std::string KeeperLine::take_commands() {
  auto message = link_.receive(0);
  if (message && message->type == MessageType::kCommand) return std::move(message->text);
  if (!link_.has_ended()) return {};
  spdlog::info("the process that was started first has ended, and the service ends with it");
  link_ = HandoverLink(UniqueFd());
  return {letter_of(Command::kStop)};
}

void KeeperLine::announce(pid_t serving) {
  // If it is gone, the line says so.
  (void)link_.send(MessageType::kServes, std::to_string(serving));
}

tl::expected<std::pair<Keeper, KeeperLine>, std::string> Keeper::open(const Signals& signals) {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    return tl::unexpected(system_error("prctl PR_SET_CHILD_SUBREAPER"));
  }
  auto children = watch_children();
  if (!children) return tl::unexpected(children.error());
  auto ends = HandoverLink::open_pair();
  if (!ends) return tl::unexpected(ends.error());
  // It goes by the hand-over, and to no other program.
  if (::fcntl(ends->second.get(), F_SETFD, FD_CLOEXEC) != 0) {
    return tl::unexpected(system_error("fcntl"));
  }
  return std::pair(Keeper(signals, std::move(ends->first), std::move(*children)),
                   KeeperLine(std::move(ends->second)));
}

int Keeper::run(pid_t serving) {
  serving_ = serving;
  name_thread("chatd-keeper");
  look_at_children();  // one may have ended before they were watched
  while (!has_line_ended_ || !end_of_serving_) {
    const int line_fd = has_line_ended_ ? kNoDescriptor : line_.fd();
    const auto readable = wait_readable({signals_.fd(), line_fd, children_.get()});
    if (readable == 0u) pass_on(signals_.take());
    if (readable == 1u) hear();
    if (readable == 2u) look_at_children();
  }
  if (WIFEXITED(*end_of_serving_)) return WEXITSTATUS(*end_of_serving_);
  spdlog::critical("process {}, which served, was ended by signal {}", serving_,
                   WTERMSIG(*end_of_serving_));
  return kEndedBySignal + WTERMSIG(*end_of_serving_);
}

void Keeper::pass_on(Command command) {
  const char letter = letter_of(command);
  for (bool has_said_so = false; !has_line_ended_;) {
    const auto sent = line_.send(MessageType::kCommand, {&letter, 1});
    if (sent || line_.has_ended()) return;
    if (!std::exchange(has_said_so, true)) {
      spdlog::error("process {}, which serves, cannot be told what to do: {}; it is tried again",
                    serving_, sent.error());
    }
    std::this_thread::sleep_for(kRetry);
  }
}

void Keeper::hear() {
  const auto packet = line_.receive(0);
  has_line_ended_ = has_line_ended_ || line_.has_ended();
  if (!packet || packet->type != MessageType::kServes) return;
  pid_t pid = 0;
  std::from_chars(packet->text.data(), packet->text.data() + packet->text.size(), pid);
  if (pid <= 0 || pid == serving_) return;
  serving_ = pid;
  end_of_serving_.reset();
}

// As many may have ended at once as there are: signals of one kind are not counted. Who serves has
// been announced by the process before it, whose child it was until that ended.
void Keeper::look_at_children() {
  signalfd_siginfo signal{};
  while (::read(children_.get(), &signal, sizeof signal) > 0) {
  }
  std::vector<End> ended;
  for (End end{}; (end.pid = ::waitpid(-1, &end.status, WNOHANG)) > 0;) ended.push_back(end);
  while (!has_line_ended_ && wait_readable({line_.fd()}, 0)) hear();
  for (const End& end : ended) {
    if (end.pid == serving_) end_of_serving_ = end.status;
  }
}

}  // namespace chatd
