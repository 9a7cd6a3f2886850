// When a result is marked INVALID, who lost what, and the search for the highest rate.
#include "bench/chatbench/engine/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/chatbench/engine/loss.h"
#include "bench/chatbench/engine/rate_search.h"
#include "bench/chatbench/probe/socket_drops.h"

namespace chatd::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Measurement good() {
  Measurement measured;
  measured.measure_s = 2;
  measured.counts.sent = 20'000;
  measured.scheduled = 20'000;
  measured.counts.expected = 180'000;
  measured.counts.delivered = 180'000;
  measured.own_cpu_s = 1;
  for (int i = 0; i < 20'000; ++i) measured.send_lag.record(50'000);
  return measured;
}

std::vector<std::string> open(const Measurement& measured) {
  return reasons_for_distrust(LoopKind::kOpen, measured, {});
}
std::vector<std::string> closed(const Measurement& measured) {
  return reasons_for_distrust(LoopKind::kClosed, measured, {});
}

TEST(Verdict, NothingAgainstAGoodRun) {
  EXPECT_THAT(open(good()), IsEmpty());
  EXPECT_THAT(closed(good()), IsEmpty());
}

TEST(Verdict, ABusyChatbenchSpoilsAnOpenLoop) {
  Measurement measured = good();
  measured.own_cpu_s = 1.92;
  EXPECT_THAT(open(measured), ElementsAre(HasSubstr("busy for 96 % of a core")));
}

TEST(Verdict, InAClosedLoopItDependsOnWhoWaited) {
  Measurement measured = good();
  measured.own_cpu_s = 1.92;
  EXPECT_THAT(closed(measured), ElementsAre(HasSubstr("--server-pid")));
  measured.server_cpu_s = 1.9;
  EXPECT_THAT(closed(measured), IsEmpty());
  measured.server_cpu_s = 1;
  EXPECT_THAT(closed(measured), ElementsAre(HasSubstr("the server used only 50 % of one")));
}

TEST(Verdict, SendLagIsLoadThatNobodyAskedFor) {
  Measurement measured = good();
  for (int i = 0; i < 300; ++i) measured.send_lag.record(12'000'000);
  EXPECT_THAT(open(measured), ElementsAre(HasSubstr("send lag is 12 ms, more than 10 ms")));
  EXPECT_THAT(closed(measured), IsEmpty());
}

TEST(Verdict, MessagesThatDidNotGetOutInTime) {
  Measurement measured = good();
  measured.scheduled = 20'100;
  EXPECT_THAT(open(measured), IsEmpty());
  measured.scheduled = 30'000;
  measured.counts.sent = 29'999;
  EXPECT_THAT(open(measured), IsEmpty());
  measured.counts.sent = 20'000;
  EXPECT_THAT(open(measured), ElementsAre(HasSubstr("10000 of 30000 messages that were due")));
}

TEST(Verdict, OwnDropsAndRefusals) {
  Measurement measured = good();
  measured.faults = {.unsent = 3, .receive_drops = 7};
  EXPECT_THAT(open(measured), ElementsAre(HasSubstr("overflowed 7 times"), HasSubstr("refused 3")));
}

TEST(Verdict, ARunThatMeasuredNothing) {
  Measurement measured = good();
  measured.counts.delivered = 0;
  EXPECT_THAT(open(measured), ElementsAre(HasSubstr("not one delivery came")));
  measured = good();
  measured.members_lost = 2;
  measured.was_interrupted = true;
  EXPECT_THAT(open(measured), ElementsAre(HasSubstr("removed members"), HasSubstr("interrupted")));
}

TEST(Verdict, ARunAgainstLimits) {
  Measurement measured = good();
  measured.warnings = 1;
  EXPECT_THAT(open(measured), ElementsAre(HasSubstr("--limits off")));
}

LossEvidence lost(std::uint64_t deliveries, std::uint64_t unheard) {
  LossEvidence evidence;
  evidence.lost = deliveries;
  evidence.unheard = unheard;
  evidence.deliveries_per_message = 9;
  return evidence;
}

TEST(Loss, WithoutEvidenceItIsNobodys) {
  EXPECT_EQ(attribute_loss(lost(100, 11)), (LossByCause{.unattributed = 100}));
}

TEST(Loss, AMessageThatWasLostCostsAllItsDeliveries) {
  LossEvidence evidence = lost(100, 11);
  evidence.unsent = 2;
  evidence.server_socket_drops = 5;
  EXPECT_EQ(attribute_loss(evidence),
            (LossByCause{.chatbench_send = 18, .server_kernel = 45, .unattributed = 37}));
}

// The server's socket may have dropped heartbeats, or others' messages.
TEST(Loss, NoCounterExplainsMoreThanWasLost) {
  LossEvidence evidence = lost(20, 2);
  evidence.server_socket_drops = 1'000;
  evidence.own_receive_drops = 1'000;
  EXPECT_EQ(attribute_loss(evidence), (LossByCause{.chatbench_receive = 2, .server_kernel = 18}));
}

TEST(Loss, OwnDropsAreDeliveriesOrTrains) {
  LossEvidence evidence = lost(1'000, 0);
  evidence.own_receive_drops = 4;
  EXPECT_EQ(attribute_loss(evidence), (LossByCause{.chatbench_receive = 4, .unattributed = 996}));
  evidence.in_trains = true;
  EXPECT_EQ(attribute_loss(evidence), (LossByCause{.chatbench_receive = 512, .unattributed = 488}));
}

// What the search finds when all rates up to `limit` hold, and in how many steps.
std::optional<double> search(double start, double limit, int& steps) {
  RateSearch search(start);
  for (steps = 0; search.next() && steps < 100; ++steps) search.report(*search.next() <= limit);
  return search.best();
}

TEST(RateSearch, FindsTheHighestWithinFivePercent) {
  for (const double start : {1.0, 1'000.0, 64'000.0, 1e6}) {
    int steps = 0;
    const auto best = search(start, 12'345, steps);
    ASSERT_TRUE(best) << start;
    EXPECT_LE(*best, 12'345) << start;
    EXPECT_GE(*best * 1.05, 12'345) << start;
    EXPECT_LT(steps, 25) << start;
  }
}

TEST(RateSearch, EndsWhenNoneHoldsOrAllDo) {
  int steps = 0;
  EXPECT_EQ(search(1'000, 0, steps), std::nullopt);
  EXPECT_LT(steps, 12);
  EXPECT_GT(search(1'000, 1e12, steps), 40e6);
  EXPECT_LT(steps, 20);
}

constexpr const char* kTable =
    "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode ref pointer drops            \n"
    " 1234: 0100007F:2328 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 "
    "5178 2 0000000000000000 17        \n"
    " 1235: 00000000:2329 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 "
    "5179 2 0000000000000000 4         \n"
    " 1236: 0200007F:2328 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 "
    "5180 2 0000000000000000 3         \n";

TEST(SocketDrops, AreTheSumOverTheSocketsAtAPort) {
  EXPECT_EQ(drops_in_table(kTable, 9000), 20u);
  EXPECT_EQ(drops_in_table(kTable, 9001), 4u);
  EXPECT_EQ(drops_in_table(kTable, 9002), std::nullopt);
  EXPECT_EQ(drops_in_table("", 9000), std::nullopt);
}

TEST(SocketDrops, ATableForIPv6IsReadTheSameWay) {
  EXPECT_EQ(drops_in_table(" 99: 00000000000000000000000001000000:2328 "
                           "00000000000000000000000000000000:0000 07 00000000:00000000 "
                           "00:00000000 00000000 0 0 5178 2 0000000000000000 8\n",
                           9000),
            8u);
}

}  // namespace
}  // namespace chatd::bench
