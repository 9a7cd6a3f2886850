#include "tests/resilience/faults/fault_control.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <new>

#include "server/os/unique_fd.h"
#include "tests/support/die.h"

namespace chatd::test {

std::string Fault::error_text() const {
  if (error == kShortResult) return "short";
  if (call == Call::kGetaddrinfo) return ::gai_strerror(error);
  return std::strerror(error);
}

std::string Fault::to_string() const {
  std::string text = faults_of(call).name;
  text += " number " + std::to_string(first);
  if (lasts()) text += " and all after it";
  if (error == kShortResult) return text + ": short";
  const char* const name =
      call == Call::kGetaddrinfo ? ::gai_strerror(error) : ::strerrorname_np(error);
  return text + ": " + (name != nullptr ? name : std::to_string(error));
}

FaultControl::FaultControl()
    : path_(std::filesystem::temp_directory_path() / "chatd-faults-XXXXXX") {
  const UniqueFd fd(::mkstemp(path_.data()));
  if (!fd || ::ftruncate(fd.get(), sizeof(FaultPlan)) != 0) die("mkstemp");
  void* const mapped =
      ::mmap(nullptr, sizeof(FaultPlan), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (mapped == MAP_FAILED) die("mmap");
  plan_ = new (mapped) FaultPlan{};
}

FaultControl::~FaultControl() {
  ::munmap(plan_, sizeof(FaultPlan));
  ::unlink(path_.c_str());
}

ProcessOptions FaultControl::process_options() const {
  return {.environment = {{"LD_PRELOAD", CHATD_FAULT_LIBRARY}, {kFaultPlanVariable, path_}}};
}

void FaultControl::arm(const Fault& fault) {
  reset();
  plan_->call = static_cast<std::uint32_t>(fault.call);
  plan_->first = fault.first;
  plan_->last = fault.last;
  plan_->error = fault.error;
  go_on();
}

void FaultControl::count() {
  reset();
  go_on();
}

void FaultControl::reset() {
  pause();
  plan_->call = static_cast<std::uint32_t>(Call::kCount);
  plan_->first = 0;
  plan_->last = 0;
  plan_->fired = 0;
  for (auto& number : plan_->made) number = 0;
}

}  // namespace chatd::test
