// A file in a directory of its own, for as long as a test needs it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <string_view>

#include "tests/support/die.h"

namespace chatd::test {

class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view content)
      : directory_(testing::TempDir() + "chatd-test-XXXXXX") {
    if (::mkdtemp(directory_.data()) == nullptr) die("mkdtemp");
    std::ofstream(path(), std::ios::binary) << content;
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    ::unlink(path().c_str());
    ::rmdir(directory_.c_str());
  }

  std::string path() const { return directory_ + "/chatd.toml"; }

 private:
  std::string directory_;
};

}  // namespace chatd::test
