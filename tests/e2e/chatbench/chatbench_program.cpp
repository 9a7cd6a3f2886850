#include "tests/e2e/chatbench/chatbench_program.h"

#include <gtest/gtest.h>

#include <chrono>

namespace chatd::test {

Process start_chatbench(const Arguments& arguments) {
  Arguments command{CHATBENCH_PROGRAM};
  command.insert(command.end(), arguments.begin(), arguments.end());
  Process process(command);
  process.close_stdin();
  return process;
}

BenchRun run_chatbench(const Arguments& arguments) {
  Process process = start_chatbench(arguments);
  return finish(process);
}

BenchRun finish(Process& process) {
  const auto status = process.wait_exit(Deadline(std::chrono::seconds(60)));
  BenchRun run;
  if (status) run.exit_code = status->code;
  run.output = process.captured(Stream::kStdout);
  run.errors = process.captured(Stream::kStderr);
  return run;
}

Arguments run_against(const ChatdServer& server, const Arguments& arguments) {
  Arguments all{"run",
                "--host",
                server.tcp().ip(),
                "--tcp-port",
                std::to_string(server.tcp().port()),
                "--udp-port",
                std::to_string(server.udp().port()),
                "--max-send-lag",
                "10s",
                "--warmup",
                "100ms",
                "--give-up",
                "20s",
                "--drain",
                "20s"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

BenchResult::BenchResult(const BenchRun& run) {
  simdjson::dom::element root;
  if (const auto error = parser_.parse(run.output).get(root)) {
    ADD_FAILURE() << simdjson::error_message(error) << "\nexit code " << run.exit_code
                  << "\nstdout: " << run.output << "\nstderr: " << run.errors;
    return;
  }
  root_ = root;
}

double BenchResult::number(const char* path) const {
  double value = -1;
  if (root_ && root_->at_pointer(path).get(value) != simdjson::SUCCESS) value = -1;
  return value;
}

std::string BenchResult::text(const char* path) const {
  std::string_view value;
  if (!root_ || root_->at_pointer(path).get(value) != simdjson::SUCCESS) return "no such text";
  return std::string(value);
}

std::string BenchResult::invalid_because() const {
  std::string lines;
  simdjson::dom::array reasons;
  if (!root_ || root_->at_pointer("/invalid_because").get(reasons) != simdjson::SUCCESS) {
    return "no list of reasons";
  }
  for (const simdjson::dom::element reason : reasons) {
    std::string_view text;
    if (reason.get(text) == simdjson::SUCCESS) lines.append(text).append("\n");
  }
  return lines;
}

}  // namespace chatd::test
