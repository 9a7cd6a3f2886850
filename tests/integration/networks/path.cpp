#include "tests/integration/networks/path.h"

namespace chatd::test {
namespace {

constexpr Path::TimeUs kUsPerMs = 1000;

}  // namespace

// One number is drawn whatever the probability, so that each packet's fate depends on its place
// alone.
bool Path::happens(double probability) {
  constexpr std::uint64_t kResolution = 1'000'000;
  return random_() % kResolution < static_cast<std::uint64_t>(probability * kResolution);
}

void Path::put(TimeUs due_us, std::string packet) {
  waiting_.emplace(due_us, Waiting{.number = ++next_number_, .packet = std::move(packet)});
}

void Path::enter(TimeUs now_us, std::string packet) {
  ++traffic_.entered;
  const bool is_lost = happens(faults_.loss);
  const bool is_duplicated = happens(faults_.duplication);
  const bool is_late = happens(faults_.reordering);
  const bool is_too_large =
      faults_.max_packet_bytes > 0 && packet.size() > faults_.max_packet_bytes;
  if (is_lost || is_too_large || faults_.is_cut) {
    ++traffic_.lost;
    return;
  }
  const TimeUs due_us = now_us + kUsPerMs * (faults_.delay_ms + (is_late ? kReorderingMs : 0));
  if (is_duplicated) {
    ++traffic_.duplicated;
    put(due_us, packet);
  }
  put(due_us, std::move(packet));
}

std::vector<std::string> Path::leave(TimeUs now_us) {
  std::vector<std::string> packets;
  while (!waiting_.empty() && waiting_.begin()->first <= now_us) {
    Waiting& first = waiting_.begin()->second;
    if (first.number < highest_left_) ++traffic_.overtaken;
    highest_left_ = std::max(highest_left_, first.number);
    packets.push_back(std::move(first.packet));
    waiting_.erase(waiting_.begin());
  }
  traffic_.left += packets.size();
  return packets;
}

std::optional<Path::TimeUs> Path::next_due_us() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.begin()->first;
}

Traffic Path::traffic() const {
  Traffic traffic = traffic_;
  traffic.waiting = waiting_.size();
  return traffic;
}

}  // namespace chatd::test
