#include "tests/unit/core/allocation/counted_new.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::uint64_t> count{0};
std::atomic<std::int64_t> nothrow_left{-1};  // 0: the next one fails; below: none does

bool is_to_fail() {
  return nothrow_left.load() >= 0 && nothrow_left.fetch_sub(1) == 0;
}

void* counted(void* block) {
  count.fetch_add(1, std::memory_order_relaxed);
  if (block == nullptr) std::abort();
  return block;
}

}  // namespace

std::uint64_t chatd::test::allocation_count() {
  return count.load(std::memory_order_relaxed);
}

void chatd::test::fail_nothrow_after(std::uint64_t count_of_good_ones) {
  nothrow_left.store(static_cast<std::int64_t>(count_of_good_ones));
}

// All forms, although the standard ones call the first two: under the address sanitizer they do
// not.
void* operator new(std::size_t size) {
  return counted(std::malloc(size == 0 ? 1 : size));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto align = static_cast<std::size_t>(alignment);
  return counted(std::aligned_alloc(align, (size + align - 1) / align * align));
}
void* operator new[](std::size_t size) {
  return operator new(size);
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return operator new(size, alignment);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return is_to_fail() ? nullptr : operator new(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return is_to_fail() ? nullptr : operator new(size);
}

void operator delete(void* block) noexcept {
  std::free(block);
}
void operator delete[](void* block) noexcept {
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}
void operator delete[](void* block, std::size_t) noexcept {
  std::free(block);
}
void operator delete(void* block, std::align_val_t) noexcept {
  std::free(block);
}
void operator delete[](void* block, std::align_val_t) noexcept {
  std::free(block);
}
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
  std::free(block);
}
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept {
  std::free(block);
}
