#include "server/data/receive_drops.h"

#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <array>

namespace chatd {

void ReceiveDrops::update(TimeMs now_ms) {
  if (now_ms < next_update_ms_) return;
  next_update_ms_ = now_ms + kIntervalMs;
  update();
}

void ReceiveDrops::update() {
  std::array<std::uint32_t, SK_MEMINFO_VARS> figures{};
  socklen_t length = sizeof figures;
  if (io_.get_option(fd_, SOL_SOCKET, SO_MEMINFO, figures.data(), length) != 0) return;
  counters_.add(Counter::kReceiveBufferDrops, figures[SK_MEMINFO_DROPS] - last_seen_);
  last_seen_ = figures[SK_MEMINFO_DROPS];
}

}  // namespace chatd
