#include "client/chat/scoped_termios.h"

#include <unistd.h>

namespace chatd::client {

ScopedTermios::ScopedTermios(tcflag_t cleared, tcflag_t set) : cleared_(cleared), set_(set) {
  enter();
}

void ScopedTermios::enter() {
  if (active_ || ::tcgetattr(STDIN_FILENO, &before_) != 0) return;
  termios changed = before_;
  changed.c_lflag = (changed.c_lflag & ~cleared_) | set_;
  // For input that is not read by lines: a read returns with the first byte.
  changed.c_cc[VMIN] = 1;
  changed.c_cc[VTIME] = 0;
  active_ = ::tcsetattr(STDIN_FILENO, TCSADRAIN, &changed) == 0;
}

void ScopedTermios::leave() {
  if (!active_) return;
  active_ = false;
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
}

}  // namespace chatd::client
