#include "bench/chatbench/compare.h"
#include "bench/chatbench/options/options.h"
#include "bench/chatbench/run.h"

int main(int argc, char** argv) {
  using namespace chatd::bench;
  const auto options = parse_options(argc, argv);
  if (!options) return options.error();
  return static_cast<int>(options->compare ? compare(*options->compare) : run(*options->run));
}
