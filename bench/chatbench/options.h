// The command line of chatbench.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "bench/chatbench/engine/verdict.h"
#include "bench/chatbench/engine/workload.h"
#include "bench/chatbench/report/slo.h"
#include "bench/chatbench/target/target.h"

namespace chatd::bench {

struct RunOptions {
  std::string target = "chatd";
  TargetConfig connect;
  Workload workload;
  std::string sizes_text = "128";  // as given
  VerdictLimits limits;
  std::optional<std::int64_t> server_pid;
  std::optional<unsigned> cpu;  // that chatbench runs on
  std::optional<Slo> slo;
  bool find_max = false;
  std::string json_path;  // empty: none; "-": stdout
  std::string html_path;
};

struct CompareOptions {
  std::string a_path;
  std::string b_path;
};

struct Options {
  // One of the two.
  std::optional<RunOptions> run;
  std::optional<CompareOptions> compare;
};

// On --help, --version or an error everything has been printed and the value is the exit code.
tl::expected<Options, int> parse_options(int argc, const char* const* argv);

}  // namespace chatd::bench
