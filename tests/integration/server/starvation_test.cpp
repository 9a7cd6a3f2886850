// A flood into one room, with more to send than a turn allows: joins and timers have their turn all
// the same.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "tests/integration/server/running_shard.h"
#include "tests/support/tcp_peer.h"
#include "tests/support/udp_peer.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

// 16 messages to so many members are just more than the outbox holds, and 64, a batch of received
// datagrams, is four times 16: each turn of the shard ends with a full outbox.
constexpr std::size_t kMembers = 1060;
constexpr std::size_t kMaxFlood = 2'000'000;

TEST(Starvation, AJoinIsAnsweredDuringAFlood) {
  RunningShard shard;
  UdpPeer socket;  // of all members: the shard must send to each, whether it is read or not
  TcpPeer control(shard.tcp());
  JoinFields fields{.username = "sender", .port = socket.address().port()};
  const std::string token = control.create("crowd", fields).token();
  for (std::size_t i = 1; i < kMembers; ++i) {
    fields.username = "member" + std::to_string(i);
    ASSERT_EQ(control.join("crowd", fields).status(), 201);
  }

  std::atomic<bool> is_over = false;
  std::atomic<std::size_t> sent = 0;
  std::thread flood([&] {
    const std::string datagram =
        encode_datagram("crowd", token, message_payload("sender", "again"));
    for (; sent < kMaxFlood && !is_over; ++sent) socket.send(shard.udp(), datagram);
  });
  // More than the shard can have relayed by then: a message to this room costs it milliseconds.
  EXPECT_TRUE(wait_until([&sent] { return sent >= 1000; }));
  for (int i = 0; i < 3; ++i) {
    TcpPeer newcomer(shard.tcp());
    const Answer answer = newcomer.create("quiet" + std::to_string(i), {.username = "newcomer"});
    EXPECT_EQ(answer.status(), 201);
  }
  is_over = true;
  flood.join();
  EXPECT_GT(shard.stop()[Counter::kMessagesAccepted], 0u);
}

}  // namespace
}  // namespace chatd::test
