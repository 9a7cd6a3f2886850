// Random bytes for secrets, from the kernel (getrandom(2)). Thread: any.
#pragma once

#include <sys/random.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <tl/expected.hpp>

#include "server/os/system_error.h"

namespace chatd {

// `Bytes` is an array of bytes.
template <class Bytes>
tl::expected<Bytes, std::string> kernel_random() {
  Bytes bytes;
  for (std::size_t filled = 0; filled < bytes.size();) {
    const ssize_t count = ::getrandom(bytes.data() + filled, bytes.size() - filled, 0);
    if (count > 0) filled += static_cast<std::size_t>(count);
    if (count < 0 && errno != EINTR) return tl::unexpected(system_error("getrandom"));
  }
  return bytes;
}

}  // namespace chatd
