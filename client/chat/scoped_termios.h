// Changes how the terminal on stdin treats what is typed, for as long as this lives.
// Thread: one; there is one terminal.
#pragma once

#include <termios.h>

namespace chatd::client {

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
