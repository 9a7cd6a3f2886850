// The statuses of a TCRP answer, and the frames that carry them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/json_writer.h"

namespace chatd {

enum class Status : std::uint16_t {
  kCreated = 201,
  kAccepted = 202,
  kBadRequest = 400,
  kUnauthorized = 401,  // wrong or missing room password
  kForbidden = 403,     // banned
  kNotFound = 404,      // no such room
  kConflict = 409,      // the room exists, or the username is taken
  kTooLarge = 413,      // the frame is larger than allowed
  kTooMany = 429,       // requests, rooms, connections or wrong passwords
  kUnavailable = 503,   // a configured limit is reached, or the server is draining
};

// Each appends one frame to `reply`; `operation` is the request's, whatever it was.

// The first of the two answers to create and join: {"status": 202, "message": "…"}, State 1.
void append_accepted(std::string& reply, std::uint8_t operation);
// The outcome: {"status": S, "message": "…"}, State 2.
void append_outcome(std::string& reply, std::uint8_t operation, Status status,
                    std::string_view message);
// {"status": 201, "message": "…", "token": "…", "idle_timeout": seconds}, State 2.
void append_admitted(std::string& reply, std::uint8_t operation, std::string_view message,
                     std::string_view token_hex, std::uint32_t idle_timeout_ms);

// What such an answer begins with, for one that says more.
void begin_admitted(JsonWriter& json, std::string_view message, std::string_view token_hex,
                    std::uint32_t idle_timeout_ms);

}  // namespace chatd
