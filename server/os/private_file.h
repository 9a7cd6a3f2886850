// A file that nobody else may read (mode 0600), written so that there is the old one or the new one
// at any moment, and never a part. The directory must be there. Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace chatd {

// The error is a sentence.
tl::expected<void, std::string> write_private_file(const std::string& path, std::string_view bytes);

}  // namespace chatd
