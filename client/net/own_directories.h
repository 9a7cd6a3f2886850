// Where `chat` keeps what outlives it (XDG Base Directory Specification).
#pragma once

#include <filesystem>
#include <optional>

namespace chatd::client {

// For as long as the person is logged in, where there is such a place; nothing when there is no
// place at all. It may have to be made.
std::optional<std::filesystem::path> session_directory();
// For good.
std::optional<std::filesystem::path> state_directory();

// Makes it, for nobody else to look into. False: it cannot be.
bool make_private(const std::filesystem::path& directory);

}  // namespace chatd::client
