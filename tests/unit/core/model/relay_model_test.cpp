// The whole relay against a plain model of the protocol: people come, talk, fall silent and go at
// random, and after each step exactly the right ones must have heard exactly the right bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/wire.h"
#include "tests/unit/core/model/seeds.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd {
namespace {

using namespace test;

constexpr std::uint32_t kIdleMs = 5'000;

struct ModelPerson {
  Person person;
  bool is_bound = true;
  bool is_host = false;
  TimeMs last_heard_ms = 0;
};

// (where, what), sorted: the order between people does not matter.
using Heard = std::vector<std::pair<std::uint16_t, std::string>>;

class RelayAndModel {
 public:
  explicit RelayAndModel(Dice& dice) : dice_(dice), kit_(config()) {}

  void step() {
    expected_.clear();
    switch (dice_.roll(16)) {
      case 0:
      case 1:
      case 2:
        enter();
        break;
      case 3:
        leave();
        break;
      case 4:
        forge();
        break;
      case 5:
        pass_time();
        break;
      case 6:
      case 7:
        beat();
        break;
      default:
        say();
    }
    check();
  }

 private:
  static RelayConfig config() {
    RelayConfig config;
    config.limits.idle_timeout_ms = kIdleMs;
    config.limits.max_members = 40;
    config.limits.max_rooms = 5;
    return config;
  }

  void expect(const ModelPerson& to, std::string payload) {
    if (to.is_bound) expected_.emplace_back(to.person.from.port, std::move(payload));
  }
  template <class MakePayload>
  void expect_others(const ModelPerson& but, MakePayload make) {
    for (const ModelPerson& other : people_) {
      if (other.person.room == but.person.room && other.person.name != but.person.name) {
        expect(other, make(other));
      }
    }
  }
  static std::string notice(int operation, const std::string& name, const std::string& message) {
    return R"({"sender":"system","operation":)" + std::to_string(operation) + R"(,"username":")" +
           name + R"(","message":")" + message + R"("})";
  }
  static std::string goodbye(const std::string& name) {
    return notice(2, name, "You have been disconnected");
  }

  ModelPerson* random_person() {
    return people_.empty() ? nullptr
                           : &people_[static_cast<std::size_t>(dice_.roll(people_.size()))];
  }
  bool room_exists(const std::string& room) const {
    return std::any_of(people_.begin(), people_.end(),
                       [&](const ModelPerson& one) { return one.person.room == room; });
  }

  void enter() {
    const std::string room = "room" + std::to_string(dice_.roll(5));
    const std::string name = "name" + std::to_string(dice_.roll(15));
    const bool is_host = !room_exists(room);
    const bool is_taken = std::any_of(people_.begin(), people_.end(), [&](const ModelPerson& one) {
      return one.person.room == room && one.person.name == name;
    });
    if (is_taken || people_.size() == config().limits.max_members) return refused(room, name);

    const Endpoint from = at("127.0.0.1", next_port_++);
    ModelPerson one{.person = {},
                    .is_bound = is_host || !dice_.one_in(4),
                    .is_host = is_host,
                    .last_heard_ms = kit_.now_ms};
    if (is_host) {
      one.person = kit_.create(room, name, from);
    } else {
      one.person = one.is_bound ? kit_.join(room, name, from) : kit_.join_pending(room, name, from);
    }
    expect_others(one, [&](const ModelPerson&) { return notice(1, name, name + " joined"); });
    people_.push_back(one);
  }

  void refused(const std::string& room, const std::string& name) {
    const Answer answer = kit_.ask(kJoinRoom, room, join_payload({.username = name, .port = 1}));
    ASSERT_NE(answer.status, 201);
  }

  // What happens to the others when somebody goes, whyever it does.
  void expect_departure(const ModelPerson& who) {
    expect_others(who, [&](const ModelPerson&) {
      return notice(2, who.person.name, who.person.name + " left");
    });
    if (who.is_host) {
      expect_others(who, [](const ModelPerson& other) { return goodbye(other.person.name); });
    }
    const Person gone = who.person;
    const bool takes_all = who.is_host;
    std::erase_if(people_, [&](const ModelPerson& one) {
      return one.person.room == gone.room && (takes_all || one.person.name == gone.name);
    });
  }

  void leave() {
    const ModelPerson* const one = random_person();
    if (one == nullptr) return;
    const ModelPerson who = *one;
    kit_.leave(who.person);
    expect_departure(who);
  }

  void say() {
    ModelPerson* const one = random_person();
    if (one == nullptr) return;
    one->is_bound = true;
    one->last_heard_ms = kit_.now_ms;
    const std::string payload = message_payload(
        one->person.name, std::string(static_cast<std::size_t>(dice_.roll(500)), 'x'));
    kit_.send(one->person, payload);
    expect_others(*one, [&](const ModelPerson&) { return payload; });
  }

  void beat() {
    ModelPerson* const one = random_person();
    if (one == nullptr) return;
    one->is_bound = true;
    one->last_heard_ms = kit_.now_ms;
    kit_.beat(one->person);
  }

  // In another's name, into another's room, or from another's address: nobody hears it.
  void forge() {
    const ModelPerson* const victim = random_person();
    const ModelPerson* const forger = random_person();
    if (victim == nullptr || !forger->is_bound || !victim->is_bound || victim == forger) return;
    Person mixed = forger->person;
    if (dice_.one_in(2)) mixed.from = victim->person.from;
    if (dice_.one_in(2)) mixed.token = victim->person.token;
    if (dice_.one_in(2)) mixed.room = victim->person.room;
    if (mixed.from == forger->person.from && mixed.token == forger->person.token &&
        mixed.room == forger->person.room) {
      mixed.name = "nobody";  // all the rest is right
    } else if (mixed.from == victim->person.from && mixed.token == victim->person.token &&
               mixed.room == victim->person.room) {
      mixed.name = "nobody";
    }
    kit_.say(mixed);
  }

  void pass_time() {
    kit_.now_ms += dice_.roll(kIdleMs / 2);
    kit_.relay.on_deadline(kit_.now_ms, kit_.out);
    // Whoever is due goes, and the order in which they go decides who hears of whom: so here only
    // the result is compared.
    const auto is_due = [this](const ModelPerson& one) {
      return one.last_heard_ms + kIdleMs <= kit_.now_ms;
    };
    while (true) {
      const auto due = std::find_if(people_.begin(), people_.end(), is_due);
      if (due == people_.end()) break;
      expect_departure(ModelPerson(*due));
    }
    expected_.clear();
    kit_.take();
  }

  void check() {
    Heard heard;
    for (Sent& sent : kit_.take()) {
      if (sent.kind == Outbox::Kind::kAnswer) continue;
      heard.emplace_back(sent.to.port, std::move(sent.payload));
    }
    std::sort(heard.begin(), heard.end());
    std::sort(expected_.begin(), expected_.end());
    ASSERT_EQ(heard, expected_);
    ASSERT_EQ(kit_.relay.roster().members().size(), people_.size());
    ASSERT_TRUE(kit_.every_datagram_is_accounted_for());
    for (const ModelPerson& one : people_) {
      const auto room = kit_.relay.roster().find_room(one.person.room);
      ASSERT_TRUE(room.has_value());
      ASSERT_TRUE(kit_.relay.roster().find_member(*room, one.person.name));
    }
  }

  Dice& dice_;
  RelayKit kit_;
  std::vector<ModelPerson> people_;
  Heard expected_;
  std::uint16_t next_port_ = 1'000;
};

TEST(RelayModel, AgreesWithTheProtocol) {
  for (const std::uint64_t seed : model_seeds()) {
    SCOPED_TRACE(seed);
    Dice dice(seed);
    RelayAndModel both(dice);
    for (int i = 0; i < 10'000 && !testing::Test::HasFailure(); ++i) both.step();
  }
}

}  // namespace
}  // namespace chatd
