// A room's parrot: says again what others say, until somebody says "bye".
//
//   g++ -std=c++20 parrot.cpp $(pkg-config --static --cflags --libs chatd-client) -o parrot
//   ./parrot chat.example:8001 kitchen
#include <chatd/client.h>

#include <cstdio>

using chatd_client::Event;
using chatd_client::Room;

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: parrot SERVER ROOM\n");
    return 2;
  }
  auto room = Room::enter({.server = argv[1], .room = argv[2], .name = "parrot"});
  if (!room) {
    std::fprintf(stderr, "parrot: %s\n", room.error().reason.c_str());
    return 1;
  }
  while (!room->is_over()) {
    const auto event = room->next(60'000);
    if (!event) continue;
    switch (event->kind) {
      case Event::Kind::kMessage:
        if (event->is_own) break;
        if (event->text == "bye") return room->leave() == 0 ? 0 : 1;
        room->say(event->name + " says: " + event->text);
        break;
      case Event::Kind::kSilent:
      case Event::Kind::kRefused:
      case Event::Kind::kEnded:
        std::fprintf(stderr, "parrot: %s\n", event->text.c_str());
        break;
      default:
        break;
    }
  }
  return 1;
}
