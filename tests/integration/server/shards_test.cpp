// Several shards serve as one: datagrams find their shard, with the kernel's help or without, and
// requests are answered in order wherever their rooms are.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/integration/server/running_server.h"
#include "tests/support/json.h"
#include "tests/support/tcp_peer.h"
#include "tests/support/udp_peer.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

constexpr std::uint32_t kShards = 3;

struct Townsman {
  std::string room;
  std::string name;
  std::string token;
  UdpPeer socket;
};

// Rooms with three people each, until every shard has at least two of them.
class Town {
 public:
  explicit Town(const RunningServer& server) : server_(server), control_(server.tcp()) {
    for (int i = 0; i < 64 && !is_everywhere(); ++i) build("room" + std::to_string(i));
    EXPECT_TRUE(is_everywhere());
  }

  // Everybody says something, with the token as hexadecimal text and raw; all others in the room
  // must hear it, and nothing else. Returns how many messages there were.
  std::size_t talk() {
    std::size_t messages = 0;
    for (auto& people : rooms_) {
      for (Townsman& sender : people) {
        for (const std::string& token : {sender.token, raw_token(sender.token)}) {
          const std::string payload = message_payload(sender.name, std::to_string(messages++));
          sender.socket.send(server_.udp(), encode_datagram(sender.room, token, payload));
          for (Townsman& listener : people) {
            if (&listener == &sender) continue;
            const auto heard = listener.socket.receive();
            EXPECT_EQ(heard ? heard->bytes : "", std::string(2, '\0') + payload);
          }
        }
      }
    }
    return messages;
  }

 private:
  bool is_everywhere() const {
    return rooms_by_shard_.size() == kShards &&
           std::all_of(rooms_by_shard_.begin(), rooms_by_shard_.end(),
                       [](const auto& entry) { return entry.second >= 2; });
  }

  void build(const std::string& room) {
    std::vector<Townsman> people;
    for (int i = 0; i < 3; ++i) {
      UdpPeer socket;
      const std::string name = "person" + std::to_string(i);
      const JoinFields fields{.username = name, .port = socket.address().port()};
      const Answer answer = i == 0 ? control_.create(room, fields) : control_.join(room, fields);
      ASSERT_EQ(answer.status(), 201);
      people.push_back({room, name, answer.token(), std::move(socket)});
    }
    ++rooms_by_shard_[people[0].token.substr(0, 2)];
    // The notices of those who came later.
    for (const std::size_t listener : {0u, 0u, 1u}) {
      EXPECT_TRUE(people[listener].socket.receive());
    }
    rooms_.push_back(std::move(people));
  }

  const RunningServer& server_;
  TcpPeer control_;
  std::vector<std::vector<Townsman>> rooms_;
  std::map<std::string, int> rooms_by_shard_;
};

TEST(Shards, GetTheirDatagramsFromTheKernel) {
  RunningServer server(kShards);
  const std::size_t messages = Town(server).talk();
  const Counters counters = server.stop();
  EXPECT_TRUE(server.stopped_well());
  EXPECT_EQ(counters[Counter::kMessagesAccepted], messages);
  EXPECT_EQ(counters[Counter::kDeliveriesSent], 2 * messages);
  EXPECT_EQ(counters[Counter::kDatagramsHandedOver], 0u);
  EXPECT_EQ(counters[Counter::kDatagramsReceived], messages);
}

// The kernel spreads by its hash then: two of three datagrams come to a wrong shard.
TEST(Shards, HandOverWhatTheKernelDoesNotSteer) {
  RunningServer server(kShards, SteeringProgram{});
  const std::size_t messages = Town(server).talk();
  const Counters counters = server.stop();
  EXPECT_EQ(counters[Counter::kMessagesAccepted], messages);
  EXPECT_EQ(counters[Counter::kDeliveriesSent], 2 * messages);
  EXPECT_GT(counters[Counter::kDatagramsHandedOver], messages / 10);
  EXPECT_EQ(counters[Counter::kDatagramsReceived], messages);
  EXPECT_EQ(counters[Counter::kDroppedMailboxFull], 0u);
}

// Datagrams that name no shard stay where they arrive, and are counted once like any other.
TEST(Shards, CountGarbageOnce) {
  RunningServer server(kShards);
  constexpr std::size_t kSenders = 50;
  for (std::size_t i = 0; i < kSenders; ++i) {
    UdpPeer stranger;
    stranger.send(server.udp(), "x");
    stranger.send(server.udp(), encode_datagram("room", std::string(32, 'f'), "{}"));  // no shard
    stranger.send(server.udp(), encode_datagram("room", std::string(32, '0'), "{}"));  // the first
  }
  Town(server).talk();  // every shard has work behind it in its socket
  const Counters counters = server.stop();
  EXPECT_EQ(counters[Counter::kDroppedMalformed], kSenders);
  EXPECT_EQ(counters[Counter::kDroppedUnknownToken], 2 * kSenders);
  EXPECT_EQ(counters[Counter::kDatagramsHandedOver], 0u);
}

// Requests that go to all shards, sent in one piece: the answers come in their order.
TEST(Shards, AnswerOneConnectionInOrder) {
  RunningServer server(kShards);
  TcpPeer client(server.tcp());
  ASSERT_TRUE(client.read_greeting());
  constexpr int kRooms = 40;
  std::string all;
  for (int i = 0; i < kRooms; ++i) {
    const std::string room = "room" + std::to_string(i);
    const std::string payload = join_payload({.username = "alice"});
    all += encode({.operation = kCreateRoom, .room = room, .payload = payload});
    all += encode({.operation = kCreateRoom, .room = room, .payload = payload});
    all += encode({.operation = kListRooms});
    all += encode({.operation = kJoinRoom, .room = room, .payload = join_payload({"bob"})});
  }
  ASSERT_TRUE(client.send(all));
  std::set<std::string> shards;
  for (int i = 0; i < kRooms; ++i) {
    const Answer created = client.read_answer();
    ASSERT_EQ(created.status(), 201) << i;
    ASSERT_EQ(created.accepted_status(), 202);
    shards.insert(created.token().substr(0, 2));
    ASSERT_EQ(client.read_answer().status(), 409) << i;
    const Answer list = client.read_answer();
    ASSERT_TRUE(list.completed);
    const JsonObject rooms = JsonObject(list.completed->payload).object("rooms");
    // Complete, and in the order of creation.
    ASSERT_EQ(rooms.keys().size(), static_cast<std::size_t>(i + 1));
    ASSERT_EQ(rooms.keys().back(), "room" + std::to_string(i));
    const Answer joined = client.read_answer();
    ASSERT_EQ(joined.status(), 201) << i;
    ASSERT_EQ(joined.token().substr(0, 2), created.token().substr(0, 2));
  }
  EXPECT_EQ(shards.size(), kShards);
}

// Who hangs up before the answer comes has made the room all the same, as with one shard.
TEST(Shards, DoWhatWasAskedForByWhoHasGone) {
  RunningServer server(kShards);
  constexpr int kRooms = 30;
  for (int i = 0; i < kRooms; ++i) {
    TcpPeer client(server.tcp());
    ASSERT_TRUE(client.read_greeting());
    ASSERT_TRUE(client.send(encode({.operation = kCreateRoom,
                                    .room = "room" + std::to_string(i),
                                    .payload = join_payload({.username = "alice"})})));
  }
  TcpPeer observer(server.tcp());
  EXPECT_TRUE(wait_until([&] {
    const Answer list = observer.request({.operation = kListRooms});
    return list.completed && JsonObject(list.completed->payload).number("total") == kRooms;
  }));
}

}  // namespace
}  // namespace chatd::test
