#include "server/group/mailbox.h"

#include <algorithm>
#include <utility>

#include "core/wire/v1/payload.h"

namespace chatd {

MisroutedBatch::MisroutedBatch(std::size_t max_misrouted)
    : max_misrouted_(max_misrouted), memory_(std::make_unique_for_overwrite<char[]>(kMaxBytes)) {
  misrouted_.reserve(max_misrouted);
}

bool MisroutedBatch::add(const Endpoint& from, std::string_view bytes) {
  const std::size_t needed_bytes = bytes.size() + kPayloadPaddingBytes;
  if (misrouted_.size() == max_misrouted_ || needed_bytes > kMaxBytes - used_bytes_) return false;
  char* const place = &memory_[used_bytes_];
  std::copy(bytes.begin(), bytes.end(), place);
  misrouted_.push_back({.from = from, .bytes = {place, bytes.size()}});
  used_bytes_ += needed_bytes;
  return true;
}

void MisroutedBatch::clear() {
  misrouted_.clear();
  used_bytes_ = 0;
}

void Mail::clear() {
  envelopes.clear();
  misrouted.clear();
  refusals.clear();
}

template <class Add>
bool Mailbox::post_with(Add add) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    if (!add(mail_)) return false;
    was_empty = std::exchange(is_empty_, false);
  }
  if (was_empty) io_.wake(event_.get());
  return true;
}

void Mailbox::post(Envelope envelope) {
  post_with([&envelope](Mail& mail) {
    mail.envelopes.push_back(std::move(envelope));
    return true;
  });
}

bool Mailbox::post(const Endpoint& from, std::string_view misrouted) {
  return post_with([&](Mail& mail) { return mail.misrouted.add(from, misrouted); });
}

bool Mailbox::post_refusal(const Endpoint& destination) {
  return post_with([&destination](Mail& mail) {
    if (mail.refusals.size() == kMaxRefusals) return false;
    mail.refusals.push_back(destination);
    return true;
  });
}

void Mailbox::take(Mail& mail) {
  const std::lock_guard lock(mutex_);
  std::swap(mail, mail_);
  is_empty_ = true;
}

}  // namespace chatd
