// The mailbox keeps order, has bounds for what comes unasked, and wakes its owner when it must.
#include "server/group/mailbox.h"
#include "server/io/kernel_io.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <string>
#include <thread>
#include <vector>

namespace chatd {
namespace {

class MailboxTest : public testing::Test {
 protected:
  MailboxTest() {
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {}};
    EXPECT_EQ(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, mailbox_.event_fd(), &event), 0);
  }

  bool is_woken(int timeout_ms = 0) const {
    epoll_event event{};
    return ::epoll_wait(epoll_.get(), &event, 1, timeout_ms) == 1;
  }
  static Endpoint from(std::uint16_t port) { return {IpAddress::from_v4({127, 0, 0, 1}), port}; }
  static Envelope message(std::uint8_t number) {
    return ShardMessage(QuotaRelease{IpAddress::from_v4({10, 0, 0, number})});
  }

  UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  Mailbox mailbox_{kernel_io(), UniqueFd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))};
};

TEST_F(MailboxTest, WakesOnceUntilItIsEmptied) {
  EXPECT_FALSE(is_woken());
  mailbox_.post(message(1));
  EXPECT_TRUE(is_woken());
  mailbox_.post(message(2));
  EXPECT_FALSE(is_woken()) << "the owner knows already";
  Mail mail{Mailbox::kMaxMisrouted};
  mailbox_.take(mail);
  EXPECT_EQ(mail.envelopes.size(), 2u);
  EXPECT_TRUE(mailbox_.post(from(1), "misrouted"));
  EXPECT_TRUE(is_woken());
}

TEST_F(MailboxTest, KeepsStraysUntilItIsFull) {
  std::size_t kept = 0;
  while (mailbox_.post(from(static_cast<std::uint16_t>(kept)), std::to_string(kept))) {
    ASSERT_LT(++kept, 1'000'000u) << "it has no bound";
  }
  EXPECT_GE(kept, 100u);
  mailbox_.post(message(1));  // finds room all the same
  Mail mail{Mailbox::kMaxMisrouted};
  mailbox_.take(mail);
  ASSERT_EQ(mail.misrouted.misrouted().size(), kept);
  for (std::size_t i = 0; i < kept; ++i) {
    EXPECT_EQ(mail.misrouted.misrouted()[i].bytes, std::to_string(i));
    EXPECT_EQ(mail.misrouted.misrouted()[i].from, from(static_cast<std::uint16_t>(i)));
  }
  EXPECT_EQ(mail.envelopes.size(), 1u);
  EXPECT_TRUE(mailbox_.post(from(1), "again"));
}

TEST_F(MailboxTest, KeepsLargeStraysUntilItsMemoryIsFull) {
  const std::string large(4'096, 'x');
  std::size_t kept = 0;
  while (mailbox_.post(from(1), large)) ASSERT_LT(++kept, 1'000'000u);
  EXPECT_GE(kept, 100u);
  EXPECT_LE(kept * large.size(), 4u << 20);
}

TEST_F(MailboxTest, KeepsRefusalsUntilItIsFull) {
  std::size_t kept = 0;
  while (mailbox_.post_refusal(from(1))) ASSERT_LT(++kept, 1'000'000u);
  Mail mail{Mailbox::kMaxMisrouted};
  mailbox_.take(mail);
  EXPECT_EQ(mail.refusals.size(), kept);
  EXPECT_TRUE(mailbox_.post_refusal(from(1)));
}

// Whatever the threads do, nothing is lost, and each one's shard messages stay in order.
TEST_F(MailboxTest, TakesFromManyThreads) {
  constexpr std::uint8_t kThreads = 3;
  constexpr std::uint8_t kLetters = 200;
  std::vector<std::thread> threads;
  for (std::uint8_t writer = 0; writer < kThreads; ++writer) {
    threads.emplace_back([this, writer] {
      for (std::uint8_t i = 0; i < kLetters; ++i) {
        mailbox_.post(ShardMessage(QuotaRelease{IpAddress::from_v4({10, 0, writer, i})}));
      }
    });
  }
  std::array<unsigned, kThreads> next{};
  unsigned taken = 0;
  while (taken < kThreads * kLetters && is_woken(10'000)) {
    Mail mail{Mailbox::kMaxMisrouted};
    mailbox_.take(mail);
    for (const Envelope& envelope : mail.envelopes) {
      const auto creator =
          std::get<QuotaRelease>(std::get<ShardMessage>(envelope)).creator.v4_bytes();
      EXPECT_EQ(creator[3], next[creator[2]]++);
      ++taken;
    }
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, kThreads * kLetters);
}

}  // namespace
}  // namespace chatd
