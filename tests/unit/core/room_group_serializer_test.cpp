// What was said in between goes out together, transposed: per member, as trains.
#include "core/room/group_serializer.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "core/base/limits.h"
#include "tests/unit/core/room_dispatcher_kit.h"

namespace chatd {
namespace {

using namespace test;

class GroupSerializerTest : public DispatcherKit {};

TEST_F(GroupSerializerTest, WhoSaidNothingSharesOneTrainAndSpeakersGetTheOthersWords) {
  const auto people = make_room(kit_, "lobby", 6);
  for (int i = 0; i < 4; ++i)
    kit_.send(people[i % 2 == 0 ? 1 : 4], payload(people[i % 2 == 0 ? 1 : 4], i));
  kit_.relay.serve_rooms(kit_.out);

  ASSERT_EQ(kit_.out.groups().size(), 3u);
  const Outbox::SendGroup& shared = kit_.out.groups()[0];
  EXPECT_EQ(shared.destination_count, 4u);
  ASSERT_EQ(shared.train_count, 1u);
  const Outbox::Train& train = kit_.out.trains(shared)[0];
  EXPECT_EQ(train.message_count, 4u);
  EXPECT_EQ(train.piece_count, 1u) << "a whole train is one piece";
  for (std::size_t i = 1; i < 3; ++i) {
    const Outbox::SendGroup& own = kit_.out.groups()[i];
    EXPECT_EQ(own.destination_count, 1u);
    ASSERT_EQ(own.train_count, 1u);
    EXPECT_EQ(kit_.out.trains(own)[0].message_count, 2u);
  }
  const auto sent = kit_.take();
  const Texts all = {payload(people[1], 0), payload(people[4], 1), payload(people[1], 2),
                     payload(people[4], 3)};
  EXPECT_EQ(heard_at(sent, people[0].from), all);
  EXPECT_EQ(heard_at(sent, people[5].from), all);
  EXPECT_EQ(heard_at(sent, people[1].from), (Texts{all[1], all[3]}));
  EXPECT_EQ(heard_at(sent, people[4].from), (Texts{all[0], all[2]}));
}

TEST_F(GroupSerializerTest, WhenAllSpeakEachGetsTheOthersWords) {
  const auto people = make_room(kit_, "lobby", 10);
  const auto sender = [&people](int i) { return people[static_cast<std::size_t>(i) % 10]; };
  for (int i = 0; i < 64; ++i) kit_.send(sender(i), payload(sender(i), i));
  const auto sent = kit_.take();
  for (const Person& listener : people) {
    Texts expected;
    for (int i = 0; i < 64; ++i) {
      if (sender(i).name != listener.name) expected.push_back(payload(sender(i), i));
    }
    EXPECT_EQ(heard_at(sent, listener.from), expected);
  }
}

TEST_F(GroupSerializerTest, TrainsAreAsShortAsConfigured) {
  RelayConfig config;
  config.trains.max_segments = 1;
  RelayKit kit(config);
  const auto people = make_room(kit, "lobby", 3);
  for (int i = 0; i < 5; ++i) kit.send(people[0], payload(people[0], i));
  kit.relay.serve_rooms(kit.out);
  for (const Outbox::SendGroup& group : kit.out.groups()) {
    for (const Outbox::Train& train : kit.out.trains(group)) EXPECT_EQ(train.message_count, 1u);
  }
  EXPECT_EQ(kit.take().size(), 10u);
}

// Chat as it is: everybody speaks, in all sizes, people come and go, turns are short. Each hears
// what was said while it was there, in each sender's order, and never itself.
TEST_F(GroupSerializerTest, RandomChatIsHeardByAllInEachSpeakersOrder) {
  std::mt19937 random(7);
  RelayKit kit(config(), /*outbox_limit=*/300);
  std::map<std::string, Person> present;
  std::map<std::uint16_t, std::map<std::string, Texts>> expected;  // by listener's port and sender
  std::map<std::uint16_t, std::map<std::string, Texts>> heard;
  const auto note = [&] {
    for (const Sent& sent : kit.take()) {
      if (sent.kind != Outbox::Kind::kMessage) continue;
      const auto end = sent.payload.find('"', 12);
      heard[sent.to.port][sent.payload.substr(12, end - 12)].push_back(sent.payload);
    }
  };
  present.emplace("p0", kit.create("lobby", "p0"));
  for (int step = 1; step < 5'000; ++step) {
    const auto choice = random() % 20;
    auto who = present.begin();
    std::advance(who, static_cast<long>(random() % present.size()));
    if (choice == 0 && present.size() < 12) {
      const std::string name = "p" + std::to_string(step);
      present.emplace(name, kit.join("lobby", name));
    } else if (choice == 1 && who->first != "p0") {
      kit.leave(who->second);
      present.erase(who);
    } else if (choice == 2) {
      note();
    } else {
      const std::string payload =
          message_payload(who->first, std::to_string(step) + std::string(random() % 4 * 50, '.'));
      kit.send(who->second, payload);
      for (const auto& [name, person] : present) {
        if (name != who->first) expected[person.from.port][who->first].push_back(payload);
      }
    }
  }
  note();
  ASSERT_TRUE(message_payload("p0", "").starts_with(R"({"sender": "p0")")) << "see substr above";
  EXPECT_EQ(heard, expected);
  EXPECT_EQ(kit.count(Counter::kDroppedQueueFull), 0u);
}

}  // namespace
}  // namespace chatd
