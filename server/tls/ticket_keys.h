// The keys under which session tickets are sealed (RFC 8446, 4.6.1): a client that comes back shows
// its ticket, and the handshake needs no signature. Nothing is stored for a ticket, and all shards
// have the same keys, so it does not matter which of them sees it again. A key seals for as long as
// a ticket lives, and opens for as long again: who gets hold of the keys can open nothing that was
// sealed before, and no ticket gives away what was said under it, for a resumed handshake agrees on
// new keys as well (psk_dhe_ke).
// Thread: any.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "core/base/time.h"
#include "server/tls/openssl.h"

namespace chatd {

class TicketKeys {
 public:
  static constexpr TimeMs kLifeMs = 2 * 3600 * 1000;

  // New ones. An error: there is no randomness.
  static tl::expected<TicketKeys, std::string> make(TimeMs now_ms);
  // Those of another process (text()); nothing where the text is none.
  static bool is_text(std::string_view text);
  TicketKeys(TimeMs now_ms, std::string_view text);
  TicketKeys(TicketKeys&& other) noexcept;

  // For another process: it goes on with them.
  std::string text() const;

  // What SSL_CTX_set_tlsext_ticket_key_evp_cb wants of its callback.
  int prepare(TimeMs now_ms, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
              EVP_MAC_CTX* mac, bool seals);

 private:
  struct Key {
    std::array<unsigned char, 16> name{};
    std::array<unsigned char, 32> cipher{};
    std::array<unsigned char, 32> mac{};
  };
  static constexpr std::size_t kKeyBytes = 16 + 32 + 32;

  TicketKeys() = default;
  static bool fill(Key& key);
  void rotate(TimeMs now_ms);

  mutable std::mutex mutex_;
  Key current_;
  Key previous_;
  TimeMs rotate_at_ms_ = 0;
};

}  // namespace chatd
