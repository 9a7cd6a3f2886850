#include "bench/chatbench/workload/ledger.h"

#include <algorithm>

namespace chatd::bench {

Ledger::Ledger(std::uint32_t rooms, std::uint32_t members_per_room, std::int64_t give_up_ns)
    : members_per_room_(members_per_room),
      give_up_ns_(give_up_ns),
      words_((std::size_t{members_per_room} + 63) / 64),
      last_sent_(std::size_t{rooms} * members_per_room),
      latest_(std::size_t{rooms} * members_per_room),
      names_(std::size_t{rooms} * members_per_room) {
  std::size_t capacity = kFirstCapacity;
  while (capacity > 1 && capacity * record_bytes_each() > kMaxBytes) capacity /= 2;
  records_.resize(capacity);
  bits_.resize(capacity * words_);
  for (std::size_t i = 0; i < names_.size(); ++i) {
    names_[i] = name_word(static_cast<std::uint32_t>(i));
  }
}

void Ledger::begin_measuring() {
  measured_begin_ = next_;
  measured_end_ = ~std::uint64_t{0};
  forgotten_missing_ = 0;
  forgotten_unheard_ = 0;
  counts_ = {};
}

std::uint32_t Ledger::open(std::uint32_t sender, std::uint32_t payload_bytes,
                           std::int64_t scheduled_ns, std::int64_t now_ns) {
  if (next_ - first_ == records_.size()) make_place();
  const std::uint64_t message = next_++;
  Record& record = record_of(message);
  record = {.scheduled_ns = scheduled_ns,
            .opened_ns = now_ns,
            .sender_name = names_[sender],
            .sender = sender,
            .first_member = sender - sender % members_per_room_,
            .missing = members_per_room_ - 1,
            .payload_bytes = payload_bytes,
            .to_next_of_sender = 0,
            .is_given_up = false};
  std::fill_n(bits_of(message), words_, 0);
  std::uint64_t& last = last_sent_[sender];
  if (last > first_) {
    record_of(last - 1).to_next_of_sender = static_cast<std::uint32_t>(message - (last - 1));
  }
  last = message + 1;
  if (is_measured(message)) {
    ++counts_.sent;
    counts_.expected += members_per_room_ - 1;
  }
  return static_cast<std::uint32_t>(message);
}

Ledger::Booking Ledger::book(std::uint32_t receiver, std::uint32_t payload_bytes,
                             const DecodedPayload& payload, std::int64_t now_ns) {
  // The payload carries the low half. What is under way was sent lately, so the number is the
  // nearest one before the next.
  const std::uint64_t message =
      next_ - 1 -
      static_cast<std::uint32_t>(static_cast<std::uint32_t>(next_ - 1) - payload.number);
  if (message >= next_) {  // it would be before the first
    ++counts_.foreign;
    return {};
  }
  if (message < first_) return book_forgotten(message, payload_bytes);
  Record& record = record_of(message);
  const std::uint32_t position = receiver - record.first_member;
  if (position >= members_per_room_ || receiver == record.sender) {
    ++counts_.foreign;
    return {};
  }
  if (payload.sender != record.sender_name || payload_bytes != record.payload_bytes) {
    ++counts_.corrupted;
    return {};
  }
  const bool counts = is_measured(message);
  std::uint64_t& word = bits_of(message)[position / 64];
  const std::uint64_t bit = std::uint64_t{1} << (position % 64);
  if ((word & bit) != 0) {
    counts_.duplicated += counts ? 1 : 0;
    return {};
  }
  word |= bit;
  --record.missing;
  std::uint64_t& latest = latest_[receiver];
  const bool is_reordered = latest > message && came_after_later(message, position);
  latest = std::max(latest, message + 1);
  if (counts) {
    ++counts_.delivered;
    counts_.received_bytes += payload_bytes;
    counts_.reordered += is_reordered ? 1 : 0;
    counts_.late += now_ns - record.opened_ns > give_up_ns_ ? 1 : 0;
  }
  return {.is_delivery = true,
          .is_measured = counts,
          .is_last = record.missing == 0 && !record.is_given_up,
          .room = record.first_member / members_per_room_,
          .scheduled_ns = record.scheduled_ns};
}

// Whether the member has already got a later message of the same sender.
bool Ledger::came_after_later(std::uint64_t message, std::uint32_t position) const {
  const std::uint64_t mask = std::uint64_t{1} << (position % 64);
  for (std::uint32_t step = record_of(message).to_next_of_sender; step != 0;
       step = record_of(message).to_next_of_sender) {
    message += step;
    if ((bits_[index_of(message) * words_ + position / 64] & mask) != 0) return true;
  }
  return false;
}

Ledger::Booking Ledger::book_forgotten(std::uint64_t message, std::uint32_t payload_bytes) {
  if (!is_measured(message)) return {};
  if (forgotten_missing_ == 0) {
    ++counts_.duplicated;
    return {};
  }
  // When it was due is forgotten, too: it is in no histogram.
  --forgotten_missing_;
  ++counts_.delivered;
  ++counts_.late;
  counts_.received_bytes += payload_bytes;
  return {};
}

void Ledger::forget(std::int64_t now_ns) {
  while (first_ < given_up_) {
    const Record& record = record_of(first_);
    if (record.missing != 0 && now_ns - record.opened_ns <= kKeepNs) return;
    forget_first();
  }
}

void Ledger::forget_first() {
  const Record& record = record_of(first_);
  if (is_measured(first_)) {
    forgotten_missing_ += record.missing;
    forgotten_unheard_ += record.missing == members_per_room_ - 1 ? 1 : 0;
  }
  ++first_;
  given_up_ = std::max(given_up_, first_);
}

// Twice as many records; or, when memory ends, the oldest one's place.
void Ledger::make_place() {
  const std::size_t capacity = records_.size();
  while (first_ < next_ && record_of(first_).missing == 0) forget_first();
  if (next_ - first_ < capacity) return;
  if (2 * record_bytes() > kMaxBytes) return forget_first();
  std::vector<Record> records(2 * capacity);
  std::vector<std::uint64_t> bits(2 * capacity * words_);
  for (std::uint64_t message = first_; message < next_; ++message) {
    const std::size_t to = static_cast<std::size_t>(message) & (2 * capacity - 1);
    records[to] = record_of(message);
    std::copy_n(bits_of(message), words_, &bits[to * words_]);
  }
  records_ = std::move(records);
  bits_ = std::move(bits);
}

std::uint64_t Ledger::unheard() const {
  std::uint64_t count = forgotten_unheard_;
  for (std::uint64_t message = std::max(first_, measured_begin_);
       message < std::min(next_, measured_end_); ++message) {
    if (record_of(message).missing == members_per_room_ - 1) ++count;
  }
  return count;
}

std::size_t Ledger::record_bytes() const {
  return records_.size() * record_bytes_each();
}

}  // namespace chatd::bench
