// When a result is marked INVALID, who lost what, and the search for the highest rate.
#include "bench/chatbench/engine/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "bench/chatbench/engine/rate_search.h"
#include "bench/chatbench/engine/result.h"
#include "bench/chatbench/probe/server_watch.h"

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
  for (int i = 0; i < 180'000; ++i) measured.response_time.record(100'000);
  return measured;
}

std::vector<std::string> open(const Measurement& measured) {
  return judge(LoopKind::kOpen, measured, {}).reasons;
}
std::vector<std::string> closed(const Measurement& measured) {
  return judge(LoopKind::kClosed, measured, {}).reasons;
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

// What is said about the slowest thousandth is judged by the slowest thousandth.
TEST(Verdict, TheSendLagIsThatOfThePercentileThatIsToBeBelieved) {
  Measurement measured = good();
  for (int i = 0; i < 30; ++i) measured.send_lag.record(12'000'000);
  EXPECT_THAT(open(measured), IsEmpty());
  const auto with = [&measured](double percentile) {
    return judge(LoopKind::kOpen, measured, {.lag_percentile = percentile}).reasons;
  };
  EXPECT_THAT(with(0.999),
              ElementsAre(HasSubstr("the 99.9th percentile of the send lag is 12 ms")));
  EXPECT_THAT(with(1), ElementsAre(HasSubstr("the longest of the send lag is 12 ms")));
  // Nothing is said about a percentile for which there are too few deliveries.
  measured.response_time.reset();
  EXPECT_THAT(with(0.999), IsEmpty());
}

// 300 messages are few, but those to whom they went are many.
TEST(Verdict, FewMessagesOfManyDeliveriesAreJudgedAsWell) {
  Measurement measured = good();
  measured.send_lag.reset();
  for (int i = 0; i < 299; ++i) measured.send_lag.record(50'000);
  measured.send_lag.record(12'000'000);
  EXPECT_THAT(open(measured), IsEmpty());
  EXPECT_THAT(judge(LoopKind::kOpen, measured, {.lag_percentile = 0.999}).reasons,
              ElementsAre(HasSubstr("99.9th percentile of the send lag is 12 ms")));
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

TEST(Verdict, AServerThatHasEndedIsTheFirstReason) {
  Measurement measured = good();
  EXPECT_FALSE(judge(LoopKind::kOpen, measured, {}).is_server_lost);
  measured.server_trouble = "the server is gone";
  measured.own_cpu_s = 1.92;
  const Verdict verdict = judge(LoopKind::kOpen, measured, {});
  EXPECT_THAT(verdict.reasons, ElementsAre(HasSubstr("the server is gone"), HasSubstr("busy")));
  EXPECT_TRUE(verdict.is_server_lost);
  measured = good();
  measured.members_lost = 1;
  EXPECT_TRUE(judge(LoopKind::kOpen, measured, {}).is_server_lost);
}

TEST(Verdict, OfNoTimeNothingIsSaidAboutOwnCpu) {
  Measurement measured = good();
  measured.measure_s = 0;
  measured.own_cpu_s = 0;
  EXPECT_THAT(open(measured), IsEmpty());
}

TEST(Verdict, ARunAgainstLimits) {
  Measurement measured = good();
  measured.warnings = 1;
  EXPECT_THAT(open(measured), ElementsAre(HasSubstr("--rate-limits off")));
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

client::Address address(const std::string& ip, std::uint16_t port) {
  return client::resolve(ip, port, 0, -1).value().front();
}

TEST(UdpSockets, AreThoseThatHearTheAddress) {
  const auto at = sockets_in_table(kTable, address("127.0.0.1", 9000));
  ASSERT_TRUE(at);
  EXPECT_EQ(at->drops, 17u);
  EXPECT_THAT(at->inodes, ElementsAre(5178));
  const auto other = sockets_in_table(kTable, address("127.0.0.2", 9000));
  ASSERT_TRUE(other);
  EXPECT_EQ(other->drops, 3u);
  EXPECT_EQ(sockets_in_table(kTable, address("127.0.0.3", 9000)), std::nullopt);
  const auto wildcard = sockets_in_table(kTable, address("127.0.0.3", 9001));
  ASSERT_TRUE(wildcard);
  EXPECT_EQ(wildcard->drops, 4u);
  EXPECT_EQ(sockets_in_table(kTable, address("127.0.0.1", 9002)), std::nullopt);
  EXPECT_EQ(sockets_in_table("", address("127.0.0.1", 9000)), std::nullopt);
  EXPECT_EQ(sockets_in_table("  12: 0100007F:2328 0", address("127.0.0.1", 9000)), std::nullopt);
}

TEST(UdpSockets, AShardHasOneEach) {
  const std::string table = std::string(kTable) +
                            " 1237: 0100007F:2328 00000000:0000 07 00000000:00000000 00:00000000 "
                            "00000000     0        0 5181 2 0000000000000000 5\n";
  const auto both = sockets_in_table(table, address("127.0.0.1", 9000));
  ASSERT_TRUE(both);
  EXPECT_EQ(both->drops, 22u);
  EXPECT_THAT(both->inodes, ElementsAre(5178, 5181));
}

TEST(UdpSockets, AreTheSameAsEarlierWhenOneIs) {
  const UdpSockets earlier{.drops = 0, .inodes = {1, 2}};
  EXPECT_TRUE((UdpSockets{.drops = 0, .inodes = {3, 2}}.has_one_of(earlier)));
  EXPECT_FALSE((UdpSockets{.drops = 0, .inodes = {3, 4}}.has_one_of(earlier)));
}

TEST(UdpSockets, ATableForIPv6IsReadTheSameWay) {
  const std::string row =
      ":2328 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 "
      "5178 2 0000000000000000 8\n";
  const auto drops_at = [&row](const std::string& local, const std::string& ip) {
    const auto found = sockets_in_table(" 99: " + local + row, address(ip, 9000));
    return found ? static_cast<int>(found->drops) : -1;
  };
  EXPECT_EQ(drops_at("00000000000000000000000001000000", "::1"), 8);
  EXPECT_EQ(drops_at("00000000000000000000000001000000", "::2"), -1);
  EXPECT_EQ(drops_at("00000000000000000000000000000000", "::1"), 8);
  // A socket for both families hears IPv4, too.
  EXPECT_EQ(drops_at("00000000000000000000000000000000", "127.0.0.1"), 8);
  EXPECT_EQ(drops_at("0000000000000000FFFF00000100007F", "127.0.0.1"), 8);
}

}  // namespace
}  // namespace chatd::bench
