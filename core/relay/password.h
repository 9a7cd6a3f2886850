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

  Password() = default;  // none: everybody is welcome
  Password(std::string_view plain, const Salt& salt);

  bool is_required() const { return is_required_; }
  bool accepts(std::string_view plain) const;

 private:
  static constexpr std::size_t kDigestBytes = 32;
  using Digest = std::array<std::uint8_t, kDigestBytes>;

  static Digest digest(std::string_view plain, const Salt& salt);

  Salt salt_{};
  Digest digest_{};
  bool is_required_ = false;
};

}  // namespace chatd
