#include "core/room/bundle_sender.h"

#include <algorithm>

namespace chatd {
namespace {

// Of a group of bundles of ordinary length, or of one bundle with a single entry of any length.
constexpr std::size_t kPlainBytes = kMaxTrainBytes;

// A larger one is for a path that was found to take it.
std::uint32_t max_plain_bytes(const TrainLimits& limits, std::uint32_t max_bundle_bytes) {
  const bool is_large = max_bundle_bytes > v2::kMaxBundleBytes;
  const std::uint32_t bytes =
      is_large ? max_bundle_bytes : std::min(max_bundle_bytes, limits.max_segment_bytes);
  return bytes - static_cast<std::uint32_t>(v2::kOverheadBytes);
}

}  // namespace

BundleSender::BundleSender(const MessageStore& store, const TrainLimits& limits,
                           std::uint32_t max_bundle_bytes)
    : store_(store),
      max_plain_bytes_(max_plain_bytes(limits, max_bundle_bytes)),
      max_segments_(limits.max_segments),
      plain_(std::make_unique_for_overwrite<char[]>(kPlainBytes)) {}

void BundleSender::prepare(const RoomLog& log, std::uint64_t number, std::uint64_t end,
                           std::uint32_t max_bytes) {
  plan(log, number, end, max_bytes);
  write(log, number);
}

std::uint32_t BundleSender::log_head_bytes(std::uint64_t first) {
  return static_cast<std::uint32_t>(2 + v2::varint_bytes(kFirstLogEpoch) + v2::varint_bytes(first));
}

void BundleSender::plan(const RoomLog& log, std::uint64_t number, std::uint64_t end,
                        std::uint32_t max_bytes) {
  size_ = bundle_count_ = stride_bytes_ = 0;
  std::uint32_t entry = log.entry(store_, number);
  for (; number < end && size_ < kMaxPlannedMessages; ++number, ++size_) {
    if (!add_entry(number, store_.size_bytes(entry), max_bytes)) return;
    entry = store_.next(entry);
  }
}

// False: it is for another group. One that is too long for a bundle has a group to itself, for the
// others would be padded to its length.
bool BundleSender::add_entry(std::uint64_t number, std::uint32_t entry_bytes,
                             std::uint32_t max_bytes) {
  const std::uint32_t alone_bytes = log_head_bytes(number) + entry_bytes;
  const bool is_long = alone_bytes > max_plain_bytes_;
  if (size_ > 0 && (is_long || stride_bytes_ > max_plain_bytes_)) return false;
  Bundle* const last = bundle_count_ > 0 ? &bundles_[bundle_count_ - 1] : nullptr;
  const bool fits_last = last != nullptr && last->count < kMaxEntriesPerBundle &&
                         last->size_bytes + entry_bytes <= max_plain_bytes_;
  const std::uint32_t bundle_bytes = fits_last ? last->size_bytes + entry_bytes : alone_bytes;
  const std::uint32_t bundle_count = bundle_count_ + (fits_last ? 0 : 1);
  const std::uint32_t stride_bytes = std::max(stride_bytes_, bundle_bytes);
  if (size_ > 0 && bundle_count * (stride_bytes + v2::kOverheadBytes) > max_bytes) return false;
  if (fits_last) {
    ++last->count;
    last->size_bytes = bundle_bytes;
  } else {
    bundles_[bundle_count_++] = {.first = number, .count = 1, .size_bytes = bundle_bytes};
  }
  stride_bytes_ = stride_bytes;
  return true;
}

void BundleSender::write(const RoomLog& log, std::uint64_t number) {
  std::uint32_t entry = log.entry(store_, number);
  for (std::uint32_t i = 0; i < bundle_count_; ++i) {
    const Bundle& bundle = bundles_[i];
    char* const begin = plain_.get() + std::size_t{i} * stride_bytes_;
    v2::ByteWriter writer(begin);
    v2::write_log_head(writer, kFirstLogEpoch, bundle.first, bundle.count);
    char* to = writer.end();
    for (std::uint32_t n = 0; n < bundle.count; ++n, entry = store_.next(entry)) {
      to = store_.copy_to(entry, to);
    }
    std::fill(to, begin + stride_bytes_, '\0');  // padding
  }
}

// A key serves so many packets; then it is the next one's turn.
void BundleSender::use_key_of(Session& session) {
  session.send_key.advance_to(session.next_packet);
  sealer_.use(session.cipher, session.send_key);
}

char* BundleSender::seal(Session& session, std::string_view plain, char* to) {
  if (session.next_packet % kPacketsPerKey == 0) use_key_of(session);
  return sealer_.seal(session.id, session.next_packet++, plain, to);
}

// What is too long for a bundle is cut on its way if need be.
void BundleSender::send(Session& session, const Endpoint& to, Outbox& out) {
  const bool is_large =
      stride_bytes_ <= max_plain_bytes_ && max_plain_bytes_ > v2::kMaxBundlePlainBytes;
  use_key_of(session);
  out.open(is_large ? Outbox::Kind::kLargeBundle : Outbox::Kind::kBundle);
  for (std::uint32_t first = 0; first < bundle_count_; first += max_segments_) {
    seal_train(first, std::min(max_segments_, bundle_count_ - first), session, out);
  }
  out.add(to);
}

// All bundles of the train are padded to one length, but the last.
void BundleSender::seal_train(std::uint32_t first, std::uint32_t count, Session& session,
                              Outbox& out) {
  const auto segment_bytes = static_cast<std::uint32_t>(stride_bytes_ + v2::kOverheadBytes);
  const std::uint32_t last_bytes = bundles_[first + count - 1].size_bytes;
  const std::size_t train_bytes =
      std::size_t{count - 1} * segment_bytes + last_bytes + v2::kOverheadBytes;
  char* const bytes = out.allocate(train_bytes);
  char* to = bytes;
  for (std::uint32_t i = 0; i < count; ++i) {
    const char* const plain = plain_.get() + std::size_t{first + i} * stride_bytes_;
    to = seal(session, {plain, i + 1 == count ? last_bytes : stride_bytes_}, to);
  }
  out.open_train(count == 1 ? static_cast<std::uint32_t>(train_bytes) : segment_bytes);
  out.add_piece({bytes, train_bytes}, count);
}

void BundleSender::send_frames(Outbox::Kind kind, std::string_view frames, Session& session,
                               const Endpoint& to, Outbox& out) {
  use_key_of(session);
  const std::size_t size_bytes = frames.size() + v2::kOverheadBytes;
  char* const bytes = out.allocate(size_bytes);
  seal(session, frames, bytes);
  out.open(kind, {bytes, size_bytes});
  out.add(to);
}

void BundleSender::send_probe(const v2::PathChallenge& challenge, std::uint32_t size_bytes,
                              Session& session, const Endpoint& to, Outbox& out) {
  std::array<char, kBundleSizes.back()> plain{};  // padding is zeros
  v2::ByteWriter writer(plain.data());
  v2::write_frame(writer, challenge);
  send_frames(Outbox::Kind::kProbe, {plain.data(), size_bytes - v2::kOverheadBytes}, session, to,
              out);
}

}  // namespace chatd
