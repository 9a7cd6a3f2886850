// The chatd whose place this one is to take, as this one sees it: the line to the process that has
// started it. Without one, chatd starts as ever. Thread: the main one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "server/handover/handover_link.h"
#include "server/handover/server_state.h"

namespace chatd {

// In the environment of a successor: the descriptor of its end of the line.
inline constexpr char kHandoverVariable[] = "CHATD_HANDOVER_FD";

class Predecessor {
 public:
  // Nothing when nobody is there. The variable is taken out of the environment, for it is neither
  // an option nor for whom we start.
  static tl::expected<std::optional<Predecessor>, std::string> find();

  // Says that we are ready and waits until it has stopped reading and given us all.
  tl::expected<Inheritance, std::string> inherit();
  // That we cannot go on, and why: it will, then, and end us.
  void tell_failure(std::string_view reason);
  // That we can; returns when we must: at its word, or at its end, for then nobody serves. What it
  // has been told and has not done, as letters of commands. An error: it goes on itself.
  tl::expected<std::string, std::string> take_over();
  // Waits for its end of the line, a moment at most: from then on the service manager knows us.
  void await_end();

 private:
  explicit Predecessor(HandoverLink link) : link_(std::move(link)) {}

  HandoverLink link_;
};

}  // namespace chatd
