// Lines on stderr, which never hold chatd up.
//
// Who reads the log may stop reading without going away (a stopped pager, a hung collector, ^S on a
// terminal). A write would then wait, and with it the shard that had something to say, and all its
// members. So a line for which there is no room is left out, and counted; the next one that can be
// written says how many are missing (a terminal that hangs may still hold one up: it reports room
// for less than a line). A full disk or a reader that is gone costs the lines, no more.
#pragma once

#include <spdlog/sinks/ansicolor_sink.h>

#include <cstdint>
#include <mutex>

namespace chatd {

class NonBlockingSink final : public spdlog::sinks::ansicolor_stderr_sink_mt {
 public:
  void log(const spdlog::details::log_msg& message) override;

 private:
  static bool has_room();

  std::mutex mutex_;
  std::uint64_t lost_lines_ = 0;
};

}  // namespace chatd
