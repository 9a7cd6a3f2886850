// OpenSSL as a fuzzer needs it: the same input leads to the same keys, and what it holds is known.
// Thread: one.
#pragma once

#include <cstddef>

namespace chatd::fuzz {

// While it lives, all that is random in OpenSSL is the same each time. Clients and servers of other
// tests in the process get real randomness before and after.
class RepeatableOpenSsl {
 public:
  RepeatableOpenSsl();
  ~RepeatableOpenSsl();
  RepeatableOpenSsl(const RepeatableOpenSsl&) = delete;
  RepeatableOpenSsl& operator=(const RepeatableOpenSsl&) = delete;

  // What OpenSSL has allocated since this one was made, and not freed.
  std::size_t held_bytes() const;

 private:
  std::size_t held_before_bytes_;
};

}  // namespace chatd::fuzz
