#include "client/ctl/printing.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "client/chat/sanitize.h"
#include "client/chat/wrap.h"
#include "core/base/hidden.h"

namespace chatd::client::ctl {

ExitCode print(std::string_view text) {
  const bool is_written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (is_written || errno == EPIPE) return ExitCode::kDone;
  return print_error(std::string("stdout cannot be written: ") + std::strerror(errno));
}

ExitCode print_lines(std::string_view lines) {
  return print(wrap_for(STDOUT_FILENO, lines));
}

ExitCode print_json(std::string_view json) {
  return print(escape_hidden(json) + "\n");
}

ExitCode print_error(std::string_view sentence) {
  std::fprintf(stderr, "chatctl: %s\n", sanitize(sentence).c_str());
  return ExitCode::kNotDone;
}

}  // namespace chatd::client::ctl
