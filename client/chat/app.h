// The program `chat` from its options to its exit code.
#pragma once

#include <memory>
#include <optional>

#include "client/chat/ending.h"
#include "client/chat/options.h"
#include "client/chat/seat_file.h"
#include "client/lib/request.h"
#include "client/net/room_client.h"
#include "client/net/server_trust.h"
#include "client/terminal/terminal_process.h"

namespace chatd::client {

class App {
 public:
  explicit App(Options options);
  ExitCode run();

 private:
  enum class Step { kGoOn, kStop };  // kStop: with exit_code_

  ServerTrust make_trust();
  ExitCode list();
  ExitCode talk();
  // Asks for what the command line has not told.
  Step complete_request();
  Step ask_name();
  Step ask_room();
  Step ask_room_key();
  Step ask_into(const char* question, std::string& answer);
  // On a terminal the lines can be edited; everything else is a pipeline.
  bool is_for_a_person() const;
  // Enters the room, from which a `chat` that crashed may still hold the seat.
  tl::expected<std::unique_ptr<RoomClient>, Error> enter(const std::optional<SeatFile>& seat);
  // Asks for the password when the room wants one and none was given.
  tl::expected<std::unique_ptr<RoomClient>, Error> enter_with_password();
  // The session. True when it ended with /leave and the person is to choose again.
  bool converse(RoomClient& room, const StopCondition& stop_condition);

  Step stop(ExitCode code);
  ExitCode interrupted();
  ExitCode fail(const Error& error);

  Options options_;
  bool on_terminal_;
  Signals signals_;
  ServerTrust trust_;
  EntryRequest request_;
  ExitCode exit_code_ = ExitCode::kOk;
};

}  // namespace chatd::client
