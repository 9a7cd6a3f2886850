#include "bench/chatbench/options.h"

#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <limits>
#include <sstream>

#include "bench/chatbench/commands.h"
#include "bench/chatbench/console.h"
#include "bench/chatbench/make_target.h"
#include "bench/chatbench/probe/system.h"
#include "bench/chatbench/validators.h"
#include "bench/chatbench/workload/payload.h"

namespace chatd::bench {
namespace {

constexpr const char* kDescription =
    "chatbench puts a chat server under load: it simulates up to millions of members over real\n"
    "sockets, checks every delivery, and says so when it was itself the bottleneck.";

constexpr const char* kFooter =
    "Exit codes: 0 done; 1 no result (server unreachable, joins refused, output not writable);\n"
    "2 wrong usage; 3 INVALID: chatbench was the bottleneck, or the server ended; the reasons are\n"
    "printed; 99 the SLO was missed.";

constexpr const char* kRunFooter =
    "Open loop (--rate): messages are sent when they are due, whatever the server does, and\n"
    "latency counts from when they were due. Closed loop (--window): this many messages under way "
    "in\n"
    "each room, the next one when one is complete; it shows how fast the server can go.\n"
    "\n"
    "A TIME is 500us, 20ms, 2s, 5m, 1h or plain seconds. On stdout: the result as a table.\n"
    "\n"
    "Examples:\n"
    "  chatbench run --rooms 20 --members 10 --rate 2000 --duration 2s --json out.json\n"
    "  chatbench run --rooms 1 --members 1000 --window 16 --server-pid $(pidof chatd)\n"
    "  chatbench run --rooms 100 --rate 1000 --slo 'p99<5ms,loss=0' --find-max --duration 2s\n"
    "  chatbench run --rooms 100000 --joins-per-connection 50 --connections 16\n";

constexpr double kLowestRate = 0.001;
constexpr double kHighestRate = 100e6;
constexpr std::uint64_t kMaxUnderWay = 10'000'000;  // in a closed loop

// What is typed, until the whole command line is known to be good.
struct Typed {
  std::optional<std::uint16_t> tcp_port;
  std::optional<std::uint16_t> udp_port;
  std::optional<double> rate;
  std::optional<std::uint32_t> window;
  std::optional<std::uint32_t> senders;
  std::string arrivals = "constant";
  std::int64_t heartbeat_ns = 120'000'000'000;
  std::optional<std::string> slo;
};

class RunFlags {
 public:
  RunFlags(CLI::App& app, RunOptions& run, Typed& typed) : app_(app), run_(run), typed_(typed) {
    add_server();
    add_workload();
    add_phases();
    add_clients();
    add_reports();
  }

 private:
  template <class Value>
  CLI::Option* add(const char* flag, Value& value, const char* shown, const char* help) {
    // The last one counts, so that a script can append what its caller wants otherwise.
    return app_.add_option(flag, value, help)->option_text(shown)->take_last();
  }
  template <class Value>
  void add_count(const char* flag, Value& value, const char* shown, const char* help,
                 std::uint64_t lowest = 1, std::uint64_t highest = kMaxMembers) {
    add(flag, value, shown, help)->transform(whole_number(lowest, highest));
  }
  void add_time(const char* flag, std::int64_t& value_ns, const char* shown, const char* help) {
    add(flag, value_ns, shown, help)->transform(duration_ns());
  }

  void add_server() {
    app_.option_defaults()->group("Server");
    std::string names;
    for (const std::string& name : target_names()) names += (names.empty() ? "" : ", ") + name;
    add("--target", run_.target, "NAME [chatd]", ("Kind of server: " + names).c_str())
        ->check(CLI::IsMember(target_names()).description(""));
    add("--host", run_.connect.host, "HOST [127.0.0.1]", "Where it runs: a name or an IP address")
        ->check(not_empty());
    add_count("--tcp-port", typed_.tcp_port, "PORT", "Its TCP port [8000, or the target's own]", 1,
              65'535);
    add_count("--udp-port", typed_.udp_port, "PORT", "Its UDP port [9000]", 1, 65'535);
    add("--tls-ca", run_.connect.tls_ca_path, "FILE",
        "Brokers: connect with TLS 1.3, and trust the certificates (PEM) in this file")
        ->check(not_empty());
    add_count("--server-pid", run_.server_pid, "PID",
              "Measure the CPU time and memory of this process, all its threads", 1, 4'194'304);
  }

  void add_workload() {
    app_.option_defaults()->group("Workload");
    Population& population = run_.workload.population;
    add_count("--rooms", population.rooms, "N [10]", "Rooms");
    add_count("--members", population.members_per_room, "N [10]", "Members of each room", 2);
    add_count("--senders", typed_.senders, "N [all]", "How many of them speak, taking turns");
    add("--size", run_.sizes_text, "BYTES [128]",
        "Payload: 128, a range 64-512, or with weights 64:70,512:20,1400:10");
    auto* const rate = add("--rate", typed_.rate, "N [1000]",
                           "Open loop: messages per second, in all rooms together");
    rate->check(number(kLowestRate, kHighestRate));
    auto* const window =
        add("--window", typed_.window, "N", "Closed loop instead: messages under way in each room");
    window->transform(whole_number(1, 65'536))->excludes(rate);
    add("--arrivals", typed_.arrivals, "KIND [constant]",
        "Open loop: constant (evenly spaced) or poisson")
        ->check(CLI::IsMember({"constant", "poisson"}).description(""))
        ->excludes(window);
    add_count("--seed", run_.workload.seed, "N [1]", "Repeats the same sizes, senders and times", 0,
              std::numeric_limits<std::uint64_t>::max());
  }

  void add_phases() {
    app_.option_defaults()->group("Phases");
    Workload& workload = run_.workload;
    add_time("--warmup", workload.warm_up_ns, "TIME [1s]", "Load before the measurement");
    add_time("--duration", workload.measure_ns, "TIME [10s]", "The measurement");
    add_time("--drain", workload.drain_ns, "TIME [2s]",
             "Wait at most this long for what is under way");
    add_time("--give-up", workload.give_up_ns, "TIME [1s]",
             "A delivery after that is late; a closed loop goes on without it");
    add_time(
        "--max-send-lag", run_.limits.max_send_lag_ns, "TIME [10ms]",
        "Open loop: INVALID when the send lag is more, at p99 or the highest percentile of --slo");
  }

  void add_clients() {
    app_.option_defaults()->group("Clients");
    TargetConfig& connect = run_.connect;
    add_count("--connections", connect.connections, "N [64]",
              "TCP connections at a time while members join", 1, 1'000'000);
    add_count("--joins-per-connection", connect.joins_per_connection, "N [1]",
              "Joins on each, pipelined; those members share an address and differ by port", 1,
              50'000);
    add("--join-rate", connect.joins_per_s, "N", "Maximum number of joins per second")
        ->check(number(kLowestRate, kHighestRate));
    add_count("--sockets", connect.sockets, "N",
              "UDP sockets that all members share [as many as joins per connection]", 1, 50'000);
    add("--first-address", connect.first_address, "IP [127.1.0.1]",
        "First of the members' addresses; give runs at the same time different ones")
        ->transform(loopback_address());
    add_time("--heartbeat", typed_.heartbeat_ns, "TIME [2m]",
             "How often each member sends something, even if it does not speak");
    app_.add_flag("--one-socket-per-client", connect.one_socket_per_client,
                  "A UDP socket for each member, as real clients have");
    add("--gro", connect.gro, "on|off [on]", "UDP_GRO: receive a train of messages in one piece")
        ->transform(on_off());
    add("--gso", connect.gso, "on|off [on]",
        "UDP_SEGMENT: what a member says in one go leaves as one train, as in one write over TCP")
        ->transform(on_off());
    add("--receive-buffer", connect.receive_buffer_bytes, "SIZE [64M]", "Of each UDP socket")
        ->transform(size_bytes());
    add_count("--cpu", run_.cpu, "N", "Run on this core alone", 0, CPU_SETSIZE - 1);
  }

  void add_reports() {
    app_.option_defaults()->group("Reports");
    add("--json", run_.json_path, "FILE", "Write the result as JSON (-: to stdout, and no table)")
        ->check(not_empty());
    add("--html", run_.html_path, "FILE", "Write the result as a page")->check(not_empty());
    auto* const slo = add("--slo", typed_.slo, "CONDITIONS",
                          "What must hold, as in 'p99<5ms,loss=0'; exit code 99 when it does not");
    app_.add_flag("--find-max", run_.find_max,
                  "Search for the highest rate that holds the SLO, from --rate on, --duration each")
        ->needs(slo)
        ->option_text(" ");
  }

  CLI::App& app_;
  RunOptions& run_;
  Typed& typed_;
};

using Checked = tl::expected<void, std::string>;

tl::unexpected<std::string> refuse(std::string why) {
  return tl::unexpected(std::move(why));
}

Checked check_sizes(RunOptions& run) {
  auto sizes = SizeDistribution::parse(run.sizes_text, static_cast<std::uint32_t>(kMinPayloadBytes),
                                       static_cast<std::uint32_t>(kMaxPayloadBytes));
  if (!sizes) return refuse("--size: " + sizes.error());
  run.workload.sizes = std::move(*sizes);
  run.connect.max_payload_bytes = run.workload.sizes.largest();
  return {};
}

Checked check_loop(RunOptions& run, const Typed& typed) {
  Workload& workload = run.workload;
  if (typed.window) {
    if (run.find_max) {
      return refuse("--find-max searches for a rate: it goes with --rate, not --window");
    }
    workload.loop = LoopKind::kClosed;
    workload.window = *typed.window;
  } else {
    workload.rate_per_s = typed.rate.value_or(1000);
    workload.arrivals = typed.arrivals == "poisson" ? Arrivals::kPoisson : Arrivals::kConstant;
  }
  if (workload.measure_ns == 0) return refuse("--duration: nothing is measured in 0 s");
  return {};
}

Checked check_population(RunOptions& run, const Typed& typed) {
  Population& population = run.workload.population;
  const std::uint64_t members = std::uint64_t{population.rooms} * population.members_per_room;
  if (members > kMaxMembers) {
    return refuse("--rooms times --members is " + std::to_string(members) + ": at most " +
                  std::to_string(kMaxMembers) + " can be simulated");
  }
  const std::uint64_t under_way = std::uint64_t{population.rooms} * run.workload.window;
  if (under_way > kMaxUnderWay) {
    return refuse("--rooms times --window is " + std::to_string(under_way) + ": at most " +
                  std::to_string(kMaxUnderWay) + " messages can be under way");
  }
  population.senders_per_room = typed.senders.value_or(population.members_per_room);
  if (population.senders_per_room > population.members_per_room) {
    return refuse("--senders: a room of " + std::to_string(population.members_per_room) +
                  " members has no " + std::to_string(population.senders_per_room) + " senders");
  }
  run.connect.population = population;
  return {};
}

Checked check_rest(RunOptions& run, const Typed& typed) {
  run.connect.tcp_port = typed.tcp_port.value_or(default_tcp_port(run.target));
  run.connect.udp_port = typed.udp_port.value_or(9000);
  if (!run.connect.tls_ca_path.empty() && !is_broker(run.target)) {
    return refuse("--tls-ca is for brokers; chatd-v2 and chatd-mixed join over TLS in any case");
  }
  run.connect.heartbeat_ms = typed.heartbeat_ns / 1'000'000;
  if (run.connect.heartbeat_ms < 1) return refuse("--heartbeat: at least 1ms");
  if (typed.slo) {
    auto slo = Slo::parse(*typed.slo);
    if (!slo) return refuse("--slo: " + slo.error());
    run.limits.lag_percentile = std::max(run.limits.lag_percentile, slo->highest_percentile());
    run.slo = std::move(*slo);
  }
  if (run.html_path == "-") return refuse("--html: a page goes to a file, not to stdout");
  if (!run.html_path.empty() && run.html_path == run.json_path) {
    return refuse("--html: " + run.html_path + " is to hold the JSON (--json)");
  }
  if (run.server_pid && !cpu_ns_of(static_cast<pid_t>(*run.server_pid))) {
    return refuse("--server-pid: there is no process " + std::to_string(*run.server_pid));
  }
  return {};
}

Checked finish_run(RunOptions& run, const Typed& typed) {
  return check_sizes(run)
      .and_then([&] { return check_loop(run, typed); })
      .and_then([&] { return check_population(run, typed); })
      .and_then([&] { return check_rest(run, typed); });
}

void set_defaults(RunOptions& run) {
  run.workload.population = {.rooms = 10, .members_per_room = 10, .senders_per_room = 10};
  run.workload.warm_up_ns = 1'000'000'000;
  run.workload.measure_ns = 10'000'000'000;
  run.workload.drain_ns = 2'000'000'000;
  run.workload.give_up_ns = 1'000'000'000;
}

}  // namespace

tl::expected<Options, int> parse_options(int argc, const char* const* argv) {
  RunOptions run;
  CompareOptions compare;
  Typed typed;
  set_defaults(run);
  CLI::App app(kDescription, "chatbench");
  app.set_version_flag("--version", "chatbench " CHATD_VERSION);
  app.footer(kFooter);
  app.require_subcommand(1);
  CLI::App* const run_app = app.add_subcommand("run", "Put a server under load and measure it");
  const RunFlags flags(*run_app, run, typed);
  run_app->footer(std::string(kRunFooter) + "\nMetrics of --slo:\n" + Slo::describe_metrics() +
                  "\n" + kFooter);
  CLI::App* const compare_app =
      app.add_subcommand("compare", "Two results side by side, with ratios");
  compare_app->add_option("A", compare.a_path, "A file that --json wrote")->required();
  compare_app->add_option("B", compare.b_path, "Another one")->required();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream told;
    if (app.exit(error, told, std::cerr) != 0) {
      return tl::unexpected(static_cast<int>(ExitCode::kUsage));
    }
    return tl::unexpected(static_cast<int>(print(told.str()) ? ExitCode::kOk : ExitCode::kFailure));
  }
  Options options;
  if (compare_app->parsed()) {
    options.compare = compare;
    return options;
  }
  if (const Checked done = finish_run(run, typed); !done) {
    std::fprintf(stderr, "chatbench: %s\nRun chatbench run --help for more information.\n",
                 done.error().c_str());
    return tl::unexpected(static_cast<int>(ExitCode::kUsage));
  }
  options.run = std::move(run);
  return options;
}

}  // namespace chatd::bench
