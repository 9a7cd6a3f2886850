// One chatd for both families (--host ::).
#include "tests/integration/networks/tun_network_test.h"

namespace chatd::test {
namespace {

constexpr int kFamilyMessages = 100;

class Families : public CloudTest {
 protected:
  void open_mixed_room(const std::vector<std::string>& flags = {"--host", "::"}) {
    build();
    ASSERT_NO_FATAL_FAILURE(start_server(flags));
    for (std::size_t i = 0; i < kMembers; ++i) {
      const Family family = i % 2 == 0 ? Family::k4 : Family::k6;
      ASSERT_TRUE(enter(host(i), host_ip(family, i), "m" + std::to_string(i),
                        {.server_ip = server_ip(family)}));
    }
  }
};

TEST_F(Families, MembersOfBothAreInOneRoom) {
  ASSERT_NO_FATAL_FAILURE(open_mixed_room());
  const Outcome outcome = converse(kFamilyMessages);
  for (const Messages& heard : outcome.heard) {
    EXPECT_EQ(heard.size(), (kMembers - 1) * kFamilyMessages);
    EXPECT_TRUE(are_in_order(heard));
  }
  EXPECT_EQ(totals().sum_of("dropped_"), 0U);
}

TEST_F(Families, MembersOfBothLoseWhatTheirLinesLose) {
  ASSERT_NO_FATAL_FAILURE(open_mixed_room());
  set_faults(Way::kFromHost, {.loss = 0.1, .reordering = 0.1});
  set_faults(Way::kToHost, {.loss = 0.1, .duplication = 0.1});
  converse(kFamilyMessages);
  EXPECT_EQ(totals().sum_of("dropped_"), 0U);
}

TEST_F(Families, RefusalsOfBothRemoveMembers) {
  ASSERT_NO_FATAL_FAILURE(open_mixed_room());
  room()[2].socket().close();
  room()[3].socket().close();
  std::vector<std::string> left;
  const Deadline deadline = kPatience;
  while (left.size() < 2 && !deadline.passed()) {
    const std::string said = room()[0].say("anybody there?");
    auto heard = room()[1].hear();
    while (heard && JsonObject(*heard).text("sender") == "system") {
      left.push_back(JsonObject(*heard).text("username"));
      heard = room()[1].hear();
    }
    ASSERT_EQ(heard, said);
  }
  std::sort(left.begin(), left.end());
  EXPECT_EQ(left, (std::vector<std::string>{"m2", "m3"}));
  EXPECT_EQ(totals()["members_refused"], 2U);
}

}  // namespace
}  // namespace chatd::test
