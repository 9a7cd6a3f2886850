// Rooms that say much in no time, for the tests of what the dispatcher makes of it.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "tests/support/wire.h"
#include "tests/unit/core/relay_kit.h"

namespace chatd::test {

using Texts = std::vector<std::string>;

class DispatcherKit : public testing::Test {
 protected:
  std::vector<Person> make_room(RelayKit& kit, const std::string& room, std::size_t size) {
    std::vector<Person> people = {kit.create(room, "p0")};
    while (people.size() < size) {
      people.push_back(kit.join(room, "p" + std::to_string(people.size())));
    }
    kit.take();
    return people;
  }

  static std::string payload(const Person& who, int number) {
    return message_payload(who.name, std::to_string(1'000'000 + number));  // all of one size
  }

  // No limit on a member's rate: these tests say much in no time.
  static RelayConfig config() {
    RelayConfig config;
    config.limits.abuse = AbuseLimits::none();
    return config;
  }

  RelayKit kit_{config()};
};

}  // namespace chatd::test
