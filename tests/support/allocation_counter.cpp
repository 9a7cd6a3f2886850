// Counts heap allocations of a program that loads this with LD_PRELOAD, into a file that the test
// reads meanwhile (see allocation_count.h). The count lives in a mapped file because the program is
// not to be stopped, asked or slowed down for it.
//
// operator new ends in malloc, so what is counted here is all there is. The real functions are
// called by glibc's own second names: dlsym allocates, which is no good within malloc.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "tests/support/allocation_count.h"
#include "tests/support/libc_allocator.h"

namespace {

using Count = std::atomic<std::uint64_t>;
static_assert(Count::is_always_lock_free && sizeof(Count) == sizeof(std::uint64_t));

Count before_mapping{0};
std::atomic<Count*> current{&before_mapping};

void count_one() {
  current.load(std::memory_order_relaxed)->fetch_add(1, std::memory_order_relaxed);
}

__attribute__((constructor)) void map_count() {
  const char* path = std::getenv(chatd::test::kAllocationCountVariable);
  if (path == nullptr) return;
  const int fd = ::open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* mapped = ::mmap(nullptr, sizeof(Count), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (mapped == MAP_FAILED) return;
  auto* count = static_cast<Count*>(mapped);
  count->fetch_add(before_mapping.load());
  current.store(count);
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) {
  count_one();
  return __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) {
  count_one();
  return __libc_calloc(count, size);
}

void* realloc(void* block, std::size_t size) {
  count_one();
  return __libc_realloc(block, size);
}

void* memalign(std::size_t alignment, std::size_t size) {
  count_one();
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  count_one();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void** block, std::size_t alignment, std::size_t size) {
  count_one();
  *block = __libc_memalign(alignment, size);
  return *block == nullptr ? ENOMEM : 0;
}

}  // extern "C"
