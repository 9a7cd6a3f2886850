// Room passwords.
#include "core/room/password.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace chatd {
namespace {

constexpr Password::Salt kSalt = {1, 2, 3};

TEST(Password, NoneAcceptsAnything) {
  for (const Password& none : {Password(), Password("", kSalt)}) {
    EXPECT_FALSE(none.is_required());
    EXPECT_TRUE(none.accepts(""));
    EXPECT_TRUE(none.accepts("anything"));
  }
}

TEST(Password, AcceptsItselfAlone) {
  const Password password("secret", kSalt);
  EXPECT_TRUE(password.is_required());
  EXPECT_TRUE(password.accepts("secret"));
  for (const std::string_view wrong : {"", "Secret", "secre", "secrets", " secret"}) {
    EXPECT_FALSE(password.accepts(wrong)) << wrong;
  }
}

// The digest is compared whole: a look at one byte of it would let one guess in 256 pass.
TEST(Password, AcceptsNoneOfManyGuesses) {
  const Password password("secret", kSalt);
  for (int i = 0; i < 5'000; ++i) EXPECT_FALSE(password.accepts(std::to_string(i))) << i;
}

TEST(Password, MayHoldAnyBytesOfAnyLength) {
  const std::string plain = std::string("a\0b", 3) + std::string(10'000, '\xff');
  const Password password(plain, kSalt);
  EXPECT_TRUE(password.accepts(plain));
  EXPECT_FALSE(password.accepts("a"));
  EXPECT_FALSE(password.accepts(plain.substr(0, plain.size() - 1)));
}

}  // namespace
}  // namespace chatd
