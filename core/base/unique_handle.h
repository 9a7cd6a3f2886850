// Something that must be given back exactly once, a file descriptor for instance, with one owner.
// What it is and how it is given back are arguments: the core itself knows no descriptors.
#pragma once

#include <utility>

namespace chatd {

// `none` is the value that stands for nothing; `close` gets every other one, once.
template <auto close, auto none>
class UniqueHandle {
 public:
  using Handle = decltype(none);

  UniqueHandle() = default;
  explicit UniqueHandle(Handle handle) : handle_(handle) {}
  UniqueHandle(UniqueHandle&& other) noexcept : handle_(other.release()) {}
  UniqueHandle& operator=(UniqueHandle&& other) noexcept {
    if (this != &other) {
      reset();
      handle_ = other.release();
    }
    return *this;
  }
  UniqueHandle(const UniqueHandle&) = delete;
  UniqueHandle& operator=(const UniqueHandle&) = delete;
  ~UniqueHandle() { reset(); }

  Handle get() const { return handle_; }
  explicit operator bool() const { return handle_ != none; }

  // The caller closes it.
  Handle release() { return std::exchange(handle_, none); }

  void reset() {
    if (handle_ != none) close(handle_);
    handle_ = none;
  }

 private:
  Handle handle_ = none;
};

}  // namespace chatd
