// A directory of its own, for as long as a test needs it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "tests/support/die.h"

namespace chatd::test {

class TemporaryFolder {
 public:
  TemporaryFolder() : path_(testing::TempDir() + "chatd-test-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) die("mkdtemp");
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace chatd::test
