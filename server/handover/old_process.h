// The old chatd of a hand-over, as the new one sees it: the line to the process that has started
// it. Without one, chatd starts normally. Thread: main.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "server/handover/handover_link.h"
#include "server/handover/server_state.h"

namespace chatd {

// In the environment of a new process: the descriptor of its end of the line.
inline constexpr char kHandoverVariable[] = "CHATD_HANDOVER_FD";

class OldProcess {
 public:
  // Nothing if there is no old process. Removes the variable from the environment, because it is
  // not an option, and processes that this one starts must not see it.
  static tl::expected<std::optional<OldProcess>, std::string> find();

  // Reports that this process is ready. Blocks until the old process has stopped reading and has
  // passed on its state and descriptors.
  tl::expected<ImportedState, std::string> import_state();
  // Reports that this process cannot take over, and why. The old one then goes on and ends this
  // one.
  void tell_failure(std::string_view reason);
  // Reports that this process can take over. Blocks until the old process commits or exits. Returns
  // the commands that the old one has not executed yet, as letters. Returns an error if it resumes
  // serving.
  tl::expected<std::string, std::string> take_over();
  // Waits a moment at most until the old process has told the service manager of this one.
  void await_handed_over();

  // After that: readable when the old process passes on what it has been told since, or has exited;
  // kNoDescriptor when it has.
  int fd() const { return link_.fd(); }
  // The commands that it passes on, as letters.
  std::string take_commands();

 private:
  explicit OldProcess(HandoverLink link) : link_(std::move(link)) {}

  HandoverLink link_;
};

}  // namespace chatd
