// Runs a classic BPF program as the kernel would (Documentation/networking/filter.rst), for the
// instructions that chatd uses, and is stricter: a load past the end, which in the kernel ends the
// program with 0, is a fault here.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace chatd::test {

// What the program returns; nothing when it does what no program should.
std::optional<std::uint32_t> run_bpf(std::span<const sock_filter> program, std::string_view packet);

}  // namespace chatd::test
