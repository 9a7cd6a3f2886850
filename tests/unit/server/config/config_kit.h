// What the tests of the configuration share: a command line and an environment of a test's own.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "server/config/configuration.h"
#include "server/config/sources.h"
#include "tests/support/temporary_file.h"

namespace chatd::config {

using Words = std::vector<std::string>;

using test::TemporaryFile;

inline std::vector<const char*> pointers_to(const Words& words) {
  std::vector<const char*> pointers;
  for (const std::string& word : words) pointers.push_back(word.c_str());
  pointers.push_back(nullptr);
  return pointers;
}

inline tl::expected<Configuration, Errors> load_from(const Words& flags,
                                                     const Words& environment = {}) {
  Words line{"chatd"};
  for (const std::string& flag : flags) line.push_back(flag);
  const int count = static_cast<int>(line.size());
  return load(count, pointers_to(line).data(), pointers_to(environment).data());
}

inline Errors errors_of(const Words& flags, const Words& environment = {}) {
  const auto loaded = load_from(flags, environment);
  return loaded ? Errors{} : loaded.error();
}

inline Errors errors_in(std::string_view content) {
  Errors errors;
  read_toml(content, "chatd.toml", errors);
  return errors;
}

inline Options options_of(const Words& flags, const Words& environment = {}) {
  const auto loaded = load_from(flags, environment);
  EXPECT_TRUE(loaded) << testing::PrintToString(loaded ? Errors{} : loaded.error());
  return loaded ? loaded->options : Options{};
}

inline const Setting& setting_of(const Configuration& configuration, std::string_view name) {
  for (const Setting& setting : configuration.settings) {
    if (setting.option->toml_name() == name) return setting;
  }
  ADD_FAILURE() << "no such option: " << name;
  return configuration.settings.front();
}

}  // namespace chatd::config
