// How `chat` ends (docs/guide/chat.md, "Exit codes"; `chat --help` lists them too).
#pragma once

#include "client/lib/error.h"

namespace chatd::client {

enum class ExitCode : int {
  kOk = 0,
  kInternal = 1,     // this machine refuses: no descriptors, stdout cannot be written
  kUsage = 2,        // flags or names that cannot be
  kUnreachable = 3,  // no server there, no answer, or it went away while we talked
  kRefused = 4,      // the server refused the request; stderr has its status and reason
  kRemoved = 5,      // the server removed this member, or the room has ended
  kTimedOut = 6,     // --timeout came before --count messages
  kNotSent = 7,      // some lines of stdin could not be sent
  kSignalBase = 128  // + the signal's number
};

constexpr ExitCode exit_code_for_signal(int signal) {
  return static_cast<ExitCode>(static_cast<int>(ExitCode::kSignalBase) + signal);
}

constexpr ExitCode exit_code_for(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUnreachable:
      return ExitCode::kUnreachable;
    case ErrorKind::kRefused:
      return ExitCode::kRefused;
    case ErrorKind::kNotSendable:
      return ExitCode::kUsage;
    case ErrorKind::kInterrupted:
    case ErrorKind::kInternal:
      break;
  }
  return ExitCode::kInternal;
}

}  // namespace chatd::client
