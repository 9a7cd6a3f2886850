// The servers whose own certificates the person has come to trust: a file of one line each,
//
//   chat.example:8001 sha256:AB:CD:…
//
// the way ssh keeps known_hosts. It may be edited; lines that do not look like that are kept.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace chatd::client {

// How fingerprints are written here and after --pin: "sha256:", and 64 hexadecimal digits in pairs
// with colons between, as chatd and openssl(1) write them. Nothing if `text` is none; the prefix,
// the colons and upper case may be missing.
std::optional<std::string> read_fingerprint(std::string_view text);

class KnownServers {
 public:
  explicit KnownServers(std::filesystem::path file) : file_(std::move(file)) {}

  const std::filesystem::path& file() const { return file_; }
  // `server`: "chat.example:8001". In the form of read_fingerprint().
  std::optional<std::string> fingerprint_of(std::string_view server) const;
  // Replaces what was known of it. The file is there as a whole at every moment, and for nobody
  // else to read. The reason when it cannot be written.
  tl::expected<void, std::string> remember(const std::string& server,
                                           const std::string& fingerprint) const;

 private:
  std::filesystem::path file_;
};

}  // namespace chatd::client
