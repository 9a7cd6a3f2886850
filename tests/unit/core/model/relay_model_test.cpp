// The whole relay against the reference model (tests/model): dice say what happens, and after each
// step exactly the right ones must have heard exactly the right bytes.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>

#include "tests/model/relay_script.h"
#include "tests/model/require.h"
#include "tests/unit/core/model/seeds.h"

namespace chatd::test {
namespace {

constexpr int kScripts = 150;
constexpr std::size_t kMaxBytes = 1'500;  // up to 250 steps

TEST(RelayModel, AgreesWithTheProtocol) {
  for (const std::uint64_t seed : model_seeds()) {
    Dice dice(seed);
    for (int i = 0; i < kScripts; ++i) {
      std::string script(static_cast<std::size_t>(dice.roll(kMaxBytes)), '\0');
      for (char& byte : script) byte = static_cast<char>(dice.any());
      try {
        run_relay_script(script);
      } catch (const PromiseBroken& broken) {
        FAIL() << "seed " << seed << ", script " << i << ": not so: " << broken.what();
      }
    }
  }
}

}  // namespace
}  // namespace chatd::test
