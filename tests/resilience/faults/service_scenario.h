// A few minutes in a chatd's life, within some milliseconds: people come, talk, list rooms, send
// rubbish, vanish and leave, and at the end it is told to stop. Some of them have protocol v2, over
// TLS. One fault is injected on the way.
//
// Whatever fails, the scenario goes on as real people would: who is cut off while coming in tries
// again elsewhere. What is then held to: nobody waits for ever; a session right after the
// fault goes through without a scratch; nothing spins, and no descriptor is left; it stops cleanly;
// and the books close, message by message, against what everybody has heard. With protocol v2 what
// was said arrives, once, whatever has failed meanwhile.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "tests/resilience/faults/fault_control.h"
#include "tests/resilience/faults/sealed_client.h"
#include "tests/resilience/faults/test_client.h"
#include "tests/support/chatd_server.h"

namespace chatd::test {

class ServiceScenario {
 public:
  explicit ServiceScenario(std::uint32_t shards);

  // Failures are the test's. `fault` is armed when everything is up.
  void run(const Fault& fault);
  // Without a fault: how many calls of each kind there are.
  void run_and_count();

  const FaultControl& faults() const { return faults_; }
  // Whether chatd gave up, in order and with a word. Only without memory.
  bool has_given_up() const { return has_given_up_; }

 private:
  struct Room {
    std::string name;
    std::vector<TestClient*> clients;
    std::vector<SealedClient*> sealed;

    std::size_t members() const { return clients.size() + sealed.size(); }
  };
  struct Said {
    std::string text;
    std::string payload;  // as members with protocol v1 get it
    const Room* room;
    const TestClient* sender = nullptr;
    const SealedClient* sealed_sender = nullptr;
    std::uint64_t id = 0;  // of a sealed sender
  };
  using Names = std::vector<std::string>;

  void live();
  bool prepare();
  void talk();
  void talk_sealed();
  void send_rubbish();
  void talk_after_the_fault();
  void expect_patience();
  void expect_quiet();
  void stop();
  void audit(const Counters& counters);
  void audit_sealed(const Said& said);

  // The last have protocol v2.
  const Room& gather(const Names& names, const Names& sealed_names = {});
  bool try_to_gather(Room& room, const Names& names, const Names& sealed_names);
  void say(const Room& room, std::size_t sender);
  void say_sealed(const Room& room, std::size_t sender);
  // Whether everybody else in the room has heard all that was said there, but for who has vanished.
  bool has_heard_all(const Room& room);
  // The same of those with protocol v2, and whether who has said it knows.
  bool has_heard_all_sealed(const Room& room);
  // Until it is so; once a fault has fired, only for a moment.
  void await_heard(const Room& room);
  void leave_sealed();
  template <class Condition>
  void await(Condition condition, const char* what);
  // Whether the fault lasts, and is on.
  bool fails_now() const { return fault_.lasts() && faults_.is_on(); }
  Deadline answer_patience() const;
  void let_it_give_up();
  bool is_gone();

  Fault fault_;
  FaultControl faults_;
  ChatdServer server_;
  std::size_t descriptors_before_ = 0;
  std::deque<TestClient> clients_;  // all that there ever were, so that nothing heard is lost
  std::deque<SealedClient> sealed_clients_;
  std::deque<Room> rooms_;
  const Room* mixed_ = nullptr;  // with both protocols
  std::deque<Said> said_;
  std::uint64_t expected_deliveries_ = 0;
  std::uint64_t unheard_deliveries_ = 0;  // to one who has vanished
  bool has_given_up_ = false;
};

}  // namespace chatd::test
