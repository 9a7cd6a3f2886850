#include "core/control/neighbours.h"

#include <utility>

namespace chatd {

void Neighbours::post(std::uint8_t to, Letter letter) {
  letters.push_back({.to = to, .letter = std::move(letter)});
}

}  // namespace chatd
