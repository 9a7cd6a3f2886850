// The engine against a server that is made up: what goes wrong there is known exactly, and must be
// what the engine finds.
#include "bench/chatbench/engine/engine.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <deque>
#include <string>
#include <thread>
#include <utility>

#include "bench/chatbench/probe/system.h"
#include "client/net/unique_fd.h"

namespace chatd::bench {
namespace {

constexpr std::int64_t kMs = 1'000'000;

// Delivers at once, except where it is told to do wrong: every so many deliveries, 0 for never.
struct Faults {
  unsigned lose = 0;
  unsigned repeat = 0;
  unsigned corrupt = 0;
  unsigned misdirect = 0;  // to the same place in the next room, instead
};

class FakeTarget final : public Target {
 public:
  FakeTarget(const Population& population, const Faults& faults)
      : population_(population), faults_(faults), event_(::eventfd(0, EFD_NONBLOCK)) {}

  tl::expected<Joined, std::string> connect() override { return Joined{}; }
  void queue(std::uint32_t member, std::string_view payload) override {
    ++messages_;
    is_dead_ = dies_after_ > 0 && messages_ > dies_after_;
    if (is_dead_) return;
    const std::uint32_t first = member - member % population_.members_per_room;
    for (std::uint32_t i = first; i < first + population_.members_per_room; ++i) {
      if (i != member) deliver(i, std::string(payload));
    }
  }
  void flush() override {
    if (wire_.empty()) return;
    EXPECT_EQ(::eventfd_write(event_.get(), 1), 0);
  }
  int poll_fd() const override { return event_.get(); }
  void receive(std::vector<Delivery>& out) override {
    held_.clear();
    for (int i = 0; i < 64 && !wire_.empty(); ++i) {
      held_.push_back(std::move(wire_.front()));
      wire_.pop_front();
    }
    for (const auto& [member, payload] : held_) out.push_back({member, payload});
    eventfd_t ignored = 0;
    if (wire_.empty()) (void)::eventfd_read(event_.get(), &ignored);
  }
  ClientErrors faults() const override { return {}; }
  // Each message counts for one of each kind, and there have been some before.
  std::optional<RepairCounts> repairs() const override {
    if (!repairs_) return std::nullopt;
    const std::uint64_t n = messages_;
    return RepairCounts{1'000 + n, 2'000 + 2 * n, 3'000 + 3 * n, 4'000 + 4 * n};
  }
  void repair() { repairs_ = true; }
  void disconnect() override {}
  tl::expected<void, std::string> check_server() override {
    ++checks_;
    if (!is_dead_) return {};
    return tl::unexpected(std::string("the server is gone"));
  }
  // From so many messages on, nothing is delivered any more.
  void die_after(std::uint64_t messages) { dies_after_ = messages; }
  int checks() const { return checks_; }

  std::uint64_t messages() const { return messages_; }
  std::uint64_t lost() const { return lost_; }
  std::uint64_t repeated() const { return repeated_; }
  std::uint64_t corrupted() const { return corrupted_; }
  std::uint64_t misdirected() const { return misdirected_; }

 private:
  void deliver(std::uint32_t member, std::string payload) {
    ++deliveries_;
    const auto is_due = [this](unsigned every, std::uint64_t& count) {
      if (every == 0 || deliveries_ % every != 0) return false;
      ++count;
      return true;
    };
    if (is_due(faults_.lose, lost_)) return;
    if (is_due(faults_.corrupt, corrupted_)) payload.back() = '!';
    if (is_due(faults_.misdirect, misdirected_)) {
      member = (member + population_.members_per_room) % population_.members();
    }
    if (is_due(faults_.repeat, repeated_)) wire_.emplace_back(member, payload);
    wire_.emplace_back(member, std::move(payload));
  }

  Population population_;
  Faults faults_;
  UniqueFd event_;
  std::deque<std::pair<std::uint32_t, std::string>> wire_;
  std::deque<std::pair<std::uint32_t, std::string>> held_;
  std::uint64_t dies_after_ = 0;  // 0: never
  bool is_dead_ = false;
  bool repairs_ = false;
  int checks_ = 0;
  std::uint64_t deliveries_ = 0;
  std::uint64_t messages_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t repeated_ = 0;
  std::uint64_t corrupted_ = 0;
  std::uint64_t misdirected_ = 0;
};

class EngineTest : public testing::Test {
 protected:
  // Without a warm-up, so that all that is sent is measured.
  EngineTest() {
    workload_.population = {.rooms = 3, .members_per_room = 5, .senders_per_room = 5};
    workload_.sizes = *SizeDistribution::parse("64-200", 42, 4000);
    workload_.measure_ns = 100 * kMs;
    workload_.drain_ns = 10'000 * kMs;
    workload_.give_up_ns = 10'000 * kMs;
  }

  Measurement run_open(FakeTarget& target, double rate_per_s) {
    workload_.loop = LoopKind::kOpen;
    workload_.rate_per_s = rate_per_s;
    return Engine(workload_, target, {.interrupted = &interrupted_}, progress_).measure();
  }
  Measurement run_closed(FakeTarget& target, std::uint32_t window) {
    workload_.loop = LoopKind::kClosed;
    workload_.window = window;
    return Engine(workload_, target, {.interrupted = &interrupted_}, progress_).measure();
  }

  Workload workload_;
  Progress progress_;
  volatile std::sig_atomic_t interrupted_ = 0;
};

TEST_F(EngineTest, AnOpenLoopSendsWhatIsDue) {
  FakeTarget target(workload_.population, {});
  const Measurement measured = run_open(target, 2'000);
  EXPECT_EQ(measured.scheduled, 200u);
  EXPECT_EQ(measured.counts.sent, 200u);
  EXPECT_EQ(measured.counts.delivered, 800u);
  EXPECT_EQ(measured.counts.lost(), 0u);
  EXPECT_EQ(measured.response_time.count(), 800u);
  EXPECT_EQ(measured.send_lag.count(), 200u);
  EXPECT_GE(measured.measure_s, 0.1);
}

TEST_F(EngineTest, SoItDoesWithPoissonArrivals) {
  FakeTarget target(workload_.population, {});
  workload_.arrivals = Arrivals::kPoisson;
  const Measurement measured = run_open(target, 5'000);
  EXPECT_NEAR(static_cast<double>(measured.scheduled), 500, 120);
  EXPECT_EQ(measured.counts.sent, measured.scheduled);
  EXPECT_EQ(measured.counts.delivered, 4 * measured.counts.sent);
}

TEST_F(EngineTest, TheWarmUpIsInNoFigure) {
  FakeTarget target(workload_.population, {});
  workload_.warm_up_ns = 50 * kMs;
  const Measurement measured = run_open(target, 2'000);
  EXPECT_EQ(measured.counts.sent, 200u);
  EXPECT_GE(target.messages(), 290u);
  EXPECT_EQ(measured.response_time.count(), 800u);
}

TEST_F(EngineTest, RepairsAreThoseOfTheMeasurement) {
  FakeTarget target(workload_.population, {});
  EXPECT_EQ(run_open(target, 2'000).repairs, std::nullopt);
  target.repair();
  workload_.warm_up_ns = 50 * kMs;
  const Measurement measured = run_open(target, 2'000);
  ASSERT_EQ(measured.counts.sent, 200u);
  EXPECT_EQ(measured.repairs, (RepairCounts{200, 400, 600, 800}));
}

TEST_F(EngineTest, EveryFaultOfTheServerIsFound) {
  FakeTarget target(workload_.population,
                    {.lose = 7, .repeat = 11, .corrupt = 13, .misdirect = 17});
  workload_.drain_ns = 50 * kMs;
  const Measurement measured = run_open(target, 5'000);
  ASSERT_GT(target.lost(), 100u);
  ASSERT_GT(target.misdirected(), 50u);
  EXPECT_EQ(measured.counts.expected, 4 * measured.counts.sent);
  EXPECT_GT(measured.counts.lost(), target.lost());
  // What is corrupted may be misdirected or repeated as well: then it is booked once for each copy.
  EXPECT_GE(measured.counts.corrupted, target.corrupted());
  EXPECT_LE(measured.counts.corrupted, target.corrupted() + target.repeated());
  EXPECT_GE(measured.counts.foreign + measured.counts.corrupted,
            target.misdirected() + target.corrupted() / 2);
  EXPECT_GT(measured.counts.duplicated, target.repeated() / 2);
  EXPECT_LE(measured.counts.duplicated, target.repeated());
}

TEST_F(EngineTest, LossAloneIsExact) {
  FakeTarget target(workload_.population, {.lose = 9});
  workload_.drain_ns = 50 * kMs;
  const Measurement measured = run_open(target, 5'000);
  EXPECT_EQ(measured.counts.lost(), target.lost());
  EXPECT_GT(target.lost(), 100u);
  EXPECT_EQ(measured.unheard, 0u);
}

TEST_F(EngineTest, WhatIsLostIsInfinitelyLate) {
  FakeTarget target(workload_.population, {});
  target.die_after(110);
  workload_.drain_ns = 20 * kMs;
  const Measurement measured = run_open(target, 2'000);
  EXPECT_EQ(measured.counts.lost(), 90u * 4);
  EXPECT_EQ(measured.response_time.count(), 800u);
  EXPECT_EQ(measured.response_time.never(), 90u * 4);
  EXPECT_LT(measured.response_time.value_at(0.5), kNever);
  EXPECT_EQ(measured.response_time.percentile(0.75), kNever);
  EXPECT_EQ(measured.server_trouble, "the server is gone");
}

TEST_F(EngineTest, AServerThatEndsIsNoticedInAClosedLoop) {
  FakeTarget target(workload_.population, {});
  target.die_after(500);
  workload_.drain_ns = 20 * kMs;
  const Measurement measured = run_closed(target, 4);
  EXPECT_GT(measured.counts.delivered, 0u);
  EXPECT_EQ(measured.server_trouble, "the server is gone");
}

TEST_F(EngineTest, AServerThatAnswersEverythingIsNotAsked) {
  FakeTarget target(workload_.population, {});
  EXPECT_EQ(run_open(target, 2'000).server_trouble, "");
  EXPECT_EQ(target.checks(), 0);
  FakeTarget lossy(workload_.population, {.lose = 9});
  workload_.drain_ns = 20 * kMs;
  EXPECT_EQ(run_open(lossy, 2'000).server_trouble, "");
  EXPECT_EQ(lossy.checks(), 1);
}

// Nothing is waited for that cannot come any more: this one would take an hour.
TEST_F(EngineTest, TheEndOfTheServersProcessIsTheEndOfTheRun) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    for (;;) ::pause();
  }
  FakeTarget target(workload_.population, {});
  workload_.measure_ns = 3'600'000 * kMs;
  workload_.loop = LoopKind::kOpen;
  workload_.rate_per_s = 100;
  Engine engine(workload_, target, {.server_pid = pid, .interrupted = &interrupted_}, progress_);
  std::thread end([pid] { ::kill(pid, SIGKILL); });
  const Measurement measured = engine.measure();
  end.join();
  EXPECT_EQ(measured.server_trouble, "the server's process " + std::to_string(pid) + " has ended");
  // It is not waited for before, so that it is still there for kill(2): a zombie.
  EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
}

// A rate that cannot be sent, for hours: when it is interrupted, what was due is known at once.
TEST_F(EngineTest, ARateWithoutEndHasOne) {
  FakeTarget target(workload_.population, {});
  workload_.measure_ns = 20 * kMs;
  workload_.drain_ns = 0;
  const Measurement measured = run_open(target, 100e6);
  EXPECT_GT(measured.scheduled, measured.counts.sent);
  EXPECT_NEAR(static_cast<double>(measured.scheduled), 2e6, 1e3);
}

TEST_F(EngineTest, AClosedLoopKeepsItsWindowsFull) {
  FakeTarget target(workload_.population, {});
  const Measurement measured = run_closed(target, 4);
  EXPECT_GT(measured.counts.sent, 100u);
  EXPECT_EQ(measured.counts.delivered, measured.counts.expected);
  EXPECT_EQ(measured.send_lag.count(), 0u);
}

// Three rooms with one message each under way: without giving up, each room would say one message.
TEST_F(EngineTest, AClosedLoopGoesOnAfterALoss) {
  FakeTarget target(workload_.population, {.lose = 4});  // one of each message
  workload_.give_up_ns = 5 * kMs;
  workload_.measure_ns = 200 * kMs;
  workload_.drain_ns = 20 * kMs;
  const Measurement measured = run_closed(target, 1);
  EXPECT_GT(measured.counts.sent, 9u);
  EXPECT_EQ(measured.counts.lost(), target.lost());
  EXPECT_EQ(measured.counts.lost(), measured.counts.sent);
}

TEST_F(EngineTest, ASignalEndsIt) {
  FakeTarget target(workload_.population, {});
  workload_.measure_ns = 3'600'000 * kMs;
  interrupted_ = 1;
  EXPECT_TRUE(run_open(target, 100).was_interrupted);
}

TEST_F(EngineTest, ItMayMeasureAgainAtAnotherRate) {
  FakeTarget target(workload_.population, {});
  Engine engine(workload_, target, {}, progress_);
  EXPECT_EQ(engine.measure(1'000).counts.sent, 100u);
  const Measurement second = engine.measure(3'000);
  EXPECT_EQ(second.counts.sent, 300u);
  EXPECT_EQ(second.counts.delivered, 1'200u);
  EXPECT_EQ(second.response_time.count(), 1'200u);
}

TEST(Process, ItsEndIsNoticed) {
  EXPECT_FALSE(ProcessWatch(::getpid()).has_ended());
  constexpr pid_t kNobody = 4'194'303;
  EXPECT_TRUE(ProcessWatch(kNobody).has_ended());
}

TEST(Process, ItsProcessorTimeIsExactAndItsMemoryKnown) {
  const std::int64_t begin = own_cpu_ns();
  const auto begin_by_pid = cpu_ns_of(::getpid());
  ASSERT_TRUE(begin_by_pid);
  EXPECT_GE(*begin_by_pid, begin);
  while (own_cpu_ns() - begin < 5 * kMs) {
  }
  const auto end_by_pid = cpu_ns_of(::getpid());
  EXPECT_GE(*end_by_pid - *begin_by_pid, 4 * kMs);
  EXPECT_GT(resident_bytes_of(::getpid()).value_or(0), 1'000'000u);
  constexpr pid_t kNobody = 4'194'303;
  EXPECT_EQ(cpu_ns_of(kNobody), std::nullopt);
  EXPECT_EQ(resident_bytes_of(kNobody), std::nullopt);
}

}  // namespace
}  // namespace chatd::bench
