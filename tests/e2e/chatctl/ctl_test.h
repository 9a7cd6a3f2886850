// What the tests of chatctl share: a chatd with a socket file for its operator, and the tool.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "tests/e2e/chatd/server_test.h"
#include "tests/support/die.h"
#include "tests/support/http.h"
#include "tests/support/temporary_file.h"
#include "tests/support/wait_until.h"

namespace chatd::test {

struct CtlOutcome {
  int exit_code = -1;
  std::string out;
  std::string err;
};

inline Process start_chatctl(const std::vector<std::string>& arguments,
                             ProcessOptions options = {}) {
  std::vector<std::string> command{CHATCTL_PROGRAM};
  command.insert(command.end(), arguments.begin(), arguments.end());
  options.environment.emplace_back("LC_ALL", "C.UTF-8");
  return Process(std::move(command), options);
}

inline CtlOutcome run_chatctl(const std::vector<std::string>& arguments,
                              ProcessOptions options = {}) {
  Process chatctl = start_chatctl(arguments, std::move(options));
  const auto exit = chatctl.wait_exit();
  EXPECT_TRUE(exit) << "chatctl does not end";
  return {exit ? exit->code : -1, chatctl.captured(Stream::kStdout),
          chatctl.captured(Stream::kStderr)};
}

class CtlTest : public ServerTest {
 protected:
  CtlTest() : directory_(testing::TempDir() + "chatctl-test-XXXXXX") {
    if (::mkdtemp(directory_.data()) == nullptr) die("mkdtemp");
  }
  ~CtlTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  void start_with_socket(std::vector<std::string> flags = {}) {
    flags.insert(flags.end(), {"--admin", place()});
    ASSERT_NO_FATAL_FAILURE(start(std::move(flags)));
  }
  std::string path() const { return directory_ + "/admin.sock"; }
  std::string place() const { return "unix:" + path(); }
  // A folder of the test's own.
  const std::string& directory() const { return directory_; }

  CtlOutcome ctl(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--admin", place()});
    return run_chatctl(arguments);
  }
  // It has to succeed; what it printed.
  std::string shown(std::vector<std::string> arguments) const {
    const CtlOutcome outcome = ctl(std::move(arguments));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    return outcome.out;
  }

 private:
  std::string directory_;
};

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace chatd::test
