// How a model objects: it throws, so that a fuzzer's report shows the line, and a test the promise.
#pragma once

#include <stdexcept>

namespace chatd::test {

class PromiseBroken : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// Nobody catches it on its way: libFuzzer's report shows the line that threw.
inline void require(bool holds, const char* promise) {
  if (!holds) throw PromiseBroken(promise);
}

}  // namespace chatd::test
