// A default chatd under the load that it is meant for: every message arrives exactly once at each
// other member, and none is lost.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <sstream>

#include "tests/e2e/chatd/server_test.h"
#include "tests/support/die.h"
#include "tests/support/process_figures.h"

namespace chatd::test {
namespace {

constexpr int kReceiveBuffer = 4 << 20;

class Capacity : public ServerTest {
 protected:
  void SetUp() override { raise_own_open_files_limit(); }

  // A room of this size, entered over one connection. Join notices may still be unread.
  std::vector<Member> crowd(std::string_view room, std::size_t size) {
    std::vector<Member> members;
    TcpPeer control(server().tcp());
    const JoinOptions options{.receive_buffer_bytes = kReceiveBuffer, .control = &control};
    for (std::size_t i = 0; i < size; ++i) {
      const std::string name = "m" + std::to_string(i);
      auto member = i == 0 ? Member::create(server(), room, name, options)
                           : Member::join(server(), room, name, options);
      if (!member) return {};
      members.push_back(std::move(*member));
    }
    return members;
  }
};

// The next payload that is no notice from the server.
std::optional<std::string> hear_message(Member& member) {
  auto heard = member.hear();
  while (heard && heard->starts_with(R"({"sender":"system")")) heard = member.hear();
  return heard;
}

TEST_F(Capacity, AThousandMembersInOneRoom) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto room = crowd("big", 1000);
  ASSERT_EQ(room.size(), 1000U);
  // One at a time, and then bursts: the two ways that a send group can take.
  for (const std::size_t burst : {1U, 1U, 1U, 40U, 100U}) {
    for (const std::size_t sender : {std::size_t{0}, std::size_t{517}, room.size() - 1}) {
      std::vector<std::string> said;
      for (std::size_t i = 0; i < burst; ++i) {
        said.push_back(room[sender].say("message " + std::to_string(i)));
      }
      for (std::size_t listener = 0; listener < room.size(); ++listener) {
        if (listener == sender) continue;
        for (const std::string& expected : said) {
          ASSERT_EQ(hear_message(room[listener]), expected) << room[listener].name();
        }
      }
    }
  }
  EXPECT_TRUE(all_is_heard(room));
  const Counters counted = totals();
  EXPECT_EQ(counted["messages_accepted"], 3U * 143U + 2U);
  EXPECT_EQ(counted["deliveries_sent"], counted["messages_accepted"] * 999U);
}

// Many small rooms, a steady stream of messages into them, and one thread that does it all.
class ManyRooms {
 public:
  static constexpr std::size_t kRooms = 100;
  static constexpr std::size_t kMembers = 10;

  explicit ManyRooms(std::vector<Member> members)
      : members_(std::move(members)),
        next_from_(members_.size()),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      epoll_event interest{.events = EPOLLIN, .data = {.u64 = i}};
      if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, members_[i].socket().fd(), &interest) != 0) {
        die("epoll_ctl");
      }
    }
  }

  // Message `number` of all: rooms take turns, and within a room its members do.
  void send(std::size_t number) {
    const std::size_t room = number % kRooms;
    const std::size_t sender = number / kRooms % kMembers;
    const std::size_t sequence = number / (kRooms * kMembers);
    Member& member = members_[room * kMembers + sender];
    std::string text =
        std::to_string(room) + " " + std::to_string(sender) + " " + std::to_string(sequence) + " ";
    text.resize(80, '.');
    member.say(text);
  }

  // Takes in what has arrived, or arrives within the timeout.
  void receive(int timeout_ms) {
    std::array<epoll_event, 256> events;
    const int ready =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms);
    for (int i = 0; i < ready; ++i) {
      receive_at(static_cast<std::size_t>(events[static_cast<std::size_t>(i)].data.u64));
    }
  }

  std::size_t received() const { return received_; }
  // The first thing that was not as it had to be; empty when all was.
  const std::string& fault() const { return fault_; }

 private:
  static constexpr std::size_t kBatch = 32;
  static constexpr std::size_t kBytes = 512;

  void receive_at(std::size_t listener) {
    std::array<mmsghdr, kBatch> messages{};
    std::array<iovec, kBatch> vectors;
    for (std::size_t i = 0; i < kBatch; ++i) {
      vectors[i] = {.iov_base = buffers_[i].data(), .iov_len = kBytes};
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int count = ::recvmmsg(members_[listener].socket().fd(), messages.data(), kBatch,
                                 MSG_DONTWAIT, nullptr);
    for (int i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      check(listener, {buffers_[at].data(), messages[at].msg_len});
    }
  }

  // Exactly once and in order: the sequence from each sender has no gap and no repetition.
  void check(std::size_t listener, std::string_view datagram) {
    const JsonObject payload(datagram.substr(std::min<std::size_t>(2, datagram.size())));
    std::istringstream words(payload.text("message"));
    std::size_t room = 0;
    std::size_t sender = 0;
    std::size_t sequence = 0;
    words >> room >> sender >> sequence;
    const bool right = words && room == listener / kMembers && sender < kMembers &&
                       sender != listener % kMembers &&
                       payload.text("sender") == "m" + std::to_string(sender) &&
                       sequence == next_from_[listener][sender];
    if (!right && fault_.empty()) {
      fault_ = members_[listener].name() + " of " + members_[listener].room() + " heard " +
               std::string(datagram);
    }
    if (right) ++next_from_[listener][sender];
    ++received_;
  }

  std::vector<Member> members_;
  std::vector<std::array<std::size_t, kMembers>> next_from_;
  UniqueFd epoll_;
  std::array<std::array<char, kBytes>, kBatch> buffers_;
  std::size_t received_ = 0;
  std::string fault_;
};

// All rooms of the test with all their members, and every join notice heard.
class CapacityOfRooms : public Capacity {
 protected:
  std::unique_ptr<ManyRooms> fill_rooms() {
    std::vector<Member> members;
    for (std::size_t i = 0; i < ManyRooms::kRooms; ++i) {
      auto room = crowd("room " + std::to_string(i), ManyRooms::kMembers);
      for (std::size_t present = 0; present < room.size(); ++present) {
        for (std::size_t later = present + 1; later < room.size(); ++later) {
          const auto heard = room[present].hears_joined(room[later].name());
          EXPECT_TRUE(heard);
          if (!heard) return nullptr;
        }
      }
      std::move(room.begin(), room.end(), std::back_inserter(members));
    }
    if (members.size() != ManyRooms::kRooms * ManyRooms::kMembers) return nullptr;
    return std::make_unique<ManyRooms>(std::move(members));
  }
};

std::chrono::duration<double> waited_for_a_processor(pid_t server) {
  return processor_wait(server) + processor_wait(::getpid());
}

// Sends at the rate, as long as the server keeps up. What it has not relayed yet stays below what
// the smallest usual socket buffer holds: on a machine that gives neither side a processor the
// kernel would drop datagrams, and the server be blamed for it.
template <std::size_t kRate>
void send_at_rate(ManyRooms& rooms, std::size_t messages) {
  constexpr std::size_t kMostUnderWay = 400;
  const auto began = std::chrono::steady_clock::now();
  std::size_t sent = 0;
  const Deadline deadline = 2 * kPatience;
  while (sent < messages && !deadline.passed()) {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - began;
    const auto due = static_cast<std::size_t>(elapsed.count() * static_cast<double>(kRate));
    const std::size_t relayed = rooms.received() / (ManyRooms::kMembers - 1);
    while (sent < std::min({due, messages, relayed + kMostUnderWay})) rooms.send(sent++);
    rooms.receive(1);
  }
}

TEST_F(CapacityOfRooms, AHundredRoomsAtTenThousandDatagramsPerSecond) {
  constexpr std::size_t kRate = CHATD_SANITIZED ? 1'000 : 10'000;
  constexpr std::chrono::duration<double> kLasting{1.5};
  constexpr std::size_t kMessages = kRate * 3 / 2;
  constexpr std::size_t kDeliveries = kMessages * (ManyRooms::kMembers - 1);
  ASSERT_NO_FATAL_FAILURE(start());
  auto rooms = fill_rooms();
  ASSERT_TRUE(rooms);

  const auto began = std::chrono::steady_clock::now();
  const auto waited_before = waited_for_a_processor(server().pid());
  const auto cpu_before = cpu_time(server().pid());
  send_at_rate<kRate>(*rooms, kMessages);
  for (const Deadline deadline = kPatience;
       rooms->received() < kDeliveries && !deadline.passed();) {
    rooms->receive(deadline.remaining_ms());
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  const auto waited = waited_for_a_processor(server().pid()) - waited_before;
  const std::chrono::duration<double> used = cpu_time(server().pid()) - cpu_before;
  std::printf("%zu messages in %.2f s, %.2f s of chatd's processor time, %.2f s without one\n",
              kMessages, took.count(), used.count(), waited.count());

  EXPECT_EQ(rooms->received(), kDeliveries);
  EXPECT_EQ(rooms->fault(), "");
  // The rate was held, or else it was for want of a processor and of nothing else.
  EXPECT_LT(took, kLasting * 1.2 + waited);
  EXPECT_LT(used, kLasting);
  const Counters counted = totals();
  EXPECT_EQ(counted["messages_accepted"], kMessages);
  EXPECT_EQ(counted["deliveries_sent"], kDeliveries);
}

}  // namespace
}  // namespace chatd::test
