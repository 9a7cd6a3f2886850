// Keys of session tickets: a clock that only the test moves.
#include "server/tls/ticket_keys.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace chatd {
namespace {

constexpr TimeMs kStartMs = 1'000'000;

struct Ticket {
  std::array<unsigned char, 16> name{};
  std::array<unsigned char, EVP_MAX_IV_LENGTH> iv{};
};

class Contexts {
 public:
  ~Contexts() {
    EVP_CIPHER_CTX_free(cipher_);
    EVP_MAC_CTX_free(mac_);
    EVP_MAC_free(hmac_);
  }
  int seal(TicketKeys& keys, TimeMs now_ms, Ticket& ticket) {
    return keys.prepare(now_ms, ticket.name.data(), ticket.iv.data(), cipher_, mac_, true);
  }
  int open(TicketKeys& keys, TimeMs now_ms, Ticket ticket) {
    return keys.prepare(now_ms, ticket.name.data(), ticket.iv.data(), cipher_, mac_, false);
  }

 private:
  EVP_CIPHER_CTX* cipher_ = EVP_CIPHER_CTX_new();
  EVP_MAC* hmac_ = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  EVP_MAC_CTX* mac_ = EVP_MAC_CTX_new(hmac_);
};

TEST(TicketKeys, OpenWhatTheyHaveSealedForALifetimeAtLeast) {
  TicketKeys keys = TicketKeys::make(kStartMs).value();
  Contexts contexts;
  Ticket ticket;
  ASSERT_EQ(contexts.seal(keys, kStartMs + TicketKeys::kLifeMs - 1, ticket), 1);
  EXPECT_EQ(contexts.open(keys, kStartMs + TicketKeys::kLifeMs, ticket), 2);
  EXPECT_EQ(contexts.open(keys, kStartMs + 2 * TicketKeys::kLifeMs - 1, ticket), 2);
  EXPECT_EQ(contexts.open(keys, kStartMs + 2 * TicketKeys::kLifeMs, ticket), 0);
}

TEST(TicketKeys, ALongSilenceEndsThemAsWell) {
  TicketKeys keys = TicketKeys::make(kStartMs).value();
  Contexts contexts;
  Ticket ticket;
  ASSERT_EQ(contexts.seal(keys, kStartMs, ticket), 1);
  EXPECT_EQ(contexts.open(keys, kStartMs + 10 * TicketKeys::kLifeMs, ticket), 0);
}

TEST(TicketKeys, SealWithANewKeyAfterALifetime) {
  TicketKeys keys = TicketKeys::make(kStartMs).value();
  Contexts contexts;
  Ticket first;
  Ticket second;
  ASSERT_EQ(contexts.seal(keys, kStartMs, first), 1);
  ASSERT_EQ(contexts.seal(keys, kStartMs + TicketKeys::kLifeMs, second), 1);
  EXPECT_NE(first.name, second.name);
}

TEST(TicketKeys, GoOnInAnotherProcess) {
  TicketKeys keys = TicketKeys::make(kStartMs).value();
  Contexts contexts;
  Ticket ticket;
  ASSERT_EQ(contexts.seal(keys, kStartMs, ticket), 1);
  const std::string text = keys.text();
  ASSERT_TRUE(TicketKeys::is_text(text));
  EXPECT_FALSE(TicketKeys::is_text(text.substr(1)));
  TicketKeys next(kStartMs, text);
  EXPECT_EQ(next.text(), text);
  EXPECT_EQ(contexts.open(next, kStartMs, ticket), 2);
  TicketKeys strangers = TicketKeys::make(kStartMs).value();
  EXPECT_EQ(contexts.open(strangers, kStartMs, ticket), 0);
}

}  // namespace
}  // namespace chatd
