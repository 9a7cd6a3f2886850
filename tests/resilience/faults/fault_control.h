// The test's end of the fault plan: what is to fail, and what has happened.
#pragma once

#include <cstdint>
#include <string>

#include "tests/resilience/faults/errno_table.h"
#include "tests/resilience/faults/fault_plan.h"
#include "tests/support/process.h"

namespace chatd::test {

// One experiment: these calls of a kind fail in this way.
struct Fault {
  static constexpr std::uint32_t kForEver = UINT32_MAX;

  Call call = Call::kCount;
  std::int32_t error = 0;
  std::uint32_t first = 0;
  std::uint32_t last = 0;

  bool lasts() const { return last == kForEver; }
  // As in "recvmmsg number 3 fails with ENOMEM".
  std::string to_string() const;
  // The error as a program prints it.
  std::string error_text() const;
};

// A temporary file that chatd maps, removed in the destructor.
class FaultControl {
 public:
  FaultControl();
  ~FaultControl();
  FaultControl(const FaultControl&) = delete;
  FaultControl& operator=(const FaultControl&) = delete;

  // For the start of chatd: loads the library.
  ProcessOptions process_options() const;

  // From here on calls are numbered anew, and fail as told.
  void arm(const Fault& fault);
  // Numbers them only.
  void count();
  // Neither, until go_on().
  void pause() { plan_->is_on = 0; }
  void go_on() { plan_->is_on = 1; }
  bool is_on() const { return plan_->is_on != 0; }

  std::uint32_t fired() const { return plan_->fired; }
  // The option of the last setsockopt that has failed.
  int failed_option() const { return static_cast<int>(plan_->failed_option); }
  std::uint32_t made(Call call) const { return plan_->made[static_cast<std::size_t>(call)]; }
  std::uint64_t total_calls() const { return plan_->total_calls; }
  // Shards that wait for something to happen.
  std::uint32_t sleepers() const { return plan_->sleepers; }

 private:
  void reset();

  std::string path_;
  FaultPlan* plan_ = nullptr;
};

}  // namespace chatd::test
