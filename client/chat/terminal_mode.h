// `chat` for a person at a terminal.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "client/chat/ending.h"
#include "client/chat/input.h"
#include "client/chat/line_editor.h"
#include "client/chat/output_lines.h"
#include "client/net/room_client.h"
#include "client/terminal/terminal_process.h"

namespace chatd::client {

class TerminalMode {
 public:
  struct Result {
    ExitCode exit_code = ExitCode::kOk;
    bool left_by_command = false;  // /leave, and not /quit
  };

  TerminalMode(RoomClient& room, StopCondition stop_condition, Signals& signals);

  // Until the person or the server ends it. The room has been left then.
  Result run();

 private:
  // LineEditor's wait for a key: meanwhile shows what arrives and keeps the member alive.
  bool wait_for_keys();
  // Until one more message may go out. False when the session has ended before that.
  bool wait_for_pace();
  enum class Keys : std::uint8_t { kWanted, kLeft };  // kLeft: in the terminal's queue
  // One wait for whatever comes first. Whether there are keys.
  bool wait(Keys keys, std::int64_t deadline_ms);
  // Whether there was one.
  bool handle_signals();
  void handle_events();
  void handle_line(const std::string& line);
  void say(const std::string& text);
  void show_unsaid(const std::string& text, const std::string& why);
  // After an end that nobody has typed: what is left of a paste must not become a command for the
  // shell.
  void drop_pasted();
  void who();

  void show(const Event& event);
  void show_message(const Event& event);
  void show_lost(const Event& event);
  // What was said and is not delivered yet stands above the line being typed.
  void show_unsettled();
  void on_refused(const Event& event);
  void leave_room();
  void show_said(const std::string& line);
  void show_notice(const std::string& text);
  void end(ExitCode code);

  // Of what this person has said.
  struct Unsettled {
    std::string text;
    bool is_delivered = false;  // and will be shown when its turn comes
  };

  RoomClient& room_;
  StopCondition stop_condition_;
  Signals& signals_;
  Signals terminal_signals_;
  Style style_;
  Pacer pacer_;
  std::unique_ptr<LineEditor> editor_;
  std::map<std::uint64_t, Unsettled> unsettled_;
  bool is_in_history_ = false;
  Result result_;
  bool ended_ = false;
  bool in_room_ = true;
};

}  // namespace chatd::client
