#include "bench/chatbench/workload/payload.h"

#include <bit>

namespace chatd::bench {
namespace {

static_assert(std::endian::native == std::endian::little, "the digits are joined in this order");

constexpr std::string_view kFiller = " and then filler up to the size that was asked for;";

}  // namespace

std::string member_name(std::uint32_t member) {
  std::string digits = std::to_string(member);
  return "m" + std::string(kMemberNameBytes - 1 - digits.size(), '0') + digits;
}

NameWord name_word(std::uint32_t member) {
  NameWord word = 0;
  const std::string name = member_name(member);
  std::memcpy(&word, name.data(), sizeof word);
  return word;
}

PayloadCodec::PayloadCodec(std::size_t max_bytes) {
  while (filler_.size() < max_bytes) filler_ += kFiller;
  filler_.resize(max_bytes);
  payload_.resize(max_bytes);
  kPayloadStart.copy(payload_.data(), kPayloadStart.size());
  kPayloadMiddle.copy(payload_.data() + kNameAt + kMemberNameBytes, kPayloadMiddle.size());
  filler_.copy(payload_.data() + kFillerAt, max_bytes - kFillerAt);
}

std::string_view PayloadCodec::encode(NameWord sender, std::uint32_t number, std::size_t bytes) {
  char* const p = payload_.data();
  std::memcpy(p + kNameAt, &sender, sizeof sender);
  write_number(p + kNumberAt, number);
  // The last one's end stands where the filler of a longer one goes on.
  if (last_end_ != 0) {
    filler_.copy(p + last_end_, kPayloadEnd.size(), last_end_ - kFillerAt);
  }
  last_end_ = bytes - kPayloadEnd.size();
  kPayloadEnd.copy(p + last_end_, kPayloadEnd.size());
  return {p, bytes};
}

}  // namespace chatd::bench
