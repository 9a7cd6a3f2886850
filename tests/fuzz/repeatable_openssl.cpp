// A method of one's own is deprecated; what is to come in its place is a provider, a hundred lines.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "tests/fuzz/repeatable_openssl.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "tests/model/require.h"

namespace chatd::fuzz {
namespace {

// --- Memory --------------------------------------------------------------------------------------

std::size_t held = 0;

void* allocate(std::size_t size_bytes, const char* /*file*/, int /*line*/) {
  void* const memory = std::malloc(size_bytes);
  held += ::malloc_usable_size(memory);
  return memory;
}

void release(void* memory, const char* /*file*/, int /*line*/) {
  held -= ::malloc_usable_size(memory);
  std::free(memory);
}

void* reallocate(void* memory, std::size_t size_bytes, const char* /*file*/, int /*line*/) {
  held -= ::malloc_usable_size(memory);
  void* const moved = std::realloc(memory, size_bytes);
  held += ::malloc_usable_size(moved);
  return moved;
}

// Before OpenSSL has allocated anything.
bool count_memory() {
  static const bool kIsCounted = CRYPTO_set_mem_functions(&allocate, &reallocate, &release) == 1;
  return kIsCounted;
}

// --- Randomness ----------------------------------------------------------------------------------

std::uint64_t state = 0;

// SplitMix64: all that is asked of it is to be the same each time.
std::uint64_t next_number() {
  std::uint64_t mixed = state += 0x9e3779b97f4a7c15;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

int fill(unsigned char* bytes, int size_bytes) {
  for (std::size_t left = static_cast<std::size_t>(size_bytes); left > 0;) {
    const std::uint64_t number = next_number();
    const std::size_t count = std::min(left, sizeof number);
    std::memcpy(bytes, &number, count);
    bytes += count;
    left -= count;
  }
  return 1;
}

int is_ready() {
  return 1;
}

constexpr RAND_METHOD kSameEachTime{.seed = nullptr,
                                    .bytes = &fill,
                                    .cleanup = nullptr,
                                    .add = nullptr,
                                    .pseudorand = &fill,
                                    .status = &is_ready};

}  // namespace

RepeatableOpenSsl::RepeatableOpenSsl() {
  test::require(count_memory(), "OpenSSL lets its memory be counted");
  test::require(RAND_set_rand_method(&kSameEachTime) == 1, "and its dice be loaded");
  state = 0;
  held_before_bytes_ = held;
}

RepeatableOpenSsl::~RepeatableOpenSsl() {
  RAND_set_rand_method(nullptr);
}

std::size_t RepeatableOpenSsl::held_bytes() const {
  return held - std::min(held, held_before_bytes_);
}

}  // namespace chatd::fuzz
