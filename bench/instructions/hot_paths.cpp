// chatd_hot_paths: repeats each hot path under callgrind, which is told to count in between only,
// and to write each count to a file of its own under the name "PATH xOPERATIONS".
//
// Without callgrind it runs all the same, and counts nothing.
#include <valgrind/callgrind.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "bench/micro/relay_world.h"
#include "client/lib/request.h"
#include "core/base/limits.h"
#include "core/base/slot_index.h"
#include "core/base/timer_wheel.h"
#include "core/room/train_planner.h"
#include "core/wire/v1/datagram.h"
#include "core/wire/v1/frame.h"
#include "core/wire/v1/join_request.h"
#include "core/wire/v1/payload.h"

namespace chatd::bench {
namespace {

// One thing that the relay does again and again, set up so that it can be repeated.
struct HotPath {
  using Repeat = std::function<void(std::uint64_t times)>;

  std::string name;
  std::uint64_t repetitions;  // so many that what a repetition costs stands out
  // What one repetition counts as: 64 for a room's turn with 64 messages.
  std::uint64_t operations_per_repetition;
  // Everything that is needed is made here; the function it returns only repeats.
  std::function<Repeat()> prepare;
};

// The compiler must take the value for used.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

// The loop is compiled around the step, so that it costs two instructions.
template <class Step>
HotPath::Repeat repeat(Step step) {
  return [step = std::move(step)](std::uint64_t times) mutable {
    for (std::uint64_t i = 0; i < times; ++i) step();
  };
}

HotPath::Repeat parse_datagram() {
  const auto world = std::make_shared<RelayWorld>(1, 1);
  return repeat([world] { keep(parse_client_datagram(world->message_of(0))); });
}

HotPath::Repeat check_payload() {
  const auto payload = std::make_shared<PaddedBytes>(message_payload("alice", kUsualPayloadBytes));
  const auto reader = std::make_shared<PayloadReader>();
  return repeat([=] { keep(reader->read(payload->view(), "alice")); });
}

// Nobody else is in the room: everything but the delivery.
HotPath::Repeat authenticate_message() {
  const auto world = std::make_shared<RelayWorld>(1, 1);
  return repeat([world] { world->say(0); });
}

HotPath::Repeat heartbeat() {
  const auto world = std::make_shared<RelayWorld>(1, 1);
  return repeat([world] { world->beat(0); });
}

HotPath::Repeat parse_request() {
  const std::string request = client::encode_entry_request({.operation = Operation::kJoin,
                                                            .room = "room-17",
                                                            .username = "alice",
                                                            .password = "",
                                                            .udp_ip = "",
                                                            .udp_port = 20'000});
  const auto reader = std::make_shared<JoinRequestReader>();
  return repeat([=] {
    const DecodedFrame decoded = decode_frame(request, Limits().max_frame_bytes);
    keep(reader->read(decoded.frame.payload));
  });
}

constexpr std::uint32_t kTimers = 100'000;
constexpr TimeMs kIdleTimeoutMs = 300'000;

std::shared_ptr<TimerWheel> busy_wheel() {
  auto wheel = std::make_shared<TimerWheel>(kTimers, 0);
  std::mt19937 random(1);
  for (std::uint32_t slot = 0; slot < kTimers; ++slot) {
    wheel->arm(slot, 1 + random() % kIdleTimeoutMs);
  }
  return wheel;
}

HotPath::Repeat touch_timer() {
  return repeat([wheel = busy_wheel(), slot = std::uint32_t{0}]() mutable {
    slot = (slot + 7919) % kTimers;
    wheel->arm(slot, kIdleTimeoutMs);
  });
}

HotPath::Repeat expire_timer() {
  return repeat([wheel = busy_wheel(), now_ms = TimeMs{0}]() mutable {
    for (;; ++now_ms) {
      if (const auto slot = wheel->pop_expired(now_ms)) {
        return wheel->arm(*slot, now_ms + kIdleTimeoutMs);
      }
    }
  });
}

struct Name {
  std::string_view text;
  bool operator==(const Name&) const = default;
  std::uint64_t hash_with(const KeyedHash& hash) const { return hash(text); }
};
struct NameOfSlot {
  const std::vector<std::string>* names;
  Name operator()(std::uint32_t slot) const { return {(*names)[slot]}; }
};

HotPath::Repeat find_in_index() {
  constexpr std::uint32_t kNames = 10'000;
  const auto names = std::make_shared<std::vector<std::string>>();
  for (std::uint32_t i = 0; i < kNames; ++i) names->push_back("member-" + std::to_string(i));
  const auto index = std::make_shared<SlotIndex<Name, NameOfSlot>>(
      kNames, KeyedHash(KeyedHash::Key{1, 2, 3}), NameOfSlot{names.get()});
  for (std::uint32_t slot = 0; slot < kNames; ++slot) index->insert(slot);
  return repeat([=, slot = std::uint32_t{0}]() mutable {
    slot = (slot + 7919) % kNames;
    keep(index->find({(*names)[slot]}));
  });
}

HotPath::Repeat plan(std::uint32_t senders, std::uint32_t sizes) {
  std::mt19937 random(1);
  std::vector<MessageShape> messages;
  for (std::uint32_t i = 0; i < kMaxPlannedMessages; ++i) {
    messages.push_back(
        {.sender = i % senders, .size_bytes = 130 + static_cast<std::uint32_t>(random()) % sizes});
  }
  return repeat([messages, result = TrainPlan()]() mutable {
    plan_trains(messages, TrainLimits(), result);
    keep(result);
  });
}

// `window` messages from one member after the other wait before the room has its turn.
HotPath::Repeat deliver(std::uint32_t members, std::uint32_t window) {
  const auto world = std::make_shared<RelayWorld>(1, members);
  return repeat([=, sender = std::uint32_t{0}]() mutable {
    for (std::uint32_t i = 0; i < window; ++i) {
      world->say(sender);
      sender = (sender + 1) % members;
    }
    world->serve_rooms();
  });
}

HotPath::Repeat join_and_leave() {
  const auto world = std::make_shared<RelayWorld>(1, 10);
  return repeat([world] { world->join_and_leave(); });
}

// Deterministic: the same work in each run.
std::vector<HotPath> hot_paths() {
  return {
      {"datagram: parse", 2000, 1, parse_datagram},
      {"payload: check 128 bytes", 2000, 1, check_payload},
      {"message: parse, authenticate, check", 2000, 1, authenticate_message},
      {"heartbeat", 2000, 1, heartbeat},
      {"request: parse", 2000, 1, parse_request},
      {"timer: touch", 5000, 1, touch_timer},
      {"timer: expire and arm again", 5000, 1, expire_timer},
      {"index: find a name", 5000, 1, find_in_index},
      {"trains: plan 64 of one size", 500, 1, [] { return plan(8, 1); }},
      {"trains: plan 64 of all sizes", 50, 1, [] { return plan(8, 200); }},
      {"message to 10, alone", 1000, 1, [] { return deliver(10, 1); }},
      {"message to 10, window of 16", 100, 16, [] { return deliver(10, 16); }},
      {"message to 1,000, alone", 500, 1, [] { return deliver(1000, 1); }},
      {"message to 1,000, window of 64", 20, 64, [] { return deliver(1000, 64); }},
      {"join and leave, room of 10", 500, 1, join_and_leave},
  };
}

}  // namespace
}  // namespace chatd::bench

int main() {
  for (const chatd::bench::HotPath& path : chatd::bench::hot_paths()) {
    const auto repeat = path.prepare();
    repeat(3);  // whatever is made at the first use
    const std::string name =
        path.name + " x" + std::to_string(path.repetitions * path.operations_per_repetition);
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
    repeat(path.repetitions);
    CALLGRIND_DUMP_STATS_AT(name.c_str());
    CALLGRIND_STOP_INSTRUMENTATION;
  }
  return 0;
}
