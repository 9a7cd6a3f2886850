#include "server/handover/old_process.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

#include "server/handover/state_codec.h"
#include "server/os/system_error.h"

namespace chatd {
namespace {

using Fault = tl::unexpected<std::string>;

// It settles what waits first, which a full socket may delay.
constexpr int kStateTimeoutMs = 30'000;
constexpr int kPacketTimeoutMs = 5'000;
constexpr int kEndTimeoutMs = 1'000;
constexpr int kHandedOverTimeoutMs = 1'000;
constexpr int kForEver = -1;
constexpr std::chrono::milliseconds kEndRetry{10};

// From the beginning, whatever its position is: the description is shared with who wrote it.
tl::expected<std::string, std::string> read_all(int fd) {
  std::string bytes;
  std::array<char, 64 * 1024> part{};
  for (;;) {
    const ssize_t count = ::pread(fd, part.data(), part.size(), static_cast<off_t>(bytes.size()));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Fault(system_error("pread"));
    if (count == 0) return bytes;
    bytes.append(part.data(), static_cast<std::size_t>(count));
  }
}

// What is not the server's comes last.
void take_extras(ImportedState& imported) {
  const auto take_last = [&imported] {
    UniqueFd last = std::move(imported.descriptors.back());
    imported.descriptors.pop_back();
    return last;
  };
  imported.descriptors.resize(imported.state.descriptor_count());  // a newer one may pass more
  if (imported.state.has_tls_listener) imported.tls_listener = take_last();
  if (imported.state.has_keeper) imported.keeper_line = take_last();
  if (!imported.state.admin.empty()) imported.admin_listener = take_last();
}

}  // namespace

tl::expected<std::optional<OldProcess>, std::string> OldProcess::find() {
  const char* const text = std::getenv(kHandoverVariable);
  if (text == nullptr) return std::nullopt;
  const char* const end = text + std::strlen(text);
  int fd = -1;
  const auto parsed = std::from_chars(text, end, fd);
  const bool is_open = parsed.ec == std::errc() && parsed.ptr == end && fd > STDERR_FILENO &&
                       ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
  ::unsetenv(kHandoverVariable);
  if (is_open) return OldProcess(HandoverLink(UniqueFd(fd)));
  return Fault(
      std::string(kHandoverVariable) +
      " is in the environment, which is only for a chatd that another one starts: unset it");
}

tl::expected<ImportedState, std::string> OldProcess::import_state() {
  if (const auto told = link_.send(MessageType::kReady); !told) return Fault(told.error());
  const auto given = link_.expect(MessageType::kState, kStateTimeoutMs);
  if (!given) return Fault(given.error());
  if (given->descriptors.size() != 1) return Fault("it gives no state");
  const auto bytes = read_all(given->descriptors.front().get());
  if (!bytes) return Fault(bytes.error());
  auto state = decode_state(*bytes);
  if (!state) return Fault(state.error());
  ImportedState imported{.state = std::move(*state), .descriptors = {}};
  while (imported.descriptors.size() < imported.state.descriptor_count()) {
    auto more = link_.expect(MessageType::kSockets, kPacketTimeoutMs);
    if (!more) return Fault(more.error());
    if (more->descriptors.empty()) return Fault("it gives fewer sockets than it has");
    for (UniqueFd& fd : more->descriptors) imported.descriptors.push_back(std::move(fd));
  }
  take_extras(imported);
  return imported;
}

void OldProcess::tell_failure(std::string_view reason) {
  // If it is gone there is nobody to tell, and the log says it, too. Our end before it has read the
  // reason would be all that it hears.
  if (link_.send(MessageType::kFailed, reason)) (void)link_.receive(kEndTimeoutMs);
  link_ = HandoverLink(UniqueFd());
}

tl::expected<std::string, std::string> OldProcess::take_over() {
  if (const auto told = link_.send(MessageType::kRestored); !told && !link_.has_ended()) {
    return Fault(told.error());
  }
  // It may have said the word and gone by now, so no failure to hear it is a reason to give up.
  while (!link_.has_ended()) {
    auto go = link_.expect(MessageType::kGo, kForEver);
    if (go) return std::move(go->text);
    if (!link_.has_ended()) std::this_thread::sleep_for(kEndRetry);
  }
  spdlog::warn("the running chatd has ended before its time: this one serves in its place");
  return std::string();
}

void OldProcess::await_handed_over() {
  (void)link_.receive(kHandedOverTimeoutMs);
  if (link_.has_ended()) link_ = HandoverLink(UniqueFd());
}

std::string OldProcess::take_commands() {
  auto message = link_.receive(0);
  if (link_.has_ended()) link_ = HandoverLink(UniqueFd());
  if (!message || message->type != MessageType::kCommand) return {};
  return std::move(message->text);
}

}  // namespace chatd
