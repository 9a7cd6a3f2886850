// Members who share a socket are clients of their own to the server, and get what is theirs.
#include "bench/chatbench/net/member_sockets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <map>

#include "tests/integration/client/train_sender.h"
#include "tests/support/wait_until.h"

namespace chatd::bench {
namespace {

using test::numbered_pieces;
using testing::ElementsAreArray;

constexpr std::uint32_t kMembers = 20;

struct Shape {
  const char* name;
  std::uint32_t sockets;
  bool own;
  bool gro;
};

class MemberSocketsTest : public testing::TestWithParam<Shape> {
 protected:
  void SetUp() override { open({.receive_buffer_bytes = 1024 * 1024}); }

  void open(MemberSocketsConfig config) {
    config.members = kMembers;
    config.sockets = GetParam().sockets;
    config.own = GetParam().own;
    config.gro = GetParam().gro;
    config.max_datagram_bytes = 4096;
    auto opened = MemberSockets::open(server_.address(), config);
    ASSERT_TRUE(opened) << opened.error();
    sockets_ = std::move(*opened);
  }

  // Where the server finds the member.
  test::SocketAddress address_of(std::uint32_t member) const {
    return {sockets_->source_of(member)->ip(), sockets_->port_of(member)};
  }

  // What each member got, until there are `count` in all.
  std::map<std::uint32_t, std::vector<std::string>> receive(std::size_t count) {
    std::map<std::uint32_t, std::vector<std::string>> received;
    std::size_t sum = 0;
    const test::Deadline deadline = test::kPatience;
    while (sum < count && !deadline.passed()) {
      test::wait_ready(sockets_->poll_fd(), POLLIN, deadline);
      sockets_->receive([&](std::uint32_t member, std::string_view datagram) {
        received[member].emplace_back(datagram);
        ++sum;
      });
    }
    EXPECT_EQ(sum, count);
    return received;
  }

  test::TrainSender server_;
  std::unique_ptr<MemberSockets> sockets_;
};

TEST_P(MemberSocketsTest, EachMemberHasAnAddressOfItsOwnAndSendsFromIt) {
  for (std::uint32_t member = 0; member < kMembers; ++member) {
    sockets_->queue(member, "from ", std::to_string(member));
  }
  sockets_->flush();
  std::map<std::string, std::string> heard;
  for (std::uint32_t i = 0; i < kMembers; ++i) {
    const auto datagram = server_.socket().receive();
    ASSERT_TRUE(datagram);
    heard[datagram->from.to_string()] = datagram->bytes;
  }
  ASSERT_EQ(heard.size(), kMembers);
  for (std::uint32_t member = 0; member < kMembers; ++member) {
    EXPECT_EQ(heard[address_of(member).to_string()], "from " + std::to_string(member));
  }
  EXPECT_EQ(sockets_->unsent(), 0u);
}

TEST_P(MemberSocketsTest, EachMemberGetsWhatIsSentToIt) {
  const auto pieces = numbered_pieces(30, 200);
  const std::string train = test::join(pieces) + "rest";
  for (std::uint32_t member = 0; member < kMembers; ++member) {
    server_.send(address_of(member), "to " + std::to_string(member));
    if (member % 3 == 0) server_.send_train(address_of(member), train, 200);
  }
  const auto received = receive(kMembers + 7 * 31);
  for (std::uint32_t member = 0; member < kMembers; ++member) {
    std::vector<std::string> expected{"to " + std::to_string(member)};
    if (member % 3 == 0) {
      expected.insert(expected.end(), pieces.begin(), pieces.end());
      expected.emplace_back("rest");
    }
    EXPECT_THAT(received.at(member), ElementsAreArray(expected)) << member;
  }
}

TEST_P(MemberSocketsTest, MoreThanOneBatchHolds) {
  for (int i = 0; i < 1000; ++i) {
    server_.send(address_of(static_cast<std::uint32_t>(i) % kMembers), std::to_string(i));
  }
  const auto received = receive(1000);
  for (std::uint32_t member = 0; member < kMembers; ++member) {
    ASSERT_EQ(received.at(member).size(), 1000 / kMembers);
    EXPECT_EQ(received.at(member)[3], std::to_string(3 * kMembers + member));
  }
}

TEST_P(MemberSocketsTest, AFullBufferIsCounted) {
  open({.receive_buffer_bytes = 1});  // the kernel gives its least
  EXPECT_EQ(sockets_->receive_drops(), 0u);
  for (int i = 0; i < 100; ++i) server_.send(address_of(3), std::string(1000, 'x'));
  const std::uint64_t drops = sockets_->receive_drops();
  EXPECT_GT(drops, 50u);
  EXPECT_EQ(receive(100 - drops)[3].size(), 100 - drops);
}

TEST_P(MemberSocketsTest, StrangersAreNotHeard) {
  test::UdpPeer stranger;
  stranger.send(address_of(2), "psst");
  server_.send(address_of(2), "hello");
  EXPECT_EQ(receive(1)[2], std::vector<std::string>{"hello"});
}

INSTANTIATE_TEST_SUITE_P(Shapes, MemberSocketsTest,
                         testing::Values(Shape{"OneShared", 1, false, true},
                                         Shape{"OneSharedWithoutGro", 1, false, false},
                                         Shape{"SeveralShared", 7, false, true},
                                         Shape{"Own", 1, true, true},
                                         Shape{"OwnWithoutGro", 1, true, false}),
                         [](const auto& shape) { return std::string(shape.param.name); });

}  // namespace
}  // namespace chatd::bench
