// `chat` in a pipeline: lines in, lines out.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>

#include "client/chat/ending.h"
#include "client/chat/input.h"
#include "client/chat/output.h"
#include "client/net/room_client.h"
#include "client/terminal/terminal_process.h"

namespace chatd::client {

class PipeMode {
 public:
  PipeMode(RoomClient& room, StopCondition stop_condition, Signals& signals, bool json);

  // Until the stop_condition is reached, the input has ended, the session is over or a signal
  // comes. The room has been left then.
  ExitCode run();

 private:
  // Until a descriptor or a deadline wants attention.
  void wait();
  // What the room says waits in the kernel while the reader of stdout is behind.
  bool wants_events() const { return output_.has_room(); }
  // Each looks whether there is something to do and does it; none waits.
  void read_input();
  void send_lines();
  void show_events();
  // At the end of the input, when nothing else is waited for.
  void await_arrival();
  void check_goal();
  // What the reader of stdout has not taken yet, unless the program is to end at once.
  void flush_output();

  void on_line(const std::string& line);
  void tell_refused(const Event& event);
  // Leaves the room, and tells what of the input may not have arrived.
  void leave_room();
  void show(const Event& event);
  void end(ExitCode code);
  bool running() const { return !ended_; }

  RoomClient& room_;
  StopCondition stop_condition_;
  Signals& signals_;
  bool json_;
  Output output_;
  LineReader lines_;
  Pacer pacer_;
  std::uint64_t line_number_ = 0;
  std::map<std::uint64_t, std::uint64_t> undelivered_;  // lines' numbers, by the room's for them
  bool input_open_ = true;
  bool input_ready_ = false;
  std::int64_t arrival_deadline_ms_ = std::numeric_limits<std::int64_t>::max();
  bool awaits_arrival_ = false;
  bool some_not_sent_ = false;
  bool ended_ = false;
  bool ended_by_signal_ = false;
  bool in_room_ = true;
  ExitCode exit_code_ = ExitCode::kOk;
};

}  // namespace chatd::client
