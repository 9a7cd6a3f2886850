#include "client/chat/seat_file.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "client/net/own_directories.h"

namespace chatd::client {
namespace {

// Names may hold anything, and be long: a hash of them is a good name for a file.
std::string file_name(std::string_view host, std::uint16_t tcp_port, std::string_view room,
                      std::string_view username) {
  std::string key;
  const std::string port = std::to_string(tcp_port);
  for (const std::string_view part : {host, std::string_view(port), room}) {
    key.append(part).push_back('\0');
  }
  key.append(username);
  std::array<unsigned char, crypto_generichash_BYTES_MIN> hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(key.data()),
                     key.size(), nullptr, 0);
  std::array<char, 2 * crypto_generichash_BYTES_MIN + 1> hex{};
  ::sodium_bin2hex(hex.data(), hex.size(), hash.data(), hash.size());
  return hex.data();
}

// Whether the open file is ours, and still the one of that name: the last `chat` may have removed
// it between our open and our lock.
bool is_ours(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && status.st_uid == ::geteuid() && status.st_nlink == 1;
}

}  // namespace

std::optional<SeatFile> SeatFile::open(std::string_view host, std::uint16_t tcp_port,
                                       std::string_view room, std::string_view username) {
  const auto place = session_directory();
  if (!place || !make_private(*place)) return std::nullopt;
  const std::string path = *place / file_name(host, tcp_port, room, username);
  constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  UniqueFd file(::open(path.c_str(), kFlags, S_IRUSR | S_IWUSR));
  if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return std::nullopt;
  if (!is_ours(file.get())) return std::nullopt;
  return SeatFile(path, std::move(file));
}

std::optional<Token> SeatFile::token() const {
  std::array<char, kTokenHexBytes> hex{};
  if (::pread(file_.get(), hex.data(), hex.size(), 0) != static_cast<ssize_t>(hex.size())) {
    return std::nullopt;
  }
  return Token::parse({hex.data(), hex.size()});
}

void SeatFile::keep(const Token& token) const {
  const std::string hex = token.hex();
  // Without it, only coming back after a crash takes longer.
  if (::pwrite(file_.get(), hex.data(), hex.size(), 0) != static_cast<ssize_t>(hex.size()))
    forget();
}

void SeatFile::forget() const {
  ::unlink(path_.c_str());
}

}  // namespace chatd::client
