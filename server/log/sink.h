// How log lines are written: in which form, and without ever waiting for their reader.
#pragma once

#include <spdlog/formatter.h>
#include <spdlog/sinks/ansicolor_sink.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace chatd {

// 2026-11-23T22:26:57.000+00:00 info serving ...
std::unique_ptr<spdlog::formatter> text_format();

// {"time":"2026-11-23T22:26:57.000+00:00","level":"info","message":"serving ..."}
std::unique_ptr<spdlog::formatter> json_format();

// <6>serving ...: the priority as sd-daemon(3) has it. The journal knows the time itself.
std::unique_ptr<spdlog::formatter> journal_format();

// Whether stderr is the journal: systemd names its device and inode in JOURNAL_STREAM
// (systemd.exec(5)), so that a program that is started with another stderr is not fooled.
bool is_journal(int fd);

// Lines on stderr, which never hold chatd up.
//
// Who reads the log may stop reading without going away (a stopped pager, a hung collector, ^S on a
// terminal). A write would then wait, and with it the shard that had something to say, and all its
// members. So a line for which there is no room is left out, and counted; the next one that can be
// written says how many are missing (a terminal that hangs may still hold one up: it reports room
// for less than a line). A full disk or a reader that is gone costs the lines, no more.
class NonBlockingSink final : public spdlog::sinks::ansicolor_stderr_sink_mt {
 public:
  void log(const spdlog::details::log_msg& message) override;

 private:
  static bool has_room();

  std::mutex mutex_;
  std::uint64_t lost_lines_ = 0;
};

}  // namespace chatd
