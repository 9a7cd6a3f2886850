// The store of waiting messages: queues that share it, messages larger than a block, memory that
// comes back.
#include "core/room/message_store.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <string>
#include <vector>

#include "core/base/limits.h"

namespace chatd {
namespace {

std::string datagram(const MessageStore& store, std::uint32_t message) {
  std::string bytes(store.size_bytes(message), '?');
  EXPECT_EQ(store.copy_to(message, bytes.data()), bytes.data() + bytes.size());
  return bytes;
}

std::string as_sent(const std::string& payload) {
  return std::string(2, '\0') + payload;
}

TEST(MessageStore, KeepsMessagesOfAnySize) {
  MessageStore store(100);
  for (const std::size_t size : {0u, 1u, 237u, 238u, 239u, 477u, 478u, 479u, 4094u}) {
    std::string payload(size, 'x');
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>('a' + i % 26);
    MessageQueue queue;
    ASSERT_TRUE(store.push(queue, 7, payload));
    ASSERT_EQ(queue.count, 1u);
    EXPECT_EQ(store.sender(queue.first), 7u);
    EXPECT_EQ(datagram(store, queue.first), as_sent(payload)) << size;
    store.pop(queue);
    EXPECT_EQ(queue.count, 0u);
    EXPECT_EQ(store.free_blocks(), 100u);
  }
}

TEST(MessageStore, SaysWhenItIsFullAndChangesNothing) {
  MessageStore store(40);
  MessageQueue queue;
  ASSERT_TRUE(store.push(queue, 1, std::string(4'000, 'x')));  // 17 blocks
  EXPECT_EQ(store.free_blocks(), 23u);
  EXPECT_FALSE(store.push(queue, 1, std::string(4'000, 'y'))) << "more than is left for others";
  EXPECT_EQ(queue.count, 1u);
  EXPECT_EQ(store.free_blocks(), 23u);
  EXPECT_TRUE(store.push(queue, 1, std::string(700, 'y')));  // 3
  EXPECT_EQ(store.free_blocks(), 20u);
  EXPECT_FALSE(store.push(queue, 1, "z"));
  MessageQueue another;
  EXPECT_TRUE(store.push(another, 1, std::string(4'000, 'z')));
  EXPECT_FALSE(store.push(another, 1, std::string(4'000, 'z')));
  EXPECT_EQ(datagram(store, queue.first), as_sent(std::string(4'000, 'x')));
  EXPECT_EQ(datagram(store, store.next(queue.first)), as_sent(std::string(700, 'y')));
  EXPECT_EQ(datagram(store, another.first), as_sent(std::string(4'000, 'z')));
}

// Against std::deque, with several queues in one store.
TEST(MessageStore, BehavesLikeQueues) {
  std::mt19937 random(4711);
  MessageStore store(400);
  std::vector<MessageQueue> queues(5);
  std::vector<std::deque<std::string>> model(5);
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t which = random() % queues.size();
    MessageQueue& queue = queues[which];
    std::deque<std::string>& expected = model[which];
    const auto choice = random() % 5;
    if (choice < 3) {
      const std::string payload(random() % 600, static_cast<char>('a' + random() % 26));
      if (store.push(queue, 1, payload)) expected.push_back(as_sent(payload));
    } else if (!expected.empty()) {
      const auto count = static_cast<std::uint32_t>(1 + random() % expected.size());
      for (std::uint32_t i = 0; i < count; ++i) store.pop(queue);
      expected.erase(expected.begin(), expected.begin() + count);
    }
    ASSERT_EQ(queue.count, expected.size());
    std::uint32_t message = queue.first;
    for (const std::string& bytes : expected) {
      ASSERT_EQ(datagram(store, message), bytes);
      message = store.next(message);
    }
  }
  for (MessageQueue& queue : queues) {
    while (queue.count > 0) store.pop(queue);
  }
  EXPECT_EQ(store.free_blocks(), 400u);
}

}  // namespace
}  // namespace chatd
