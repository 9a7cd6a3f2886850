#include "tests/integration/networks/networks_test.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace chatd::test {

testing::AssertionResult NetworksTest::enter(const NetworkNamespace& network, const std::string& ip,
                                             const std::string& name, JoinOptions options) {
  const Inside inside(network);
  options.source_ip = ip;
  if (options.receive_buffer_bytes == 0) options.receive_buffer_bytes = kRoomyBufferBytes;
  auto member = room_.empty() ? Member::create(server(), "room", name, options)
                              : Member::join(server(), "room", name, options);
  if (!member) return testing::AssertionFailure() << name << " cannot enter";
  for (Member& present : room_) {
    if (const auto heard = present.hears_joined(name); !heard) return heard;
  }
  room_.push_back(std::move(*member));
  return testing::AssertionSuccess();
}

void everyone_speaks(std::vector<Member>& senders, int count, std::size_t size_bytes) {
  for (int number = 0; number < count; ++number) {
    std::string text = std::to_string(number) + " ";
    text.resize(std::max(text.size(), size_bytes), 'x');
    for (Member& sender : senders) sender.say(text);
  }
}

Messages hear_messages(Member& listener, std::size_t count, std::size_t size_bytes) {
  Messages messages;
  while (messages.size() < count) {
    const auto payload = listener.hear();
    if (!payload) {
      ADD_FAILURE() << listener.name() << " hears " << messages.size() << " of " << count;
      break;
    }
    const JsonObject message(*payload);
    const std::string text = message.text("message");
    int number = -1;
    std::from_chars(text.data(), text.data() + text.size(), number);
    const std::size_t rest = text.find_first_not_of("0123456789 ");
    const bool is_whole =
        text.size() >= size_bytes && text.find_first_not_of('x', rest) == std::string::npos;
    if (number < 0 || !is_whole || message.text("sender") == listener.name()) {
      ADD_FAILURE() << listener.name() << " hears " << *payload;
      break;
    }
    messages.emplace_back(message.text("sender"), number);
  }
  return messages;
}

testing::AssertionResult are_in_order(const Messages& messages) {
  std::map<std::string, int> last;
  for (const auto& [sender, number] : messages) {
    const auto [found, is_first] = last.try_emplace(sender, number);
    if (!is_first && number <= found->second) {
      return testing::AssertionFailure()
             << sender << " says " << number << " after " << found->second;
    }
    found->second = number;
  }
  return testing::AssertionSuccess();
}

Messages sorted(Messages messages) {
  std::sort(messages.begin(), messages.end());
  return messages;
}

std::size_t repeats(const Messages& messages) {
  return messages.size() - std::set<Message>(messages.begin(), messages.end()).size();
}

}  // namespace chatd::test
