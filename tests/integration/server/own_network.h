// A network of one's own for a test: a network namespace with a loopback device that a test may
// slow down. Only the calling thread and those it starts live in it; sockets stay in the network
// they were opened in.
#pragma once

#include <functional>
#include <string>

namespace chatd::test {

// Runs `body` on a thread in a new network whose loopback device is up, on one CPU, and returns
// when it is done. Returns the reason when this machine does not permit such a thing (then `body`
// has not run), and "" otherwise.
std::string in_own_network(const std::function<void()>& body);

// Lets so much through the loopback device of this thread's network, queues what comes faster, and
// drops what the queue has no room for. Needs the program tc.
bool slow_down_loopback(unsigned megabit_per_s, unsigned queue_kib = 20'000);

bool set_loopback_mtu(int mtu_bytes);

}  // namespace chatd::test
