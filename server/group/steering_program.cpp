#include "server/group/steering.h"

#include <cstddef>
#include <utility>

#include "core/wire/v1/datagram.h"
#include "core/wire/v2/datagram.h"

namespace chatd {
namespace {

// Writes the program from top to bottom. Jumps to the end are filled in at last: a classic BPF jump
// says how many instructions it passes over, 255 at most.
class Writer {
 public:
  void add(unsigned code, std::uint32_t operand = 0) {
    program_.push_back({static_cast<std::uint16_t>(code), 0, 0, operand});
  }
  // Goes on if the comparison holds, and spreads otherwise.
  void require(unsigned comparison, std::uint32_t operand = 0) {
    program_.push_back({static_cast<std::uint16_t>(BPF_JMP | comparison), 0, kToSpread, operand});
  }
  void spread_if(unsigned comparison, std::uint32_t operand) {
    program_.push_back({static_cast<std::uint16_t>(BPF_JMP | comparison), kToSpread, 0, operand});
  }
  // Skips so many instructions if the comparison does not hold.
  void unless_skip(unsigned comparison, std::uint32_t operand, std::size_t count) {
    program_.push_back({static_cast<std::uint16_t>(BPF_JMP | comparison), 0,
                        static_cast<std::uint8_t>(count), operand});
  }

  std::size_t size() const { return program_.size(); }

  SteeringProgram finish() {
    const std::size_t spread = program_.size();
    add(BPF_RET | BPF_K, kNoSocket);
    for (std::size_t i = 0; i < spread; ++i) {
      const auto distance = static_cast<std::uint8_t>(spread - i - 1);
      if (program_[i].jt == kToSpread) program_[i].jt = distance;
      if (program_[i].jf == kToSpread) program_[i].jf = distance;
    }
    return std::move(program_);
  }

 private:
  static constexpr std::uint8_t kToSpread = 0xff;

  SteeringProgram program_;
};

// Scratch memory of the program.
enum Scratch : std::uint32_t { kRoomBytes, kNines, kHighDigit };

// A = length of the datagram; X = size of the room name. Requires that a token of so many bytes is
// there.
void require_token(Writer& writer, std::size_t token_bytes) {
  writer.add(BPF_LD | BPF_W | BPF_LEN);
  writer.require(BPF_JGE | BPF_X);  // or the difference would wrap around
  writer.add(BPF_ALU | BPF_SUB | BPF_X);
  writer.require(BPF_JGE | BPF_K, static_cast<std::uint32_t>(kDatagramHeaderBytes + token_bytes));
}

// A = value of the hexadecimal digit at X + offset. '0' is 0x30, 'A' 0x41, 'a' 0x61: the low four
// bits, and 9 more for a letter, whose high bits say so. What is no digit gives any number; a
// datagram with that is dropped wherever it goes.
void load_digit(Writer& writer, std::uint32_t offset) {
  writer.add(BPF_LDX | BPF_MEM, kRoomBytes);
  writer.add(BPF_LD | BPF_B | BPF_IND, offset);
  writer.add(BPF_ALU | BPF_RSH | BPF_K, 6);
  writer.add(BPF_ALU | BPF_MUL | BPF_K, 9);
  writer.add(BPF_ST, kNines);
  writer.add(BPF_LD | BPF_B | BPF_IND, offset);
  writer.add(BPF_ALU | BPF_AND | BPF_K, 0xf);
  writer.add(BPF_LDX | BPF_MEM, kNines);
  writer.add(BPF_ALU | BPF_ADD | BPF_X);
}

void return_shard(Writer& writer, std::uint32_t shard_count) {
  writer.spread_if(BPF_JGE | BPF_K, shard_count);
  writer.add(BPF_RET | BPF_A);
}

void steer_raw(Writer& writer, std::uint32_t shard_count) {
  require_token(writer, kTokenBytes);
  writer.add(BPF_LD | BPF_B | BPF_IND, kDatagramHeaderBytes);
  return_shard(writer, shard_count);
}

// Protocol v2: the session's id begins with the shard.
void steer_sealed(Writer& writer, std::uint32_t shard_count) {
  constexpr std::uint32_t kShardOffset = 2;
  writer.add(BPF_LD | BPF_W | BPF_LEN);
  writer.require(BPF_JGE | BPF_K, v2::kHeaderBytes);
  writer.add(BPF_LD | BPF_B | BPF_ABS, kShardOffset);
  return_shard(writer, shard_count);
}

void steer_hex(Writer& writer, std::uint32_t shard_count) {
  require_token(writer, kTokenHexBytes);
  load_digit(writer, kDatagramHeaderBytes);
  writer.add(BPF_ALU | BPF_LSH | BPF_K, 4);
  writer.add(BPF_ST, kHighDigit);
  load_digit(writer, kDatagramHeaderBytes + 1);
  writer.add(BPF_LDX | BPF_MEM, kHighDigit);
  writer.add(BPF_ALU | BPF_ADD | BPF_X);
  return_shard(writer, shard_count);
}

}  // namespace

SteeringProgram steering_program(std::uint32_t shard_count) {
  Writer raw;
  steer_raw(raw, shard_count);

  Writer sealed;
  steer_sealed(sealed, shard_count);

  Writer writer;
  writer.add(BPF_LD | BPF_W | BPF_LEN);
  writer.require(BPF_JGE | BPF_K, kDatagramHeaderBytes);
  writer.add(BPF_LD | BPF_B | BPF_ABS, 0);
  writer.unless_skip(BPF_JEQ | BPF_K, 0, sealed.size());
  steer_sealed(writer, shard_count);
  writer.add(BPF_ST, kRoomBytes);
  writer.add(BPF_MISC | BPF_TAX);
  writer.add(BPF_LD | BPF_B | BPF_ABS, 1);
  writer.unless_skip(BPF_JEQ | BPF_K, kTokenBytes, raw.size());
  steer_raw(writer, shard_count);
  writer.require(BPF_JEQ | BPF_K, kTokenHexBytes);
  steer_hex(writer, shard_count);
  return writer.finish();
}

}  // namespace chatd
