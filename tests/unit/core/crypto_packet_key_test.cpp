// Sealing and opening protocol v2's datagrams with both ciphers, and the change of keys.
#include "core/crypto/packet_key.h"

#include <gtest/gtest.h>
#include <sodium/core.h>

#include <string>
#include <vector>

namespace chatd {
namespace {

constexpr SessionSecret kSecret{1, 2, 3};

std::vector<Cipher> ciphers() {
  std::vector<Cipher> all{Cipher::kChaCha20Poly1305};
  if (sodium_init() >= 0 && fastest_cipher() == Cipher::kAes256Gcm)
    all.push_back(Cipher::kAes256Gcm);
  return all;
}

std::string sealed(Sealer& sealer, std::uint64_t packet_number, std::string_view plain) {
  std::string bytes(v2::kOverheadBytes + plain.size(), '\0');
  EXPECT_EQ(sealer.seal(v2::SessionId(77), packet_number, plain, bytes.data()),
            bytes.data() + bytes.size());
  return bytes;
}

// What was sealed, or "(not opened)".
std::string opened(Cipher cipher, const PacketKey& key, std::string_view bytes) {
  const auto datagram = v2::parse_datagram(bytes);
  if (!datagram) return "(not a datagram)";
  std::string plain(datagram->sealed.size() - v2::kTagBytes, '\0');
  return open_datagram(cipher, key, *datagram, plain.data()) ? plain : "(not opened)";
}

TEST(Seal, OpensUnderItsKeyAlone) {
  for (const Cipher cipher : ciphers()) {
    SCOPED_TRACE(cipher_name(cipher));
    const PacketKey key(kSecret, Direction::kToClient);
    Sealer sealer;
    sealer.use(cipher, key);
    const std::string bytes = sealed(sealer, 5, "frames");
    EXPECT_EQ(bytes.find("frames"), std::string::npos);
    EXPECT_EQ(opened(cipher, key, bytes), "frames");
    EXPECT_EQ(opened(cipher, PacketKey(kSecret, Direction::kToServer), bytes), "(not opened)");
    EXPECT_EQ(opened(cipher, PacketKey({9}, Direction::kToClient), bytes), "(not opened)");
    EXPECT_EQ(opened(cipher, key.next(), bytes), "(not opened)");
  }
}

TEST(Seal, CoversEveryBit) {
  for (const Cipher cipher : ciphers()) {
    SCOPED_TRACE(cipher_name(cipher));
    const PacketKey key(kSecret, Direction::kToServer);
    Sealer sealer;
    sealer.use(cipher, key);
    const std::string bytes = sealed(sealer, 5, "frames");
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      std::string other = bytes;
      other[bit / 8] = static_cast<char>(other[bit / 8] ^ 1 << bit % 8);
      EXPECT_NE(opened(cipher, key, other), "frames") << "bit " << bit;
    }
  }
}

TEST(Seal, OfTheSameFramesDiffersByNumber) {
  Sealer sealer;
  sealer.use(Cipher::kChaCha20Poly1305, PacketKey(kSecret, Direction::kToClient));
  EXPECT_NE(sealed(sealer, 1, "frames").substr(v2::kHeaderBytes),
            sealed(sealer, 2, "frames").substr(v2::kHeaderBytes));
}

TEST(PacketKey, IsReplacedByNumber) {
  EXPECT_EQ(PacketKey::epoch_of(0), 0u);
  EXPECT_EQ(PacketKey::epoch_of(kPacketsPerKey - 1), 0u);
  EXPECT_EQ(PacketKey::epoch_of(kPacketsPerKey), 1u);
  EXPECT_LE(kPacketsPerKey, std::uint64_t{1} << 23) << "RFC 9001, section 6.6";
  const PacketKey first(kSecret, Direction::kToClient);
  const PacketKey second = first.next();
  EXPECT_EQ(second.epoch(), 1u);
  EXPECT_NE(second.bytes(), first.bytes());
  EXPECT_EQ(second.bytes(), first.next().bytes());
}

}  // namespace
}  // namespace chatd
