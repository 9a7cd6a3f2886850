// How large the messages are: `128`, a range `64-512`, or weighted sizes `64:70,512:20,1400:10`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "bench/chatbench/workload/random.h"

namespace chatd::bench {

// In bytes of payload.
class SizeDistribution {
 public:
  // Every size is within lowest..highest; the error is a sentence.
  static tl::expected<SizeDistribution, std::string> parse(std::string_view text,
                                                           std::uint32_t lowest,
                                                           std::uint32_t highest);

  std::uint32_t next(Random& random) const;
  std::uint32_t largest() const { return largest_; }

 private:
  // first..last are as likely as each other.
  struct Part {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::uint32_t weight_until = 0;  // of this part and those before it
  };

  std::vector<Part> parts_;
  std::uint32_t largest_ = 0;
};

}  // namespace chatd::bench
