// What a person typed: something to say, or a command.
// Thread: pure function.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace chatd::client {

struct Command {
  enum class Kind : std::uint8_t { kNothing, kSay, kWho, kLeave, kQuit, kHelp, kUnknown };

  Kind kind = Kind::kNothing;
  std::string text;  // kSay: what to say; kUnknown: the word that is no command
};

// "/word" is a command, "//text" says "/text", blanks alone are nothing.
Command parse_command(std::string_view line);

inline constexpr std::string_view kCommandHelp =
    "/who    who is in this room\n"
    "/leave  leave this room\n"
    "/quit   leave this room and end chat (so does ^D)\n"
    "/help   this list\n"
    "//text  say \"/text\"\n"
    "All else is said to the room. The arrow keys bring back what you said before.";

}  // namespace chatd::client
