#include "server/handover/predecessor.h"

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
#include "server/process/system_error.h"

namespace chatd {
namespace {

using Fault = tl::unexpected<std::string>;

// It settles what waits first, which a full socket may delay.
constexpr int kStateTimeoutMs = 30'000;
constexpr int kPacketTimeoutMs = 5'000;
constexpr int kEndTimeoutMs = 1'000;
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
void take_extras(Inheritance& inheritance) {
  const auto take_last = [&inheritance] {
    UniqueFd last = std::move(inheritance.descriptors.back());
    inheritance.descriptors.pop_back();
    return last;
  };
  inheritance.descriptors.resize(
      inheritance.state.descriptor_count());  // a newer one may pass more
  if (inheritance.state.has_keeper) inheritance.keeper_line = take_last();
  if (!inheritance.state.admin.empty()) inheritance.admin_listener = take_last();
}

}  // namespace

tl::expected<std::optional<Predecessor>, std::string> Predecessor::find() {
  const char* const text = std::getenv(kHandoverVariable);
  if (text == nullptr) return std::nullopt;
  const char* const end = text + std::strlen(text);
  int fd = -1;
  const auto parsed = std::from_chars(text, end, fd);
  const bool is_open = parsed.ec == std::errc() && parsed.ptr == end && fd > STDERR_FILENO &&
                       ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
  ::unsetenv(kHandoverVariable);
  if (is_open) return Predecessor(HandoverLink(UniqueFd(fd)));
  return Fault(
      std::string(kHandoverVariable) +
      " is in the environment, which is only for a chatd that another one starts: unset it");
}

tl::expected<Inheritance, std::string> Predecessor::inherit() {
  if (const auto told = link_.send(HandoverWord::kReady); !told) return Fault(told.error());
  const auto given = link_.expect(HandoverWord::kState, kStateTimeoutMs);
  if (!given) return Fault(given.error());
  if (given->descriptors.size() != 1) return Fault("it gives no state");
  const auto bytes = read_all(given->descriptors.front().get());
  if (!bytes) return Fault(bytes.error());
  auto state = decode_state(*bytes);
  if (!state) return Fault(state.error());
  Inheritance inheritance{.state = std::move(*state), .descriptors = {}};
  while (inheritance.descriptors.size() < inheritance.state.descriptor_count()) {
    auto more = link_.expect(HandoverWord::kSockets, kPacketTimeoutMs);
    if (!more) return Fault(more.error());
    if (more->descriptors.empty()) return Fault("it gives fewer sockets than it has");
    for (UniqueFd& fd : more->descriptors) inheritance.descriptors.push_back(std::move(fd));
  }
  take_extras(inheritance);
  return inheritance;
}

void Predecessor::tell_failure(std::string_view reason) {
  // If it is gone there is nobody to tell, and the log says it, too. Our end before it has read the
  // reason would be all that it hears.
  if (link_.send(HandoverWord::kFailed, reason)) await_end();
}

tl::expected<std::string, std::string> Predecessor::take_over() {
  if (const auto told = link_.send(HandoverWord::kRestored); !told && !link_.has_ended()) {
    return Fault(told.error());
  }
  // It may have said the word and gone by now, so no failure to hear it is a reason to give up.
  while (!link_.has_ended()) {
    auto word = link_.expect(HandoverWord::kGo, kForEver);
    if (word) return std::move(word->text);
    if (!link_.has_ended()) std::this_thread::sleep_for(kEndRetry);
  }
  spdlog::warn("the running chatd has ended before its time: this one serves in its place");
  return std::string();
}

void Predecessor::await_end() {
  (void)link_.receive(kEndTimeoutMs);
  link_ = HandoverLink(UniqueFd());
}

}  // namespace chatd
