// A room's password, kept as a salted BLAKE2b hash (RFC 7693) and compared in constant time. It
// keeps strangers out of a chat room; it is no vault, so a fast hash is enough and a join costs no
// memory-hard second.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chatd {

class Password {
 public:
  static constexpr std::size_t kSaltBytes = 16;
  using Salt = std::array<std::uint8_t, kSaltBytes>;

  static constexpr std::size_t kDigestBytes = 32;
  using Digest = std::array<std::uint8_t, kDigestBytes>;
  struct Hash {
    Salt salt{};
    Digest digest{};
    bool operator==(const Hash&) const = default;
  };

  Password() = default;  // none: everybody is welcome
  Password(std::string_view plain, const Salt& salt);
  // One that was made before, by what is left of it.
  explicit Password(const Hash& hash) : hash_(hash), is_required_(true) {}

  bool is_required() const { return is_required_; }
  bool accepts(std::string_view plain) const;
  // Of a password that is required.
  const Hash& hash() const { return hash_; }

 private:
  static Digest digest(std::string_view plain, const Salt& salt);

  Hash hash_{};
  bool is_required_ = false;
};

}  // namespace chatd
