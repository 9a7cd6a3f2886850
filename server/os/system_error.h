// What the kernel refused, as a sentence for an operator: the call, the reason, and what to do
// about it where there is something to do.
#pragma once

#include <string>

namespace chatd {

// "socket: Too many open files. Raise …". `error` is an errno.
std::string system_error(const std::string& call, int error);
// The same with the reason in errno.
std::string system_error(const std::string& call);

// The advice alone, with a full stop before it, or nothing.
std::string advice_for(int error);

}  // namespace chatd
