#include "tests/integration/server/bpf_interpreter.h"

#include <array>
#include <cstddef>

namespace chatd::test {
namespace {

std::optional<std::uint32_t> compute(unsigned operation, std::uint32_t a, std::uint32_t b) {
  switch (operation) {
    case BPF_ADD:
      return a + b;
    case BPF_SUB:
      return a - b;
    case BPF_MUL:
      return a * b;
    case BPF_AND:
      return a & b;
    case BPF_LSH:
      return a << b;
    case BPF_RSH:
      return a >> b;
    default:
      return std::nullopt;
  }
}

std::optional<bool> compare(unsigned operation, std::uint32_t a, std::uint32_t b) {
  switch (operation) {
    case BPF_JEQ:
      return a == b;
    case BPF_JGE:
      return a >= b;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<std::uint32_t> run_bpf(std::span<const sock_filter> program,
                                     std::string_view packet) {
  std::uint32_t a = 0;
  std::uint32_t x = 0;
  std::array<std::uint32_t, BPF_MEMWORDS> memory{};
  for (std::size_t at = 0; at < program.size(); ++at) {
    const sock_filter& step = program[at];
    const std::uint32_t operand = BPF_SRC(step.code) == BPF_X ? x : step.k;
    switch (step.code) {
      case BPF_LD | BPF_W | BPF_LEN:
        a = static_cast<std::uint32_t>(packet.size());
        continue;
      case BPF_LD | BPF_B | BPF_ABS:
      case BPF_LD | BPF_B | BPF_IND: {
        const std::size_t offset =
            std::size_t{step.k} + (BPF_MODE(step.code) == BPF_IND ? std::size_t{x} : 0);
        if (offset >= packet.size()) return std::nullopt;
        a = static_cast<std::uint8_t>(packet[offset]);
        continue;
      }
      case BPF_LDX | BPF_MEM:
        x = memory.at(step.k);
        continue;
      case BPF_ST:
        memory.at(step.k) = a;
        continue;
      case BPF_MISC | BPF_TAX:
        x = a;
        continue;
      case BPF_RET | BPF_K:
        return step.k;
      case BPF_RET | BPF_A:
        return a;
      default:
        break;
    }
    if (BPF_CLASS(step.code) == BPF_ALU) {
      const auto result = compute(BPF_OP(step.code), a, operand);
      if (!result) return std::nullopt;
      a = *result;
    } else if (BPF_CLASS(step.code) == BPF_JMP) {
      const auto holds = compare(BPF_OP(step.code), a, operand);
      if (!holds) return std::nullopt;
      at += *holds ? step.jt : step.jf;
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;  // it fell off its end
}

}  // namespace chatd::test
