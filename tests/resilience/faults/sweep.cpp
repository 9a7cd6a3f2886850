#include "tests/resilience/faults/sweep.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string_view>

namespace chatd::test {
namespace {

// So many at most, from the first one on.
std::set<std::uint32_t> spread(std::uint32_t made, std::uint32_t most) {
  std::set<std::uint32_t> numbers;
  const std::uint32_t step = (made + most - 1) / most;
  for (std::uint32_t number = 1; number <= made; number += step) numbers.insert(number);
  return numbers;
}

// A start with TLS allocates 22,000 times, nearly all of them in OpenSSL.
constexpr std::uint32_t kMostNumbers = 4'000;

// The sample of a call with as many errors as numbers would be the whole: one in the middle is
// enough, another one for each error. What is called a thousand times is called in many places.
std::set<std::uint32_t> numbers_for(std::uint32_t made, std::size_t error_index) {
  if (is_full_sweep()) return spread(made, kMostNumbers);
  if (made > 1'000) return spread(made, 16);
  const auto middle = static_cast<std::uint32_t>(1 + (error_index * 7 + made / 2) % made);
  return {1, middle, made};
}

// Not to have a call at all is a matter of the kernel: from the first one on, or never.
bool must_last(std::int32_t error) {
  return error == ENOSYS;
}

// An interruption does not last, and a plain short result is no fault.
bool can_last(std::int32_t error) {
  return error != EINTR && error != kShortResult;
}

}  // namespace

bool is_full_sweep() {
  const char* const wanted = std::getenv("CHATD_TEST_SWEEP");
  return wanted != nullptr && std::string_view(wanted) == "all";
}

std::vector<Call> calls_of(SweepFor scenario) {
  // setsockopt is not among the first: in service it is only called when a datagram was too large.
  static const std::vector<Call> kServiceOnly{Call::kAccept4,  Call::kEpollWait, Call::kRecv,
                                              Call::kRecvmmsg, Call::kSendmmsg,  Call::kShutdown,
                                              Call::kWrite};
  static const std::vector<Call> kBoth{Call::kAllocate,   Call::kClose, Call::kEpollCtl,
                                       Call::kGetsockopt, Call::kPoll,  Call::kSend};
  static const std::vector<Call> kHandoverOnly{
      Call::kMemfdCreate, Call::kPosixSpawn, Call::kPread,     Call::kPwrite,
      Call::kRecvmsg,     Call::kSendmsg,    Call::kSocketpair};
  if (scenario == SweepFor::kHandover) {
    // And what a start takes, for the new chatd. Without memory the old one may have to give up.
    std::vector<Call> calls = kHandoverOnly;
    for (const Call call :
         {Call::kClose, Call::kEpollCreate1, Call::kEpollCtl, Call::kEventfd, Call::kGetrandom,
          Call::kGetrlimit, Call::kGetsockname, Call::kGetsockopt, Call::kPoll,
          Call::kPthreadCreate, Call::kPthreadSigmask, Call::kRead, Call::kSetsockopt,
          Call::kSignalfd, Call::kWrite}) {
      calls.push_back(call);
    }
    return calls;
  }
  std::vector<Call> calls = kBoth;
  if (scenario == SweepFor::kService) {
    calls.insert(calls.end(), kServiceOnly.begin(), kServiceOnly.end());
    return calls;
  }
  for (const CallFaults& each : kCallFaults) {
    if (each.call == Call::kRead) continue;  // what signals tell: signal_faults_test.cpp
    if (std::ranges::find(kBoth, each.call) == kBoth.end() &&
        std::ranges::find(kServiceOnly, each.call) == kServiceOnly.end() &&
        std::ranges::find(kHandoverOnly, each.call) == kHandoverOnly.end()) {
      calls.push_back(each.call);
    }
  }
  return calls;
}

std::string name_of(const testing::TestParamInfo<Call>& info) {
  return faults_of(info.param).name;
}

Sweep::Sweep(Call call, std::uint32_t made, SweepFor scenario) {
  const auto errors = faults_of(call).errors;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    for (const std::uint32_t number : numbers_for(made, i)) {
      if (must_last(errors[i]) && number > 1) continue;
      if (!must_last(errors[i])) {
        faults_.push_back({.call = call, .error = errors[i], .first = number, .last = number});
      }
      // At the start what fails once may fail from then on, as it does without descriptors.
      if (scenario == SweepFor::kStart && can_last(errors[i])) {
        faults_.push_back(
            {.call = call, .error = errors[i], .first = number, .last = Fault::kForEver});
      }
    }
    if (scenario == SweepFor::kService && can_last(errors[i])) {
      faults_.push_back({.call = call, .error = errors[i], .first = 1, .last = Fault::kForEver});
    }
  }
}

}  // namespace chatd::test
