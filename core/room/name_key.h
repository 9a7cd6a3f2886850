// A name as the roster finds it: a hash, under the process's key, of the form in which names are
// compared (core/base/names.h).
//
// Folding may take microseconds, so it is done once, when a room is made or somebody joins, and
// never for a datagram. Eight bytes are kept of it, where the form itself would take as much as the
// name. Two forms have the same key with a probability of 2^-64, and nobody without the process's
// key can look for such a pair; the later one would be told that its name is taken.
#pragma once

#include <cstdint>

namespace chatd {

struct NameKey {
  std::uint64_t value = 0;
  bool operator==(const NameKey&) const = default;
};

}  // namespace chatd
