// A line that is cut and mended: within the idle timeout its member misses what was said meanwhile
// and stays; beyond it the member is removed, and everybody is told who can be.
#include "tests/integration/networks/tun_network_test.h"
#include "tests/support/wait_until.h"

namespace chatd::test {
namespace {

constexpr int kMessages = 50;
// Long enough for a busy machine to let everybody show in time that they live.
constexpr const char* kShortTimeout = "1s";

class Partition : public CloudTest, public testing::WithParamInterface<Family> {
 protected:
  // What `listener` hears next, while all but the one whose line is cut show that they live.
  std::optional<std::string> hear_while_others_live(Member& listener, std::size_t cut_off) {
    const Deadline deadline = kPatience;
    while (!deadline.passed()) {
      for (std::size_t i = 0; i < room().size(); ++i) {
        if (i != cut_off) room()[i].heartbeat();
      }
      if (auto heard = listener.hear(std::chrono::milliseconds(50))) return heard;
    }
    return std::nullopt;
  }
};

INSTANTIATE_TEST_SUITE_P(Both, Partition, testing::Values(Family::k4, Family::k6), family_name);

TEST_P(Partition, WhoIsBackInTimeHasMissedWhatWasSaidMeanwhile) {
  ASSERT_NO_FATAL_FAILURE(open_room(GetParam()));
  cloud().cut(line(1));
  std::vector<std::string> said;
  for (int i = 0; i < kMessages; ++i) {
    said.push_back(room()[0].say(std::to_string(i)));
    room()[1].say("into the void");
  }
  for (const std::string& each : said) {
    ASSERT_TRUE(room()[2].hears(each));
    ASSERT_TRUE(room()[3].hears(each));
  }
  ASSERT_TRUE(wait_until([&] {
    return cloud().traffic(line(1), Way::kFromHost).lost == kMessages &&
           cloud().traffic(line(1), Way::kToHost).lost == kMessages;
  }));
  cloud().mend(line(1));
  const Outcome outcome = converse(kMessages);
  for (const Messages& heard : outcome.heard) {
    EXPECT_EQ(heard.size(), (kMembers - 1) * kMessages);
    EXPECT_TRUE(are_in_order(heard));
  }
  const Counters counted = totals();
  EXPECT_EQ(counted["members_timed_out"], 0U);
  EXPECT_EQ(counted.sum_of("dropped_"), 0U) << counted.to_string();
}

TEST_P(Partition, WhoIsAwayForTooLongIsRemovedAndMayComeBack) {
  ASSERT_NO_FATAL_FAILURE(open_room(GetParam(), {"--idle-timeout", kShortTimeout}));
  cloud().cut(line(1));
  EXPECT_EQ(JsonObject(hear_while_others_live(room()[0], 1).value_or("")).text("message"),
            "m1 left");
  EXPECT_TRUE(room()[2].hears_left("m1"));
  EXPECT_TRUE(room()[3].hears_left("m1"));
  cloud().mend(line(1));
  room()[1].say("am I still there?");
  EXPECT_EQ(hear_while_others_live(room()[1], 1), kNotAuthenticated);
  {
    const Inside inside(host(1));
    const auto again = Member::join(server(), "room", "m1", {.source_ip = host_ip(GetParam(), 1)});
    ASSERT_TRUE(again);
    EXPECT_EQ(JsonObject(hear_while_others_live(room()[0], 1).value_or("")).text("message"),
              "m1 joined");
  }
  EXPECT_EQ(totals()["members_timed_out"], 1U);
}

TEST_P(Partition, ARoomWhoseHostIsAwayForTooLongEnds) {
  ASSERT_NO_FATAL_FAILURE(open_room(GetParam(), {"--idle-timeout", kShortTimeout}));
  cloud().cut(line(0));
  EXPECT_EQ(JsonObject(hear_while_others_live(room()[1], 0).value_or("")).text("message"),
            "m0 left");
  EXPECT_TRUE(room()[1].hears_own_removal());
  for (const std::size_t listener : {2U, 3U}) {
    EXPECT_TRUE(room()[listener].hears_left("m0"));
    EXPECT_TRUE(room()[listener].hears_own_removal());
  }
  EXPECT_EQ(totals()["members_timed_out"], 1U);
}

}  // namespace
}  // namespace chatd::test
