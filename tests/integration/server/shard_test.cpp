// A shard whose socket is full: it waits, and loses nothing.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/integration/server/own_network.h"
#include "tests/integration/server/running_shard.h"
#include "tests/support/tcp_peer.h"
#include "tests/support/udp_peer.h"

namespace chatd::test {
namespace {

constexpr int kReceiveBufferBytes = 1 << 20;

struct Person {
  std::string name;
  UdpPeer socket{"127.0.0.1", 0, kReceiveBufferBytes};
  std::string token;
};

std::vector<Person> fill_room(const RunningShard& shard, std::size_t count) {
  std::vector<Person> people(count);
  TcpPeer control(shard.tcp());
  for (std::size_t i = 0; i < count; ++i) {
    Person& person = people[i];
    person.name = "person" + std::to_string(i);
    const JoinFields fields{.username = person.name, .port = person.socket.address().port()};
    const Answer answer = i == 0 ? control.create("room", fields) : control.join("room", fields);
    EXPECT_EQ(answer.status(), 201);
    person.token = answer.token();
  }
  // The notices of those who came later.
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t later = i + 1; later < count; ++later) EXPECT_TRUE(people[i].socket.receive());
  }
  return people;
}

std::string text_of(std::size_t number) {
  return message_payload("person0", std::to_string(number) + std::string(800, '.'));
}

void say(const RunningShard& shard, Person& person, std::string_view payload) {
  person.socket.send(shard.udp(), encode_datagram("room", person.token, payload));
}

void expect_all_in_order(Person& person, std::size_t messages) {
  for (std::size_t number = 0; number < messages; ++number) {
    const auto datagram = person.socket.receive();
    ASSERT_TRUE(datagram) << person.name << " misses message " << number;
    ASSERT_EQ(datagram->bytes, std::string(2, '\0') + text_of(number)) << person.name;
  }
}

void expect_delay_without_loss(std::size_t people_count, std::size_t messages,
                               unsigned megabit_per_s) {
  bool is_slow = false;
  const std::string reason = in_own_network([&] {
    RunningShard shard(16 * 1024);  // room for a few datagrams
    std::vector<Person> people = fill_room(shard, people_count);
    is_slow = slow_down_loopback(megabit_per_s);
    if (!is_slow) return;
    for (std::size_t number = 0; number < messages; ++number) {
      say(shard, people[0], text_of(number));
    }
    for (std::size_t i = 1; i < people_count; ++i) expect_all_in_order(people[i], messages);

    const Counters& counters = shard.stop();
    EXPECT_EQ(counters[Counter::kMessagesAccepted], messages);
    EXPECT_EQ(counters[Counter::kDeliveriesPlanned], messages * (people_count - 1));
    EXPECT_EQ(counters[Counter::kDeliveriesSent], messages * (people_count - 1));
    EXPECT_GT(counters[Counter::kSendsPostponed], 0u) << "the socket was never full";
    for (Person& person : people) EXPECT_TRUE(person.socket.receive()) << "the goodbye";
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
  if (!is_slow) GTEST_SKIP() << "tc cannot slow down the loopback device here";
}

TEST(FullSocket, DelaysAndLosesNothing) {
  expect_delay_without_loss(9, 100, 24);
}

// The same when a turn has filled the outbox.
TEST(FullSocket, DelaysAndLosesNothingOfAFullOutbox) {
  expect_delay_without_loss(100, 20, 200);
}

std::uint64_t accounted_for(const Counters& counters) {
  return counters[Counter::kDeliveriesSent] + counters[Counter::kDroppedQueueFull] +
         counters[Counter::kDroppedSendQueueFull] + counters[Counter::kDroppedSendNoBuffers] +
         counters[Counter::kDroppedSendAtStop];
}

// The messages of a flood wait in their room, the oldest give way, and a join is answered long
// before they have gone out.
TEST(FullSocket, HoldsUpNothingElse) {
  constexpr std::size_t kPeople = 9;
  bool is_slow = false;
  const std::string reason = in_own_network([&] {
    RunningShard shard(16 * 1024);
    std::vector<Person> people = fill_room(shard, kPeople);
    is_slow = slow_down_loopback(2);
    if (!is_slow) return;
    for (std::size_t number = 0; number < 200; ++number) say(shard, people[0], text_of(number));
    TcpPeer newcomer(shard.tcp());
    EXPECT_EQ(newcomer.create("quiet", {.username = "newcomer"}).status(), 201);
    std::size_t received = 0;
    while (people[kPeople - 1].socket.try_receive()) ++received;
    EXPECT_LT(received, 200u) << "the join waited for the socket";

    const Counters& counters = shard.stop();
    EXPECT_GT(counters[Counter::kSendsPostponed], 0u) << "the socket was never full";
    EXPECT_EQ(accounted_for(counters), counters[Counter::kDeliveriesPlanned]);
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
  if (!is_slow) GTEST_SKIP() << "tc cannot slow down the loopback device here";
}

// Who comes makes nothing go out ahead of its turn, so nothing fills the outbox meanwhile.
TEST(FullSocket, ComingsWaitInTheirRoomLikeMessages) {
  constexpr std::size_t kPeople = 60;
  bool is_slow = false;
  const std::string reason = in_own_network([&] {
    RunningShard shard(4096);
    std::vector<Person> people = fill_room(shard, kPeople);
    is_slow = slow_down_loopback(1);
    if (!is_slow) return;
    TcpPeer control(shard.tcp());
    for (int i = 0; i < 40; ++i) {
      say(shard, people[0], text_of(1));
      EXPECT_EQ(control.join("room", {.username = "late" + std::to_string(i)}).status(), 201);
    }
    const Counters& counters = shard.stop();
    EXPECT_EQ(counters[Counter::kMembersJoined], kPeople + 40);
    EXPECT_EQ(counters[Counter::kDroppedSendQueueFull], 0u);
    EXPECT_EQ(accounted_for(counters), counters[Counter::kDeliveriesPlanned]);
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
  if (!is_slow) GTEST_SKIP() << "tc cannot slow down the loopback device here";
}

}  // namespace
}  // namespace chatd::test
