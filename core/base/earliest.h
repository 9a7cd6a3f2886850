// The earlier of two deadlines, where there may be none.
#pragma once

#include <algorithm>
#include <optional>

#include "core/base/timestamp.h"

namespace chatd {

inline std::optional<TimeMs> earliest(std::optional<TimeMs> a, std::optional<TimeMs> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace chatd
