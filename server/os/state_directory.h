// What has to be the same after a restart or a crash is kept in the state directory, in files that
// nobody else may read. Thread: the main one.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <tl/expected.hpp>

namespace chatd {

// $STATE_DIRECTORY, which the service manager sets (systemd.exec(5)); of several the first. Empty:
// there is none.
std::string state_directory();

// By it clients of before know that it is their server that does not know them any more
// (core/crypto/reset_key.h).
inline constexpr char kResetKeyFile[] = "reset.key";

using KeptSecret = std::array<std::uint8_t, 32>;

// The secret in this file of the directory. If there is none, or no directory, it is a new one,
// which is kept as far as that is possible; what is not is in the log. The error: no randomness.
tl::expected<KeptSecret, std::string> kept_secret(const std::string& directory, const char* file);

}  // namespace chatd
