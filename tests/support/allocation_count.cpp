#include "tests/support/allocation_count.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>

#include "server/os/unique_fd.h"
#include "tests/support/die.h"

namespace chatd::test {

AllocationCount::AllocationCount()
    : path_(std::filesystem::temp_directory_path() / "chatd-allocations-XXXXXX") {
  const UniqueFd fd(::mkstemp(path_.data()));
  if (!fd || ::ftruncate(fd.get(), sizeof(std::uint64_t)) != 0) die("mkstemp");
  void* mapped = ::mmap(nullptr, sizeof(std::uint64_t), PROT_READ, MAP_SHARED, fd.get(), 0);
  if (mapped == MAP_FAILED) die("mmap");
  count_ = static_cast<const volatile std::uint64_t*>(mapped);
}

AllocationCount::~AllocationCount() {
  ::munmap(const_cast<std::uint64_t*>(count_), sizeof(std::uint64_t));
  ::unlink(path_.c_str());
}

std::uint64_t AllocationCount::now() const {
  return *count_;
}

}  // namespace chatd::test
