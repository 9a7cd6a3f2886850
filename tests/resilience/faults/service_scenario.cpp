#include "tests/resilience/faults/service_scenario.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <optional>
#include <thread>

#include "tests/support/ledger.h"
#include "tests/support/process_figures.h"
#include "tests/support/tcp_peer.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

using std::chrono::milliseconds;

// What a message needs if it comes at all, with time to spare.
constexpr milliseconds kMoment{30};
// How long a quiet chatd is watched, and what it may do in that time: a timer or two.
constexpr milliseconds kQuiet{15};
constexpr std::uint64_t kCallsWhileQuiet = 60;
// A shared socket that is full has chatd open another one to send by, which stays: one for each
// address that is sent to then (server/data/lanes.h).
constexpr std::size_t kMaxLanesKept = 2;
// While a fault lasts, it tries again now and then: so many calls in kQuiet are a loop.
constexpr std::uint64_t kCallsWhileFailing = 1500;
constexpr int kAttempts = 6;
constexpr char kGone[] = "gone";
// chatd gives a connection --handshake-timeout; who still waits after this has been forgotten.
constexpr milliseconds kAnswerPatience{5000};
constexpr char kHandshakeTimeout[] = "300ms";

bool may_cost_messages(const Fault& fault) {
  return fault.call == Call::kSendmmsg || fault.call == Call::kAllocate;
}

// Everything from one burst can be in the datagram that fails.
constexpr std::uint64_t kLongestBurst = 5;

}  // namespace

ServiceScenario::ServiceScenario(std::uint32_t shards)
    : server_({"--handshake-timeout", kHandshakeTimeout, "--shards", std::to_string(shards),
               "--tls-port", "off"},
              faults_.process_options()) {}

void ServiceScenario::run(const Fault& fault) {
  fault_ = fault;
  if (!prepare()) return;
  faults_.arm(fault);
  live();
}

void ServiceScenario::run_and_count() {
  if (!prepare()) return;
  faults_.count();
  live();
}

void ServiceScenario::live() {
  talk();
  if (!is_gone()) talk_after_the_fault();
  if (!is_gone()) expect_quiet();
  stop();
}

// Those who talk all the time, and one who vanishes: his port answers with ICMP.
bool ServiceScenario::prepare() {
  EXPECT_TRUE(server_.ready()) << server_.diagnosis();
  if (!server_.ready()) return false;
  descriptors_before_ = open_descriptors(server_.pid());
  const Room& calm = gather({"ann", "ben", kGone});
  if (calm.clients.size() != 3) return false;
  calm.clients[2]->vanish();
  return wait_until(
      [&] { return open_descriptors(server_.pid()) <= descriptors_before_ + kMaxLanesKept; });
}

void ServiceScenario::talk() {
  const Room& calm = rooms_.front();
  const Room& kitchen = gather({"alice", "bob", "carol"});
  if (is_gone()) return;
  say(calm, 0);
  ++unheard_deliveries_;
  await_heard(calm);
  for (std::size_t sender = 0; sender < kitchen.clients.size(); ++sender) {
    say(kitchen, sender);
    await_heard(kitchen);
  }
  for (std::uint64_t i = 0; i < kLongestBurst && !kitchen.clients.empty(); ++i) say(kitchen, 0);
  await_heard(kitchen);
  send_rubbish();
  say(calm, 1);
  ++unheard_deliveries_;
  await_heard(calm);
  if (!kitchen.clients.empty()) {
    const std::size_t before = kitchen.clients[0]->heard().size();
    kitchen.clients[1]->leave(server_);
    await([&] { return kitchen.clients[0]->heard().size() > before; }, "to hear of leaving");
  }
}

void ServiceScenario::send_rubbish() {
  for (int i = 0; i < kAttempts; ++i) {
    const Entry entry = ask_for_list(server_, answer_patience());
    if (entry != Entry::kDone) let_it_give_up();
    if (entry == Entry::kDone || fails_now() || is_gone()) break;
    if (entry == Entry::kHangs) ADD_FAILURE() << "a request for the list hangs";
    EXPECT_LT(i + 1, kAttempts) << "no list after all attempts";
  }
  UdpPeer stranger;
  stranger.send(server_.udp(), "rubbish");
  stranger.send(server_.udp(), encode_datagram("kitchen", std::string(32, 'f'),
                                               message_payload("alice", "let me in")));
  TcpPeer peer(server_.tcp());
  peer.send_some(encode_header(0, kCreateRoom, kRequest, 1U << 29U));
  const StreamEnd end = peer.wait_end(answer_patience());
  EXPECT_TRUE(end != StreamEnd::kOpen || fails_now()) << "rubbish is not cut off";
}

// No tolerance here. A fault that has not come yet does not come now either.
void ServiceScenario::talk_after_the_fault() {
  if (fault_.lasts()) expect_patience();
  if (is_gone()) return;
  faults_.pause();
  const Room& fresh = gather({"eve", "frank", "grace"});
  if (is_gone()) return;
  ASSERT_EQ(fresh.clients.size(), 3U);
  for (std::size_t sender = 0; sender < fresh.clients.size(); ++sender) {
    say(fresh, sender);
    const std::string& payload = said_.back().payload;
    EXPECT_TRUE(wait_until([&] {
      return std::all_of(fresh.clients.begin(), fresh.clients.end(), [&](TestClient* client) {
        return client == fresh.clients[sender] || client->has_heard(payload);
      });
    })) << "not everybody hears what is said after the fault";
  }
}

// What fails for a while is not tried again and again.
void ServiceScenario::expect_patience() {
  const std::uint64_t before = faults_.total_calls();
  server_.process().wait_exit(kQuiet);
  EXPECT_LE(faults_.total_calls() - before, kCallsWhileFailing) << "it spins while it fails";
}

void ServiceScenario::expect_quiet() {
  EXPECT_TRUE(wait_until([&] {
    return open_descriptors(server_.pid()) <= descriptors_before_ + kMaxLanesKept;
  })) << open_descriptors(server_.pid())
      << " descriptors instead of " << descriptors_before_;
  const std::uint64_t calls = faults_.total_calls();
  const auto ended = server_.process().wait_exit(kQuiet);
  EXPECT_FALSE(ended) << "it ends although nobody asked";
  EXPECT_LE(faults_.total_calls() - calls, kCallsWhileQuiet) << "it spins";
}

void ServiceScenario::stop() {
  if (!fault_.lasts()) faults_.go_on();  // stopping is part of the scenario
  server_.process().kill(SIGTERM);
  const auto status = server_.process().wait_exit(milliseconds(5000));
  ASSERT_TRUE(status) << "it does not stop";
  ASSERT_EQ(status->signal, 0) << "it crashes";
  if (fault_.call == Call::kAllocate && status->code == 1) {
    has_given_up_ = true;
    EXPECT_NE(server_.diagnosis().find("chatd has to stop: "), std::string::npos)
        << server_.diagnosis();
    return;
  }
  ASSERT_EQ(status->code, 0) << server_.diagnosis();
  const auto totals = server_.process().wait_for_line(Stream::kStderr, "totals:");
  if (!totals && fault_.call == Call::kAllocate) return;  // it was the line's own memory
  ASSERT_TRUE(totals) << "no totals";
  audit(Counters(*totals));
}

void ServiceScenario::audit(const Counters& counters) {
  expect_closed_ledger(counters);
  EXPECT_EQ(counters["messages_accepted"], said_.size()) << counters.to_string();
  EXPECT_EQ(counters["deliveries_planned"] + counters["dropped_pending_member"],
            expected_deliveries_)
      << counters.to_string();

  std::uint64_t heard = 0;
  for (const Said& said : said_) {
    for (TestClient& client : clients_) {
      const auto& all = client.heard();
      const auto times = std::count(all.begin(), all.end(), said.payload);
      if (times == 0) continue;
      const auto& members = said.room->clients;
      EXPECT_NE(&client, said.sender) << "the sender hears himself: " << said.payload;
      EXPECT_NE(std::find(members.begin(), members.end(), &client), members.end())
          << "heard in another room: " << said.payload;
      EXPECT_EQ(times, 1) << "heard again: " << said.payload;
      heard += static_cast<std::uint64_t>(times);
    }
  }
  // What was sent was heard, except by the one who has vanished.
  EXPECT_GE(counters["deliveries_sent"], heard) << counters.to_string();
  EXPECT_LE(counters["deliveries_sent"], heard + unheard_deliveries_) << counters.to_string();
  // What the fault did not hit is there.
  const std::uint64_t lost = counters.sum_of("dropped_send_") + counters["dropped_queue_full"];
  if (!may_cost_messages(fault_)) {
    EXPECT_EQ(lost, 0U) << counters.to_string();
  } else if (!fault_.lasts()) {
    EXPECT_LE(lost, kLongestBurst) << counters.to_string();
  }
}

const ServiceScenario::Room& ServiceScenario::gather(const std::vector<std::string>& names) {
  Room& room = rooms_.emplace_back();
  for (int i = 0; i < kAttempts; ++i) {
    room.name = names.front() + "'s room " + std::to_string(i);
    const bool is_complete = try_to_gather(room, names);
    if (is_complete && i > 0 && fault_.lasts()) faults_.go_on();
    if (is_complete) return room;
    let_it_give_up();
    if (is_gone()) break;
    // As long as the fault lasts, nobody may get in.
    if (i == 0 && fault_.lasts()) {
      expect_patience();
      faults_.pause();
    }
  }
  room.clients.clear();
  if (!is_gone()) ADD_FAILURE() << names.front() << " and friends do not get in";
  return room;
}

bool ServiceScenario::try_to_gather(Room& room, const std::vector<std::string>& names) {
  room.clients.clear();
  for (const std::string& name : names) {
    // Nobody else will be given the port of the one who vanishes.
    TestClient& client = clients_.emplace_back(name, name == kGone ? "127.0.0.2" : "127.0.0.1");
    const std::uint8_t operation = room.clients.empty() ? kCreateRoom : kJoinRoom;
    const Entry entry = client.enter(operation, server_, room.name, answer_patience());
    if (entry == Entry::kHangs && !fails_now()) ADD_FAILURE() << name << " is left hanging";
    if (entry != Entry::kDone) return false;
    room.clients.push_back(&client);
  }
  return true;
}

void ServiceScenario::say(const Room& room, std::size_t sender) {
  if (room.clients.empty()) return;
  TestClient* const client = room.clients[sender];
  said_.push_back({.payload = client->say(server_, "message " + std::to_string(said_.size())),
                   .room = &room,
                   .sender = client});
  expected_deliveries_ += room.clients.size() - 1;
}

void ServiceScenario::await_heard(const Room& room) {
  await(
      [&] {
        return std::all_of(said_.begin(), said_.end(), [&](const Said& said) {
          if (said.room != &room) return true;
          return std::all_of(room.clients.begin(), room.clients.begin() + 2,
                             [&](TestClient* client) {
                               return client == said.sender || client->has_heard(said.payload);
                             });
        });
      },
      "to hear what was said");
}

template <class Condition>
void ServiceScenario::await(Condition condition, const char* what) {
  const Deadline longest = kPatience;
  std::optional<Deadline> moment;
  while (!condition()) {
    if (!moment && faults_.fired() > 0) moment = Deadline(kMoment);
    if ((moment && moment->passed()) || is_gone()) return;
    if (longest.passed()) {
      ADD_FAILURE() << "waited in vain " << what;
      return;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

// As long as a fault lasts, nobody need get in, and nobody waits for long.
Deadline ServiceScenario::answer_patience() const {
  return fails_now() ? kMoment : kAnswerPatience;
}

// Without memory it may be about to end, in order.
void ServiceScenario::let_it_give_up() {
  if (fault_.call == Call::kAllocate) server_.process().wait_exit(kMoment);
}

bool ServiceScenario::is_gone() {
  return !server_.running();
}

}  // namespace chatd::test
