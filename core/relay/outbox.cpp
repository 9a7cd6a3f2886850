#include "core/relay/outbox.h"

#include <algorithm>

#include "core/wire/datagram.h"

namespace chatd {

Outbox::Outbox(std::uint32_t soft_limit, std::uint32_t max_room_members)
    : soft_limit_(soft_limit),
      initial_copies_(kInitialCopyBytes),
      copies_(initial_copies_.data(), initial_copies_.size()) {
  fanouts_.reserve(soft_limit);
  destinations_.reserve(std::size_t{soft_limit} + max_room_members);
}

void Outbox::open(Kind kind, std::string_view datagram) {
  fanouts_.push_back({.datagram = datagram,
                      .first_destination = static_cast<std::uint32_t>(destinations_.size()),
                      .destination_count = 0,
                      .kind = kind});
}

void Outbox::open_copy(Kind kind, std::string_view payload) {
  const std::size_t size_bytes = kServerPrefix.size() + payload.size();
  auto* const copy = static_cast<char*>(copies_.allocate(size_bytes, 1));
  std::copy(kServerPrefix.begin(), kServerPrefix.end(), copy);
  std::copy(payload.begin(), payload.end(), copy + kServerPrefix.size());
  open(kind, {copy, size_bytes});
}

void Outbox::add(const Endpoint& destination) {
  destinations_.push_back(destination);
  ++fanouts_.back().destination_count;
}

void Outbox::add(std::span<const Endpoint> destinations) {
  destinations_.insert(destinations_.end(), destinations.begin(), destinations.end());
  fanouts_.back().destination_count += static_cast<std::uint32_t>(destinations.size());
}

void Outbox::clear() {
  fanouts_.clear();
  destinations_.clear();
  copies_.release();
}

}  // namespace chatd
