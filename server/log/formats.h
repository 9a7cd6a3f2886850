// How a log line is written: for people, for programs, or for systemd's journal.
#pragma once

#include <spdlog/formatter.h>

#include <memory>
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

}  // namespace chatd
