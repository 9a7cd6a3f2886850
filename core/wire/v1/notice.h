// What the server itself says in a room. Notices are messages like any other, so that every client
// can show them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/json_writer.h"

namespace chatd {

enum class NoticeOperation : std::uint8_t { kJoined = 1, kLeft = 2 };

// {"sender":"system","operation":1,"username":"bob","message":"bob joined"}, without the 00 00
// before it.
void write_joined_notice(JsonWriter& json, std::string_view username);
void write_left_notice(JsonWriter& json, std::string_view username);
// {"sender":"alice","message":"hi"}: what somebody with another protocol has said.
void write_message(JsonWriter& json, std::string_view username, std::string_view text);

// To a member that is removed, in these words.
inline constexpr std::string_view kDisconnectedText = "You have been disconnected";
std::string disconnected_notice(std::string_view username,
                                std::string_view text = kDisconnectedText);

// A whole datagram, 00 00 included.
inline constexpr std::string_view kNotAuthenticatedDatagram{
    "\0\0{\"sender\":\"Server\",\"message\":\"You are not authenticated\"}", 59};

// To every member, when the server has been told to let all finish and then to stop.
inline constexpr std::string_view kDrainingDatagram{
    "\0\0{\"sender\":\"Server\",\"message\":\"This server is about to stop: please finish here and "
    "meet "
    "elsewhere\"}",
    101};

// To a member that says more than it may.
inline constexpr std::string_view kTooFastDatagram{
    "\0\0{\"sender\":\"Server\",\"message\":\"You are sending too fast: some of your messages were "
    "not delivered\"}",
    100};

}  // namespace chatd
