#include "bench/chatbench/workload/distributions.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace chatd::bench {
namespace {

constexpr std::uint32_t kMaxWeight = 1'000'000;  // of all parts together

// Cuts the text before the separator off; all of it when there is none.
std::string_view cut(std::string_view& text, char separator) {
  const std::size_t at = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

std::optional<std::uint32_t> parse_number(std::string_view text) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return number;
}

}  // namespace

tl::expected<SizeDistribution, std::string> SizeDistribution::parse(std::string_view text,
                                                                    std::uint32_t lowest,
                                                                    std::uint32_t highest) {
  const auto fault = [text](const std::string& why) {
    return tl::unexpected("'" + std::string(text) + "' " + why);
  };
  const std::string form =
      "is not a size: write bytes (128), a range (64-512) or sizes with weights "
      "(64:70,512:20,1400:10)";
  SizeDistribution sizes;
  std::uint64_t weight = 0;
  std::string_view rest = text;
  if (text.ends_with(',')) return fault(form);
  do {
    std::string_view entry = cut(rest, ',');
    const bool is_weighted = entry.find(':') != std::string_view::npos;
    std::string_view range = cut(entry, ':');
    const auto share = is_weighted ? parse_number(entry) : 1;
    const bool is_range = range.find('-') != std::string_view::npos;
    const auto first = parse_number(cut(range, '-'));
    const auto last = is_range ? parse_number(range) : first;
    if (!share || !first || !last || *first > *last) return fault(form);
    if (*first < lowest || *last > highest) {
      return fault("is out of bounds: a message takes " + std::to_string(lowest) + " to " +
                   std::to_string(highest) +
                   " bytes, of which the JSON around sender and number needs the first " +
                   std::to_string(lowest));
    }
    weight += *share;
    if (*share == 0 || weight > kMaxWeight) {
      return fault("has weights that are 0 or add up to more than a million");
    }
    sizes.parts_.push_back({*first, *last, static_cast<std::uint32_t>(weight)});
    sizes.largest_ = std::max(sizes.largest_, *last);
  } while (!rest.empty());
  return sizes;
}

std::uint32_t SizeDistribution::next(Random& random) const {
  const Part* part = &parts_.front();
  if (parts_.size() > 1) {
    const std::uint32_t drawn = random.below(parts_.back().weight_until);
    while (part->weight_until <= drawn) ++part;
  }
  if (part->first == part->last) return part->first;
  return part->first + random.below(part->last - part->first + 1);
}

}  // namespace chatd::bench
