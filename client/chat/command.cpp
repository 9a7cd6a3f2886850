#include "client/chat/command.h"

namespace chatd::client {

Command parse_command(std::string_view line) {
  constexpr std::string_view kBlanks = " \t";
  if (line.find_first_not_of(kBlanks) == std::string_view::npos) return {};
  if (line.starts_with("//")) return {Command::Kind::kSay, std::string(line.substr(1))};
  if (!line.starts_with('/')) return {Command::Kind::kSay, std::string(line)};

  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  if (word == "/who") return {Command::Kind::kWho, ""};
  if (word == "/leave") return {Command::Kind::kLeave, ""};
  if (word == "/quit") return {Command::Kind::kQuit, ""};
  if (word == "/help") return {Command::Kind::kHelp, ""};
  return {Command::Kind::kUnknown, std::string(word)};
}

}  // namespace chatd::client
