// The answer to a join with protocol v2 has the room's whole roster, which makes it long. Server
// and client agree on how long it can be (docs/reference/protocol-v2.md, "Limits").
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/limits.h"

namespace chatd::v2 {

// Whole frame, header included.
inline constexpr std::size_t kMaxAnswerBytes = 64 * 1024 * 1024;
// A room with more members takes nobody with protocol v2, whatever the operator allows it to have.
inline constexpr std::uint32_t kMaxRosterMembers = 100'000;

// A member in the roster: ,{"id":4294967295,"name":"…"} and twice the longest name, for each of its
// bytes may have to be escaped. The rest of the answer takes less than a kilobyte.
inline constexpr std::size_t kMaxRosterMemberBytes = 28 + 2 * kMaxNameBytes;
static_assert(kMaxRosterMembers * kMaxRosterMemberBytes + 1024 <= kMaxAnswerBytes);

}  // namespace chatd::v2
