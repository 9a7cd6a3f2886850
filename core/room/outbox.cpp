#include "core/room/outbox.h"

#include <algorithm>

#include "core/wire/v1/datagram.h"

namespace chatd {

Outbox::Outbox(std::uint32_t soft_limit, std::uint32_t max_room_members)
    : soft_limit_(soft_limit),
      work_limit_(soft_limit),
      reserved_(std::make_unique_for_overwrite<char[]>(kReservedBytes)),
      bytes_(reserved_.get(), kReservedBytes) {
  groups_.reserve(soft_limit);
  trains_.reserve(soft_limit);
  pieces_.reserve(2 * std::size_t{soft_limit});
  destinations_.reserve(std::size_t{soft_limit} + max_room_members);
}

// A send group costs something even if it goes to nobody: so is_full() bounds their number, too.
void Outbox::open(Kind kind) {
  work_ = work() + 1;
  work_per_destination_ = 0;
  open_destinations_ = 0;
  groups_.push_back({.first_train = static_cast<std::uint32_t>(trains_.size()),
                     .train_count = 0,
                     .first_destination = static_cast<std::uint32_t>(destinations_.size()),
                     .destination_count = 0,
                     .kind = kind});
}

void Outbox::open_train(std::uint32_t segment_bytes) {
  trains_.push_back({.first_piece = static_cast<std::uint32_t>(pieces_.size()),
                     .piece_count = 0,
                     .message_count = 0,
                     .segment_bytes = segment_bytes});
  ++groups_.back().train_count;
  work_per_destination_ += kWorkPerTrain;
}

void Outbox::add_piece(std::string_view bytes, std::uint32_t message_count) {
  pieces_.push_back(bytes);
  Train& train = trains_.back();
  ++train.piece_count;
  train.message_count += message_count;
  work_per_destination_ += message_count;
}

void Outbox::add(const Endpoint& destination) {
  destinations_.push_back(destination);
  ++groups_.back().destination_count;
  ++open_destinations_;
}

void Outbox::add(std::span<const Endpoint> destinations) {
  destinations_.insert(destinations_.end(), destinations.begin(), destinations.end());
  groups_.back().destination_count += static_cast<std::uint32_t>(destinations.size());
  open_destinations_ += static_cast<std::uint32_t>(destinations.size());
}

char* Outbox::allocate(std::size_t size_bytes) {
  used_bytes_ += size_bytes;
  return static_cast<char*>(bytes_.allocate(size_bytes, 1));
}

void Outbox::open(Kind kind, std::string_view datagram) {
  open(kind);
  open_train(static_cast<std::uint32_t>(datagram.size()));
  add_piece(datagram, 1);
}

void Outbox::open_copy(Kind kind, std::string_view payload) {
  const std::size_t size_bytes = kServerPrefix.size() + payload.size();
  char* const copy = allocate(size_bytes);
  std::copy(kServerPrefix.begin(), kServerPrefix.end(), copy);
  std::copy(payload.begin(), payload.end(), copy + kServerPrefix.size());
  open(kind, {copy, size_bytes});
}

std::string_view Outbox::message(const Train& train, std::uint32_t index) const {
  for (const std::string_view piece : pieces(train)) {
    const auto count =
        static_cast<std::uint32_t>((piece.size() + train.segment_bytes - 1) / train.segment_bytes);
    if (index < count) {
      return piece.substr(std::size_t{index} * train.segment_bytes, train.segment_bytes);
    }
    index -= count;
  }
  return {};
}

void Outbox::extend() {
  if (is_extended_) return;
  is_extended_ = true;
  work_limit_ = work() + soft_limit_;
  byte_limit_ = used_bytes_ + kSoftLimitBytes;
}

void Outbox::clear() {
  groups_.clear();
  trains_.clear();
  pieces_.clear();
  destinations_.clear();
  work_ = 0;
  work_per_destination_ = 0;
  open_destinations_ = 0;
  used_bytes_ = 0;
  work_limit_ = soft_limit_;
  byte_limit_ = kSoftLimitBytes;
  is_extended_ = false;
  bytes_.release();
}

}  // namespace chatd
