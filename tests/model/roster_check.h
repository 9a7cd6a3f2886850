// Whether the roster's lists, arrays and indexes agree with each other.
#pragma once

#include "core/room/roster.h"

namespace chatd::test {

void check_roster(const Roster& roster);

}  // namespace chatd::test
