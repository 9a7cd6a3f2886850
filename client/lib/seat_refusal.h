// What to make of it when a member asks for its seat again and does not get it.
// Thread: pure functions.
#pragma once

#include <algorithm>
#include <array>
#include <string>

#include "client/lib/error.h"

namespace chatd::client {

inline constexpr int kStatusNotFound = 404;
inline constexpr int kStatusConflict = 409;

inline bool is_refused_with(const Error& error, int status) {
  return error.kind == ErrorKind::kRefused && error.status == status;
}

// A refusal that time does not cure: the room has another password (401), or the request itself is
// not to be granted. All else (429, 503, no answer at all) may pass; what 404 means, the protocols
// say.
inline bool is_final_refusal(const Error& error) {
  static constexpr std::array kFinal{400, 401, 403, kStatusConflict};
  return std::any_of(kFinal.begin(), kFinal.end(),
                     [&error](int status) { return is_refused_with(error, status); });
}

inline std::string in_words(const Error& error) {
  if (error.kind != ErrorKind::kRefused) return error.reason;
  return "status " + std::to_string(error.status) + ": " + error.reason;
}

}  // namespace chatd::client
