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
    : server_({"--handshake-timeout", kHandshakeTimeout, "--shards", std::to_string(shards)},
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
  talk_sealed();
  if (is_gone()) return;
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

void ServiceScenario::talk_sealed() {
  const Room& mixed = gather({"fred"}, {"dora", "emil"});
  if (mixed.members() == 0) return;
  mixed_ = &mixed;
  for (std::size_t sender = 0; sender < mixed.sealed.size(); ++sender) {
    say_sealed(mixed, sender);
    await_heard(mixed);
  }
  say(mixed, 0);
  for (std::uint64_t i = 0; i < kLongestBurst - 1; ++i) say_sealed(mixed, 0);
  await_heard(mixed);
  // Who has still to hear something stays, and so does who would not be heard.
  if (fails_now() || is_gone() || !has_heard_all_sealed(mixed)) return;
  mixed.sealed[1]->leave();
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
  leave_sealed();
  const Room& fresh = gather({"eve", "frank", "grace"}, {"hal"});
  if (is_gone()) return;
  ASSERT_EQ(fresh.members(), 4U);
  for (std::size_t sender = 0; sender < fresh.members(); ++sender) {
    if (sender < fresh.clients.size()) {
      say(fresh, sender);
    } else {
      say_sealed(fresh, sender - fresh.clients.size());
    }
    EXPECT_TRUE(wait_until([&] { return has_heard_all(fresh) && has_heard_all_sealed(fresh); }))
        << "not everybody hears what is said after the fault";
  }
  fresh.sealed[0]->leave();
}

// What has failed cost nobody with protocol v2 anything but time.
void ServiceScenario::leave_sealed() {
  if (mixed_ == nullptr || is_gone()) return;
  SealedClient& dora = *mixed_->sealed[0];
  SealedClient& emil = *mixed_->sealed[1];
  EXPECT_TRUE(wait_until([&] { return has_heard_all_sealed(*mixed_) || is_gone(); }))
      << "what was said with protocol v2 does not arrive";
  emil.leave();
  EXPECT_TRUE(wait_until([&] {
    dora.pump();
    return dora.has_seen_leave(emil.name()) || is_gone();
  })) << "nobody is told that he has left";
  EXPECT_TRUE(dora.is_in() || is_gone()) << "dora is put out";
  dora.leave();
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
    audit_sealed(said);
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

// Everybody with protocol v2, who has said it or not, has it once.
void ServiceScenario::audit_sealed(const Said& said) {
  for (const SealedClient& client : sealed_clients_) {
    const auto& members = said.room->sealed;
    const bool is_member = std::ranges::find(members, &client) != members.end();
    EXPECT_EQ(client.times_heard(said.text), is_member ? 1U : 0U)
        << client.name() << " hears " << said.text;
    EXPECT_EQ(client.lost(), 0U) << client.name();
  }
}

const ServiceScenario::Room& ServiceScenario::gather(const Names& names,
                                                     const Names& sealed_names) {
  Room& room = rooms_.emplace_back();
  for (int i = 0; i < kAttempts; ++i) {
    room.name = names.front() + "'s room " + std::to_string(i);
    const bool is_complete = try_to_gather(room, names, sealed_names);
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
  room.sealed.clear();
  if (!is_gone()) ADD_FAILURE() << names.front() << " and friends do not get in";
  return room;
}

bool ServiceScenario::try_to_gather(Room& room, const Names& names, const Names& sealed_names) {
  room.clients.clear();
  room.sealed.clear();
  const auto has_come = [&](Entry entry, const std::string& name) {
    if (entry == Entry::kHangs && !fails_now()) ADD_FAILURE() << name << " is left hanging";
    return entry == Entry::kDone;
  };
  for (const std::string& name : sealed_names) {
    SealedClient& client = sealed_clients_.emplace_back(name);
    if (!has_come(client.enter(room.sealed.empty(), server_, room.name, answer_patience()), name)) {
      return false;
    }
    room.sealed.push_back(&client);
  }
  for (const std::string& name : names) {
    // Nobody else will be given the port of the one who vanishes.
    TestClient& client = clients_.emplace_back(name, name == kGone ? "127.0.0.2" : "127.0.0.1");
    const std::uint8_t operation = room.members() == 0 ? kCreateRoom : kJoinRoom;
    if (!has_come(client.enter(operation, server_, room.name, answer_patience()), name)) {
      return false;
    }
    room.clients.push_back(&client);
  }
  return true;
}

void ServiceScenario::say(const Room& room, std::size_t sender) {
  if (room.clients.empty()) return;
  TestClient* const client = room.clients[sender];
  std::string text = "message " + std::to_string(said_.size());
  std::string payload = client->say(server_, text);
  said_.push_back(
      {.text = std::move(text), .payload = std::move(payload), .room = &room, .sender = client});
  expected_deliveries_ += room.members() - 1;
}

void ServiceScenario::say_sealed(const Room& room, std::size_t sender) {
  SealedClient* const client = room.sealed[sender];
  std::string text = "message " + std::to_string(said_.size());
  const std::uint64_t id = client->say(text);
  if (id == 0) {
    EXPECT_TRUE(is_gone()) << client->name() << " cannot speak";
    return;
  }
  std::string payload = R"({"sender":")" + client->name() + R"(","message":")" + text + R"("})";
  said_.push_back({.text = std::move(text),
                   .payload = std::move(payload),
                   .room = &room,
                   .sealed_sender = client,
                   .id = id});
  expected_deliveries_ += room.members() - 1;
}

bool ServiceScenario::has_heard_all(const Room& room) {
  return std::ranges::all_of(said_, [&](const Said& said) {
    if (said.room != &room) return true;
    return std::ranges::all_of(room.clients, [&](TestClient* client) {
      return client == said.sender || client->has_vanished() || client->has_heard(said.payload);
    });
  });
}

bool ServiceScenario::has_heard_all_sealed(const Room& room) {
  for (SealedClient* const client : room.sealed) client->pump();
  return std::ranges::all_of(said_, [&](const Said& said) {
    if (said.room != &room) return true;
    if (said.sealed_sender != nullptr && !said.sealed_sender->was_delivered(said.id)) return false;
    return std::ranges::all_of(room.sealed, [&](const SealedClient* client) {
      return client->times_heard(said.text) > 0;
    });
  });
}

void ServiceScenario::await_heard(const Room& room) {
  // Who has protocol v2 speaks on only as he hears himself: those come first.
  await([&] { return has_heard_all_sealed(room) && has_heard_all(room); }, "to hear what was said");
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
