// What a program for a terminal shares with the shell that started it: the standard streams, the
// locale, signals, and the terminal's modes.
//
// Thread: the main one, before any other is started.
#pragma once

#include <termios.h>

#include <csignal>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

#include "client/net/unique_fd.h"

namespace chatd::client {

// A program started without one of its standard streams would give that number to the next socket
// it opens, and print into it. In its place stands an empty input that cannot be written. Ends the
// program when there is no /dev/null.
void open_standard_streams();

// Chat is UTF-8 whatever the locale says; the line editor and the width of characters need one
// that knows.
void use_utf8();

// All that the program was asked to say (--help). The exit code: 0, or 1 when stdout cannot be
// written, with the reason on stderr; a disk may be full.
int tell(const char* program, const std::string& text);

// Signals as something to read, so that a room is left properly on ^C and not in the middle of
// anything. Blocks the signals it watches for the whole process.
class Signals {
 public:
  // SIGINT, SIGTERM, SIGHUP and SIGQUIT; but not those that are ignored, as nohup(1) and a shell's
  // background jobs want it: blocked, they would be delivered all the same.
  static Signals that_end();
  // SIGWINCH and SIGTSTP: what a program on a terminal must answer to.
  static Signals of_terminal();

  Signals(Signals&&) noexcept = default;
  Signals& operator=(Signals&&) = delete;
  // They act as before.
  ~Signals();

  // For poll(2): readable when one has come, and until it is taken.
  int fd() const { return fd_.get(); }
  std::optional<int> take();

 private:
  explicit Signals(UniqueFd fd, const sigset_t& watched) : fd_(std::move(fd)), watched_(watched) {}
  static Signals watch(std::initializer_list<int> signals);

  UniqueFd fd_;
  sigset_t watched_;
};

// Changes how the terminal on stdin treats what is typed, for as long as this lives.
class ScopedTermios {
 public:
  // `cleared` and `set`: flags of termios' c_lflag.
  ScopedTermios(tcflag_t cleared, tcflag_t set);
  ScopedTermios(const ScopedTermios&) = delete;
  ScopedTermios& operator=(const ScopedTermios&) = delete;
  ~ScopedTermios() { leave(); }

  // For another program to have the terminal meanwhile. Done already by construction.
  void enter();
  // As it was before enter().
  void leave();

 private:
  tcflag_t cleared_;
  tcflag_t set_;
  termios before_{};
  bool active_ = false;
};

}  // namespace chatd::client
