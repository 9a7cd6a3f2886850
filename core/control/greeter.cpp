#include "core/control/greeter.h"

#include "core/wire/v1/frame.h"

namespace chatd {

void Greeter::greet(const PeerShards& peers, std::string& frames) {
  bool is_current = !frame_.empty();
  for (std::size_t shard = 0; shard < parts_.size(); ++shard) {
    const bool is_own = parts_.size() == 1 || shard == shard_;
    const auto& part = is_own ? own_.part() : peers.figures[shard].greeting;
    if (parts_[shard] == part) continue;
    parts_[shard] = part;
    is_current = false;
  }
  if (!is_current) {
    frame_.clear();
    append_frame(frame_, Operation::kList, FrameState::kRequest, "", merge_parts(parts_));
  }
  frames += frame_;
}

}  // namespace chatd
