// Reads what allocation_counter.cpp counts in another process.
#pragma once

#include <cstdint>
#include <string>

namespace chatd::test {

inline constexpr char kAllocationCountVariable[] = "CHATD_TEST_ALLOCATION_COUNT";

// A temporary file with the count, removed in the destructor.
class AllocationCount {
 public:
  AllocationCount();
  ~AllocationCount();
  AllocationCount(const AllocationCount&) = delete;
  AllocationCount& operator=(const AllocationCount&) = delete;

  const std::string& path() const { return path_; }
  // Allocations so far, since the program was loaded.
  std::uint64_t now() const;

 private:
  std::string path_;
  const volatile std::uint64_t* count_ = nullptr;
};

}  // namespace chatd::test
