#include "tests/resilience/faults/sealed_client.h"

#include <algorithm>
#include <cstdlib>

namespace chatd::test {
namespace {

// Of the authorities that this machine trusts none is asked for, and to read them takes longer than
// all else that somebody does here.
bool forget_authorities() {
  return ::setenv("SSL_CERT_FILE", "/dev/null", 1) == 0;
}

}  // namespace

Entry SealedClient::enter(bool creates, const ChatdServer& server, const std::string& room,
                          Deadline deadline) {
  static const bool kKnowsNoAuthority = forget_authorities();
  if (!kKnowsNoAuthority) return Entry::kBroken;
  auto entered = chatd_client::Room::enter({.server = server.tls().to_string(),
                                            .room = room,
                                            .name = name_,
                                            .create = creates,
                                            .timeout_ms = deadline.remaining_ms()});
  if (entered) {
    room_.emplace(std::move(*entered));
    return Entry::kDone;
  }
  return deadline.passed() ? Entry::kHangs : Entry::kBroken;
}

std::uint64_t SealedClient::say(std::string_view text) {
  if (!is_in()) return 0;
  return room_->say(text).value_or(0);
}

void SealedClient::pump() {
  using Kind = chatd_client::Event::Kind;
  if (!room_) return;
  while (const auto event = room_->next(0)) {
    switch (event->kind) {
      case Kind::kMessage:
        heard_.push_back(event->text);
        break;
      case Kind::kLeft:
        left_.push_back(event->name);
        break;
      case Kind::kDelivered:
        delivered_.push_back(event->id);
        break;
      case Kind::kLost:
        lost_ += event->count;
        break;
      default:
        break;
    }
  }
}

void SealedClient::leave() {
  if (is_in()) room_->leave();
  room_.reset();
}

bool SealedClient::was_delivered(std::uint64_t id) const {
  return std::ranges::find(delivered_, id) != delivered_.end();
}

std::size_t SealedClient::times_heard(std::string_view text) const {
  return static_cast<std::size_t>(std::ranges::count(heard_, text));
}

bool SealedClient::has_seen_leave(std::string_view name) const {
  return std::ranges::find(left_, name) != left_.end();
}

}  // namespace chatd::test
