#include "server/handover/new_process.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <utility>
#include <vector>

#include "server/handover/old_process.h"
#include "server/os/system_error.h"

namespace chatd {
namespace {

using Fault = tl::unexpected<std::string>;

// Members wait meanwhile, and their messages in the receive buffer. Restoring a million members
// takes a second or two.
constexpr int kRestoreTimeoutMs = 10'000;

// The service manager's, for the process that it has started.
constexpr std::array<std::string_view, 4> kOfThisProcess{"WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS",
                                                         "LISTEN_FDNAMES"};

// Ours, but for what is meant for this process alone.
std::vector<std::string> environment_for(int link_fd) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    if (std::ranges::none_of(kOfThisProcess, [text](std::string_view name) {
          return text.starts_with(name) && text.substr(name.size()).starts_with('=');
        })) {
      variables.emplace_back(text);
    }
  }
  variables.push_back(std::string(kHandoverVariable) + "=" + std::to_string(link_fd));
  return variables;
}

// What was written is read by whoever gets the descriptor, from the beginning.
tl::expected<UniqueFd, std::string> file_in_memory(std::string_view bytes) {
  UniqueFd file(::memfd_create("chatd-state", MFD_CLOEXEC));
  if (!file) return Fault(system_error("memfd_create"));
  for (std::size_t written = 0; written < bytes.size();) {
    const ssize_t count = ::pwrite(file.get(), bytes.data() + written, bytes.size() - written,
                                   static_cast<off_t>(written));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Fault(system_error("pwrite"));
    written += static_cast<std::size_t>(count);
  }
  return file;
}

}  // namespace

tl::expected<NewProcess, std::string> NewProcess::start(const std::string& program,
                                                        const char* const* arguments) {
  auto ends = HandoverLink::open_pair();
  if (!ends) return Fault(ends.error());
  std::vector<std::string> variables = environment_for(ends->second.get());
  std::vector<char*> environment;
  environment.reserve(variables.size() + 1);
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  pid_t pid = 0;
  // posix_spawn takes arguments that it does not change as if it did.
  const int error = ::posix_spawn(&pid, program.c_str(), nullptr, nullptr,
                                  const_cast<char* const*>(arguments), environment.data());
  if (error != 0) return Fault(system_error("cannot start " + program, error));
  return NewProcess(pid, std::move(ends->first));
}

NewProcess::NewProcess(NewProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), link_(std::move(other.link_)) {}

NewProcess::~NewProcess() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

tl::expected<void, std::string> NewProcess::take_ready() {
  const auto packet = link_.expect(MessageType::kReady, 0);
  if (!packet) return Fault(packet.error());
  return {};
}

tl::expected<void, std::string> NewProcess::hand_over(std::string_view state,
                                                      std::span<const int> descriptors) {
  const auto file = file_in_memory(state);
  if (!file) return Fault(file.error());
  const int state_fd = file->get();
  if (auto sent = link_.send(MessageType::kState, {}, {&state_fd, 1}); !sent) return sent;
  while (!descriptors.empty()) {
    const std::size_t count = std::min(descriptors.size(), HandoverLink::kMaxDescriptors);
    auto sent = link_.send(MessageType::kSockets, {}, descriptors.first(count));
    if (!sent) return sent;
    descriptors = descriptors.subspan(count);
  }
  const auto restored = link_.expect(MessageType::kRestored, kRestoreTimeoutMs);
  if (!restored) return Fault(restored.error());
  return {};
}

tl::expected<void, std::string> NewProcess::commit(std::string_view commands) {
  auto sent = link_.send(MessageType::kGo, commands);
  if (sent) pid_ = 0;
  return sent;
}

// If it is gone, nobody serves who could be told anything.
void NewProcess::confirm() {
  (void)link_.send(MessageType::kServes);
}

void NewProcess::pass_on(char command) {
  (void)link_.send(MessageType::kCommand, {&command, 1});
}

}  // namespace chatd
