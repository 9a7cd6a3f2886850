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

NewEntry said(std::uint32_t sender, std::string_view text) {
  return {.sender = sender,
          .entry = {.member = 70'000,
                    .client_number = 9,
                    .content_type = v2::ContentType::kSealed,
                    .bytes = text},
          .is_for_v1 = false};
}

// What was said, after a look at the rest of the entry.
std::string content(const MessageStore& store, std::uint32_t stored) {
  std::string bytes(store.size_bytes(stored), '?');
  EXPECT_EQ(store.copy_to(stored, bytes.data()), bytes.data() + bytes.size());
  v2::ByteReader reader(bytes);
  v2::Entry entry;
  EXPECT_TRUE(v2::read_entry(reader, entry) && reader.is_empty());
  EXPECT_EQ(entry.kind, v2::EntryKind::kSaid);
  EXPECT_EQ(entry.member, 70'000u);
  EXPECT_EQ(entry.client_number, 9u);
  EXPECT_EQ(entry.content_type, v2::ContentType::kSealed);
  std::string alone(store.content_bytes(stored), '?');
  store.copy_content_to(stored, alone.data());
  EXPECT_EQ(alone, entry.bytes);
  return alone;
}

TEST(MessageStore, KeepsMessagesOfAnySize) {
  MessageStore store(100);
  for (const std::size_t size : {0u, 1u, 217u, 218u, 219u, 220u, 446u, 447u, 448u, 4094u}) {
    std::string payload(size, 'x');
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>('a' + i % 26);
    MessageQueue queue;
    ASSERT_TRUE(store.push(queue, said(7, payload)));
    ASSERT_EQ(queue.count, 1u);
    EXPECT_EQ(store.sender(queue.first), 7u);
    EXPECT_EQ(store.kind(queue.first), v2::EntryKind::kSaid);
    EXPECT_EQ(store.member(queue.first), 70'000u);
    EXPECT_FALSE(store.is_for_v1(queue.first));
    EXPECT_EQ(content(store, queue.first), payload) << size;
    store.pop(queue);
    EXPECT_EQ(queue.count, 0u);
    EXPECT_EQ(store.free_blocks(), 100u);
  }
}

TEST(MessageStore, SaysWhenItIsFullAndChangesNothing) {
  MessageStore store(40);
  MessageQueue queue;
  ASSERT_TRUE(store.push(queue, said(1, std::string(4'000, 'x'))));  // 18 blocks
  EXPECT_EQ(store.free_blocks(), 22u);
  EXPECT_FALSE(store.push(queue, said(1, std::string(4'000, 'y'))))
      << "more than is left for others";
  EXPECT_EQ(queue.count, 1u);
  EXPECT_EQ(store.free_blocks(), 22u);
  EXPECT_TRUE(store.push(queue, said(1, std::string(700, 'y'))));  // 4
  EXPECT_EQ(store.free_blocks(), 18u);
  EXPECT_FALSE(store.push(queue, said(1, "z")));
  MessageQueue another;
  EXPECT_TRUE(store.push(another, said(1, std::string(4'000, 'z'))));
  EXPECT_FALSE(store.push(another, said(1, std::string(4'000, 'z'))));
  EXPECT_EQ(content(store, queue.first), std::string(4'000, 'x'));
  EXPECT_EQ(content(store, store.next(queue.first)), std::string(700, 'y'));
  EXPECT_EQ(content(store, another.first), std::string(4'000, 'z'));
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
      if (store.push(queue, said(1, payload))) expected.push_back(payload);
    } else if (!expected.empty()) {
      const auto count = static_cast<std::uint32_t>(1 + random() % expected.size());
      for (std::uint32_t i = 0; i < count; ++i) store.pop(queue);
      expected.erase(expected.begin(), expected.begin() + count);
    }
    ASSERT_EQ(queue.count, expected.size());
    std::uint32_t message = queue.first;
    for (const std::string& bytes : expected) {
      ASSERT_EQ(content(store, message), bytes);
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
