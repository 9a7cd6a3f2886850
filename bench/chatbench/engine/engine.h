// Drives a target through a workload: warm-up, measure, drain.
//
// The loop does three things by turns: sends what is due, takes in what has come, and sleeps until
// one of the two is possible. It sleeps to the nanosecond (ppoll, with the timer slack turned off):
// a loop that spins would look busy when it is not, and take a core from the server.
//
// An open loop never waits for an answer. When it is late (a pause of the machine, or too high a
// rate), it sends everything that is due as fast as it can, a bounded number at a time, and both
// the send lag and the latency count from the time that was scheduled.
//
// Thread: one at a time.
#pragma once

#include <sys/types.h>
#include <csignal>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/chatbench/engine/measurement.h"
#include "bench/chatbench/engine/progress.h"
#include "bench/chatbench/engine/workload.h"
#include "bench/chatbench/probe/server_watch.h"
#include "bench/chatbench/workload/distributions.h"
#include "bench/chatbench/workload/ledger.h"
#include "bench/chatbench/workload/payload.h"
#include "bench/chatbench/workload/room_windows.h"
#include "bench/chatbench/workload/sender_picker.h"

namespace chatd::bench {

struct EngineOptions {
  std::optional<pid_t> server_pid = {};
  // The server's UDP socket, when it is on this machine.
  std::optional<client::Address> server_udp = {};
  // Set by a signal: the run ends early.
  const volatile std::sig_atomic_t* interrupted = nullptr;
};

class Engine {
 public:
  // The target's members are connected. All three outlive the engine.
  Engine(const Workload& workload, Target& target, const EngineOptions& options,
         Progress& progress);

  // One pass. In an open loop it may be called again, with another rate.
  Measurement measure(double rate_per_s);
  Measurement measure() { return measure(workload_.rate_per_s); }

 private:
  struct Counters {
    std::int64_t at_ns;
    std::int64_t own_cpu_ns;
    std::optional<std::int64_t> server_cpu_ns;
  };

  void run_until(std::int64_t end_ns);
  void catch_up();
  bool is_interrupted() const { return options_.interrupted != nullptr && *options_.interrupted; }
  // What is against the server, of which deliveries may be missing; empty: nothing.
  std::string ask_server();
  void begin_schedule(double rate_per_s, std::int64_t begin_ns, std::int64_t end_ns);

  bool send_due(std::int64_t now_ns);
  bool send_scheduled(std::int64_t now_ns);
  bool send_into_windows(std::int64_t now_ns);
  void say(std::uint32_t sender, std::int64_t scheduled_ns, std::int64_t now_ns);
  bool receive();
  void book(const Delivery& delivery, std::int64_t now_ns);
  void sleep(std::int64_t now_ns, std::int64_t end_ns);

  void tick(std::int64_t now_ns);
  void end_second(std::int64_t now_ns);
  Counters read_counters() const;

  const Workload workload_;
  Target& target_;
  const EngineOptions options_;
  Progress& progress_;
  const ServerWatch server_;

  Random random_;
  PayloadCodec codec_;
  Ledger ledger_;
  SenderPicker sender_picker_;
  std::optional<RoomWindows> windows_;  // closed loop
  std::optional<Schedule> schedule_;    // open loop
  std::int64_t schedule_begin_ns_ = 0;
  std::int64_t schedule_end_ns_ = 0;
  std::vector<NameWord> names_;
  std::vector<Delivery> deliveries_;

  bool is_sending_ = false;
  bool is_measuring_ = false;  // the measure phase: between it and the next, messages still count
  bool takes_latency_ = false;
  std::int64_t next_tick_ns_ = 0;
  bool has_server_ended_ = false;  // by its process: nothing more will come
  Measurement measured_;

  // The second of the measure phase that is running.
  Histogram second_;
  Counters second_begin_{};
  std::int64_t measure_begin_ns_ = 0;
  std::uint64_t sent_before_ = 0;
  std::uint64_t arrived_before_ = 0;
};

}  // namespace chatd::bench
