// Waiting for one of several descriptors, whatever the kernel says.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>

namespace chatd {

inline constexpr int kNoDescriptor = -1;  // it is passed over

// The place in the list of the first that is readable; nothing when none is for `timeout_ms` (-1:
// waits for ever). A poll that fails (no memory) is tried again a moment later (with a timeout: by
// the caller), and the log says so once: who waits for the order to stop must not take a failure
// for it, nor miss it.
std::optional<std::size_t> wait_readable(std::initializer_list<int> fds, int timeout_ms = -1);

}  // namespace chatd
