// Every call that chatd makes on its way to the ready line, failing in every way it can, once or
// from then on. Either it says in one line what has happened and ends with 1, or it serves as if
// nothing had been. It does not hang, does not crash, and does not serve half.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/resilience/faults/fault_control.h"
#include "tests/resilience/faults/sweep.h"
#include "tests/resilience/faults/test_client.h"
#include "tests/support/chatd_server.h"
#include "tests/support/ledger.h"
#include "tests/support/socket_unit.h"
#include "tests/support/wait_until.h"
#include "tests/support/wire.h"

namespace chatd::test {
namespace {

struct Variant {
  const char* name;
  std::vector<std::string> flags;
  std::size_t passed_udp_sockets = 0;  // and a listener, from the service manager
};

const std::array<Variant, 5>& variants() {
  static const std::array<Variant, 5> kVariants{
      {{"one_shard", {"--tls-port", "off"}},
       {"two_shards", {"--shards", "2", "--tls-port", "off"}},
       {"both_families", {"--host", "::", "--shards", "2", "--tls-port", "off"}},
       {"passed_sockets", {"--shards", "2"}, 2},
       {"tls", {"--tls-port", "0"}}}};
  return kVariants;
}

// What the log must have of a failure after which chatd goes on: nothing, where it costs nothing
// (it is tried again, or nobody needs what it gives). After SO_RCVBUFFORCE comes SO_RCVBUF, and of
// that it is told what came of it.
std::string must_be_logged(const Fault& fault, const FaultControl& faults) {
  static const std::set<Call> kTold{Call::kSetsockopt, Call::kGetifaddrs,
                                    Call::kPthreadSetaffinity};
  if (!kTold.contains(fault.call)) return "";
  switch (faults.failed_option()) {
    case SO_RCVBUFFORCE:
    case SO_SNDBUFFORCE:
      return "";
    case SO_RCVBUF:
    case SO_SNDBUF:
      return "bursts may be lost";
    default:
      return fault.error_text();
  }
}

// With fewer descriptors than it needs, so that it has to ask for more.
ProcessOptions options_for(const FaultControl& faults, const std::optional<SocketUnit>& unit) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  ProcessOptions options = faults.process_options();
  options.max_open_files = {{256, limit.rlim_max}};
  if (unit) options.passed_sockets = unit->descriptors();
  return options;
}

std::optional<SocketUnit> unit_for(const Variant& variant) {
  if (variant.passed_udp_sockets == 0) return std::nullopt;
  return SocketUnit(variant.passed_udp_sockets);
}

struct Outcomes {
  std::uint32_t ended = 0;
  std::uint32_t went_on = 0;
  std::uint32_t not_reached = 0;
};

class StartFaults : public testing::TestWithParam<Call> {
 protected:
  void sweep(const Variant& variant, std::uint32_t made) {
    const Sweep sweep(GetParam(), made, SweepFor::kStart);
    Outcomes outcomes;
    for (const Fault& fault : sweep.faults()) {
      SCOPED_TRACE(std::string(variant.name) + ", " + fault.to_string());
      try_start(variant, fault, outcomes);
      if (HasFailure()) return;
    }
    const std::uint32_t reached = outcomes.ended + outcomes.went_on;
    std::printf("faults: start %s %s calls=%u cases=%zu reached=%u ended=%u went_on=%u\n",
                variant.name, faults_of(GetParam()).name, made, sweep.faults().size(), reached,
                outcomes.ended, outcomes.went_on);
    EXPECT_GE(reached * 3, sweep.faults().size());
  }

  // Counts the calls of an untroubled start.
  static std::uint32_t calls_made(const Variant& variant, Call call) {
    FaultControl faults;
    faults.count();
    auto unit = unit_for(variant);
    ChatdServer server(variant.flags, options_for(faults, unit));
    unit.reset();
    EXPECT_TRUE(server.ready()) << server.diagnosis();
    faults.pause();
    expect_service(server);
    return faults.made(call);
  }

 private:
  static void try_start(const Variant& variant, const Fault& fault, Outcomes& outcomes) {
    FaultControl faults;
    faults.arm(fault);
    auto unit = unit_for(variant);
    ChatdServer server(variant.flags, options_for(faults, unit));
    // It has the sockets; if it ends, nobody is to wait at ours.
    unit.reset();
    const bool is_up = server.ready();
    faults.pause();
    const testing::AssertionResult is_served =
        is_up ? serves(server) : testing::AssertionFailure() << "it is not ready";
    // Without memory it may be a shard that gives up, when the ready line is already out.
    const bool may_end_later = fault.call == Call::kAllocate && faults.fired() > 0;
    if (!is_up || (may_end_later && !is_served)) {
      ++outcomes.ended;
      return expect_explanation(server, fault);
    }
    ++(faults.fired() > 0 ? outcomes.went_on : outcomes.not_reached);
    ASSERT_TRUE(is_served);
    expect_good_end(server);
    const std::string& log = server.diagnosis();
    if (faults.fired() > 0) {
      EXPECT_NE(log.find(must_be_logged(fault, faults)), std::string::npos) << log;
    }
  }

  static void expect_explanation(ChatdServer& server, const Fault& fault) {
    const auto status = server.process().wait_exit();
    ASSERT_TRUE(status) << "it neither serves nor ends";
    ASSERT_EQ(status->signal, 0) << "it crashes: " << server.diagnosis();
    EXPECT_EQ(status->code, 1);
    const std::string& log = server.diagnosis();
    const bool is_told = log.find("chatd cannot start: ") != std::string::npos ||
                         log.find("chatd has to stop: ") != std::string::npos;
    EXPECT_TRUE(is_told) << log;
    if (fault.call == Call::kAllocate) {
      EXPECT_NE(log.find("emory"), std::string::npos) << log;
    } else if (fault.error != kShortResult && fault.error != EAI_SYSTEM) {
      EXPECT_NE(log.find(fault.error_text()), std::string::npos) << log;
    }
  }

  // Whether two can talk there, and it ends well when it is asked to.
  static testing::AssertionResult serves(ChatdServer& server) {
    const Deadline deadline = kPatience;
    TestClient alice("alice");
    TestClient bob("bob");
    if (alice.enter(kCreateRoom, server, "room", deadline) != Entry::kDone ||
        bob.enter(kJoinRoom, server, "room", deadline) != Entry::kDone) {
      return testing::AssertionFailure() << "nobody gets in: " << server.diagnosis();
    }
    const auto hears = [&](TestClient& listener, const std::string& said) {
      return wait_until([&] { return listener.has_heard(said); });
    };
    if (!hears(bob, alice.say(server, "hello")) || !hears(alice, bob.say(server, "hello"))) {
      return testing::AssertionFailure() << "they do not hear each other: " << server.diagnosis();
    }
    return server.running() ? testing::AssertionSuccess()
                            : testing::AssertionFailure() << "it ends although nobody asked";
  }

  static void expect_good_end(ChatdServer& server) {
    const auto& counters = server.stop(SIGTERM);
    ASSERT_TRUE(counters) << server.diagnosis();
    expect_closed_ledger(*counters);
    EXPECT_EQ((*counters)["deliveries_sent"], 2U) << counters->to_string();
  }

  static void expect_service(ChatdServer& server) {
    ASSERT_TRUE(serves(server));
    expect_good_end(server);
  }
};

TEST_P(StartFaults, AreToldOrOvercome) {
  bool is_called = false;
  for (const Variant& variant : variants()) {
    const std::uint32_t made = calls_made(variant, GetParam());
    ASSERT_FALSE(HasFailure());
    if (made == 0) continue;
    is_called = true;
    sweep(variant, made);
    if (HasFailure()) return;
  }
  EXPECT_TRUE(is_called) << "chatd starts without " << faults_of(GetParam()).name;
}

INSTANTIATE_TEST_SUITE_P(All, StartFaults, testing::ValuesIn(calls_of(SweepFor::kStart)), name_of);

}  // namespace
}  // namespace chatd::test
