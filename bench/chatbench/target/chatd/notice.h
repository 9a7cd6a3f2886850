// What chatd tells a member with protocol v1 in the room's name (docs/reference/protocol.md,
// «Notices»), as far as a load generator minds. Thread: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace chatd::bench {

enum class Notice : std::uint8_t {
  kNone,  // a message of one of ours
  kTooFast,
  kRemoved,
  kUnknown,  // the server does not know the member: it was started afresh
  kOther,
};

inline Notice notice_of(std::string_view payload) {
  const auto says = [payload](std::string_view words) {
    return payload.find(words) != std::string_view::npos;
  };
  // All of ours begin like this (bench/chatbench/workload/payload.h).
  if (payload.starts_with(R"({"sender":"m)")) return Notice::kNone;
  if (says("You are sending too fast")) return Notice::kTooFast;
  if (says("You have been disconnected")) return Notice::kRemoved;
  if (says("You are not authenticated")) return Notice::kUnknown;
  return Notice::kOther;
}

// What a member says to leave.
inline std::string leave_payload(const std::string& name) {
  return R"({"sender":"system","operation":2,"username":")" + name + R"("})";
}

}  // namespace chatd::bench
