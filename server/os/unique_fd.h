// A file descriptor with one owner.
#pragma once

#include <unistd.h>

#include <utility>

namespace chatd {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, kNone)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, kNone);
    }
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ != kNone; }

  // The caller closes it.
  int release() { return std::exchange(fd_, kNone); }

  void reset() {
    if (fd_ != kNone) ::close(fd_);
    fd_ = kNone;
  }

 private:
  static constexpr int kNone = -1;
  int fd_ = kNone;
};

}  // namespace chatd
