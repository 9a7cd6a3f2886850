#include "bench/baselines/lower_bound/train.h"

#include <algorithm>
#include <cstring>

namespace chatd::bench {

bool Train::add(Sender sender, std::string_view message) {
  const bool is_closed = size_bytes_ < count_ * segment_bytes_;  // by a shorter one
  if (count_ > 0 && (is_closed || count_ == kMaxSegments || message.size() > segment_bytes_ ||
                     message.size() > kMaxBytes - size_bytes_)) {
    return false;
  }
  if (count_ == 0) segment_bytes_ = message.size();
  std::memcpy(bytes_.data() + size_bytes_, message.data(), message.size());
  size_bytes_ += message.size();
  sender_of_[count_] = sender;
  ++count_;
  return true;
}

void Train::clear() {
  count_ = 0;
  size_bytes_ = 0;
}

std::span<const Train::Sender> Train::senders() {
  auto* end = std::unique_copy(sender_of_.data(), sender_of_.data() + count_, senders_.data());
  std::sort(senders_.data(), end);
  end = std::unique(senders_.data(), end);
  return {senders_.data(), end};
}

std::size_t Train::without(Sender sender, std::vector<iovec>& pieces) {
  std::size_t messages = 0;
  bool continues = false;  // the last piece
  for (std::size_t i = 0; i < count_; ++i) {
    if (sender_of_[i] == sender) {
      continues = false;
      continue;
    }
    const std::size_t begin = i * segment_bytes_;
    const std::size_t size = std::min(segment_bytes_, size_bytes_ - begin);
    if (continues) {
      pieces.back().iov_len += size;
    } else {
      pieces.push_back({.iov_base = bytes_.data() + begin, .iov_len = size});
    }
    continues = true;
    ++messages;
  }
  return messages;
}

}  // namespace chatd::bench
