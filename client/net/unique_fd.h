// A file descriptor with one owner.
#pragma once

#include <unistd.h>

#include "core/base/unique_handle.h"

namespace chatd {

using UniqueFd = UniqueHandle<&::close, -1>;

}  // namespace chatd
