// The real chatbench, started as a user would start it.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/support/chatd_server.h"
#include "tests/support/process.h"

namespace chatd::test {

using Arguments = std::vector<std::string>;

struct BenchRun {
  int exit_code = -2;  // -1: ended by a signal, -2: still running at the deadline
  std::string output;
  std::string errors;
};

BenchRun run_chatbench(const Arguments& arguments);
// The same in two steps, for a test that does something meanwhile.
Process start_chatbench(const Arguments& arguments);
BenchRun finish(Process& chatbench);

// `chatbench run` against the server, with `arguments`. Other tests run at the same time, so that
// chatbench may get the processor late: unless told otherwise it must not mind.
Arguments run_against(const ChatdServer& server, const Arguments& arguments);

// The result that `chatbench run --json -` prints.
class BenchResult {
 public:
  explicit BenchResult(const BenchRun& run);

  // Whether there was one; when not, the test has failed already.
  bool is_there() const { return root_.has_value(); }
  // A number by its path, "/totals/sent"; -1 for none.
  double number(const char* path) const;
  std::string text(const char* path) const;
  // The reasons for INVALID, one a line.
  std::string invalid_because() const;

 private:
  simdjson::dom::parser parser_;
  std::optional<simdjson::dom::element> root_;
};

}  // namespace chatd::test
