// What the test and chatd share while faults are injected: a mapped file. The test writes what is
// to fail, the library that chatd was started with (fault_library.cpp) reads it at each call and
// counts. So a fault can be armed before the start or in the middle of a session, and nothing
// stops, asks or slows the program for it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace chatd::test {

inline constexpr char kFaultPlanVariable[] = "CHATD_TEST_FAULTS";

// Every function of the C library that chatd calls, that asks the kernel for something, and that
// can fail (coverage_test.cpp holds the list against the program). kAllocate is malloc and all that
// ends in it.
enum class Call : std::uint8_t {
  kAccept4,
  kAllocate,
  kBind,
  kClose,
  kConnect,
  kEpollCreate1,
  kEpollCtl,
  kEpollWait,
  kEventfd,
  kGetaddrinfo,
  kGetifaddrs,
  kGetrandom,
  kGetrlimit,
  kGetsockname,
  kGetsockopt,
  kListen,
  kMemfdCreate,
  kPoll,
  kPosixSpawn,
  kPread,
  kPthreadCreate,
  kPthreadSetaffinity,
  kPthreadSigmask,
  kPwrite,
  kRead,
  kRecv,
  kRecvfrom,
  kRecvmmsg,
  kRecvmsg,
  kSchedGetaffinity,
  kSend,
  kSendmmsg,
  kSendmsg,
  kSetrlimit,
  kSetsockopt,
  kShutdown,
  kSignalfd,
  kSocket,
  kSocketpair,
  kWrite,
  kCount,
};
inline constexpr std::size_t kCallCount = static_cast<std::size_t>(Call::kCount);

// Instead of an error: the call does less than it was asked for (fewer bytes, fewer datagrams).
inline constexpr std::int32_t kShortResult = 100'000;

struct FaultPlan {
  using Number = std::atomic<std::uint32_t>;
  static_assert(Number::is_always_lock_free);

  // While it is 0, calls are neither numbered nor failed.
  Number is_on;
  // The calls numbered first to last (from 1) of this kind fail with this error.
  Number call;
  Number first;
  Number last;
  std::atomic<std::int32_t> error;
  // Or, if this is not 0, any call of a kind in the mask fails so many times in a million, with an
  // error of its list; which ones follows from the seed.
  Number chance_per_million;
  std::atomic<std::uint64_t> random_calls;
  std::atomic<std::uint64_t> seed;

  Number fired;                            // how many have failed
  Number failed_option;                    // of the last setsockopt that has
  Number sleepers;                         // threads in epoll_wait that wait for something
  std::atomic<std::uint64_t> total_calls;  // of all kinds, on or off
  std::array<Number, kCallCount> made;     // of each kind, while on
};

// The soak (tests/resilience/soak/server.py) writes it as well.
static_assert(offsetof(FaultPlan, chance_per_million) == 20 &&
              offsetof(FaultPlan, random_calls) == 24 && offsetof(FaultPlan, seed) == 32 &&
              offsetof(FaultPlan, fired) == 40 && offsetof(FaultPlan, total_calls) == 56);

}  // namespace chatd::test
