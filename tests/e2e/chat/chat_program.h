// The real `chat`, started as a user would start it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/e2e/chat/screen.h"
#include "tests/support/chatd_server.h"
#include "tests/support/process.h"

namespace chatd::test {

using Arguments = std::vector<std::string>;
using Environment = std::vector<std::pair<std::string, std::string>>;

// The environment of every `chat`: what the tester's own says must not decide a test, and what is
// kept between runs goes into a directory of this test program's own.
ProcessOptions chat_options(const Environment& added = {}, bool on_terminal = false);

// The protocol that `chat` speaks in these tests unless they name one (--v1): 2, or what
// CHAT_TEST_PROTOCOL in the environment says. What does not name one holds for both.
int chat_protocol();

// `arguments` and where to find the server.
Arguments chat_command(const ChatdServer& server, const Arguments& arguments);
// The same in the words of a shell, for redirections.
std::string chat_shell_command(const ChatdServer& server, const Arguments& arguments);

// In a pipeline.
Process start_chat(const ChatdServer& server, const Arguments& arguments,
                   const Environment& environment = {});

// The payload of a message, byte for byte as `chat` writes it.
std::string said(std::string_view sender, std::string_view text);

// The exit code, -1 when it was ended by a signal, and -2 when it still runs at the deadline.
int exit_code_of(Process& chat, Deadline deadline = kPatience);
// What a `chat` in a pipeline has said to its user so far.
std::string told(Process& chat);

// Whether it stands still, by SIGSTOP or ^Z, before long.
bool is_stopped(const Process& program);

// On a pseudo-terminal of 80 x 24, TERM=xterm.
class TerminalChat {
 public:
  TerminalChat(const ChatdServer& server, const Arguments& arguments,
               const Environment& environment = {});
  // The whole command.
  TerminalChat(const Arguments& command, const Environment& environment);

  void type(std::string_view keys) { process_.write_stdin(keys); }
  void type_line(std::string_view line) { type(std::string(line) + "\r"); }

  // Whether the picture became one that the condition holds for.
  bool shows(const std::function<bool(const Screen&)>& condition, Deadline deadline = kPatience);
  bool shows(std::string_view text);
  // The cursor stands behind this text in its row.
  bool shows_typed(std::string_view row_text);

  Screen& screen() { return screen_; }
  Process& process() { return process_; }
  // Everything that it ever wrote.
  const std::string& bytes() const { return process_.captured(Stream::kStdout); }

 private:
  void update();

  Process process_;
  Screen screen_{80, 24};
  std::size_t fed_bytes_ = 0;
};

}  // namespace chatd::test
